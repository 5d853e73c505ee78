// Package setup has the commands that ask a person questions, and write what a host begins with.
//
//	init.go       init
//	forplugin.go  what init asks for the plugin
//	next.go       what init says at its end
//	goalert.go    platform setup goalert
//	asking.go     questions and answers, a line each
package setup
