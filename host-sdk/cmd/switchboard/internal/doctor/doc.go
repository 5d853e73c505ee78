// Package doctor looks at what a switchboard stands on and no check of the running host can see:
// the public address from outside in, the clock of the machine, the folder of plugins. Each line
// says what is wrong, and the remedy.
//
//	examine.go    all that a host stands on, the parts at the same time
//	mail.go       does the mail server take us
//	channels.go   do the services answer at which people are notified
//	disk.go       is there room
//	publicurl.go  does the public address lead here, with a certificate that carriers accept
//	machine.go    the clock, and the plugins
//	clock_*.go    whether the system's clock is kept right
//	disk_*.go     how much room a file system has
package doctor
