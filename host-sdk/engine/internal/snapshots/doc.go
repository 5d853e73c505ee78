// Package snapshots keeps the alerts of calls as the platform showed them last: it reads them when
// a call needs one of which nothing is known, and beside the calls when the platform hints that one
// may have changed. Whatever differs from what a handler has seen is given to one.
//
// # Map
//
//	reading.go    an alert as it was read, and which of two readings is the newer
//	snapshots.go  the last known snapshots; alerts that are missing
//	watch.go      hints: reading again, and running the handler
package snapshots
