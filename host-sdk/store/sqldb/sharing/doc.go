// Package sharing is what hosts that share a PostgreSQL server say to one another and know of one
// another, beside the rows of the store. Each thing has a connection of its own, to the server
// itself, also where a pooler stands before it.
//
//	notices.go   what hosts say to one another
//	hostlock.go  the lock that a host holds while it lives; the locks of others
package sharing
