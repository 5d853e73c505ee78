// Package host has the commands that run a host, look at one, and check or push its switchboard
// file.
//
//	serve.go   serve
//	status.go  status
//	doctor.go  doctor
//	config.go  config check, config push, config sample
package host
