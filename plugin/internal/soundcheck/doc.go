// Package soundcheck fetches the sound files that a form names by address, as Twilio will: so that
// a file that cannot be played is noticed when the form is saved, and not by a caller.
//
// An address comes from a person who may save a form, and the plugin stands inside the operator's
// network. So it fetches from public addresses alone: each connection is checked after the name is
// resolved, at every redirect too.
//
// # Map
//
//	check.go  what a file is judged by, field by field
//	guard.go  the client that reaches public addresses alone
package soundcheck
