// Package record puts into words what becomes of a call's alert, for the call's own record. It has
// no clock and no store: what it adds is part of the commit of whoever asks.
//
// # Map
//
//	story.go  what an alert command, or a new snapshot, says of the call
//	join.go   two updates of one record as one
package record
