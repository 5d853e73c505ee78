// Package patient makes calls out of the engine that end in time, whatever the callee does: the
// platform, the store, plugins and the mail server.
//
// [New] makes a [Patience], which wraps each of them. A wrapped callee is used like the callee
// itself. Its calls return when their context has ended; a panic is an error of the call; and a
// callee that leaves too many calls hanging counts as unavailable, for one integration at a time.
//
// # Map
//
//	patience.go  giving up calls that do not return; errors that may cross the contract
//	hands.go     the goroutines of these calls
//	platform.go  the platform with that patience, counted
//	browser.go   the alerts of the platform as people see them, read in time
//	plugins.go   plugins, and those whose calls return by themselves
//	store.go     the store: the methods that the engine uses
package patient
