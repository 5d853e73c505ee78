// Package outbox stores work that waits: in lanes, whose items are begun one after the other.
// Functions that are given a transaction are for a commit, which writes items together with its
// session.
//
//	outbox.go  items of a worker: starting, ending, counting
//	claim.go   claiming what is due
//	lanes.go   adding and removing; the order of lanes
package outbox
