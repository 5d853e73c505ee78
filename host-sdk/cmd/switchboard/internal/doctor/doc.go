// Package doctor looks at what a switchboard stands on and no check of the running host can see: the
// public address from outside in, the clock of the machine, the folder of plugins. Each line says what
// is wrong, and the remedy.
//
//	publicurl.go  does the public address lead here, with a certificate that carriers accept
//	machine.go    the clock, and the plugins
//	clock_*.go    whether the system's clock is kept right
package doctor
