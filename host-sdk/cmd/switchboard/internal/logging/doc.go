// Package logging makes the host's log.
//
//	logging.go   New: text or JSON, without secrets
//	loglimit.go  how long and how many its lines are
package logging
