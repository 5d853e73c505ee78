// Package people stores who uses a host: the part of the store that no call needs.
//
//	people.go  what the store embeds
//	logins.go  logins of browsers, and what works once
//	tokens.go  tokens of programs
//	audit.go   who did what
package people
