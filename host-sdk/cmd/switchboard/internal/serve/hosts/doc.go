// Package hosts is what hosts that share a database know of one another: which of them run, what
// the time is, and what they tell each other. A host that has the database for itself is alone, and
// keeps what its clock shows all the same.
//
//	presence.go     that this host runs, which others do, and whose work is taken over
//	notices.go      what other hosts say to this one's parts
//	commonclock.go  one clock for all, which goes on after a start
package hosts
