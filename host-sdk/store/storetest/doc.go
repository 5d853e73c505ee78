// Package storetest is the conformance suite for implementations of store.Store: call [Test] from a
// test of yours.
//
//	storetest.go     Test, and what the parts share
//	integrations.go  integrations, revisions, findings, settings
//	sessions.go      reading, listing, expiry
//	commits.go       all or nothing, compare-and-swap, generations
//	outbox.go        claims, leases, results
//	lanes.go         order within a lane
//	media.go         audio by content
//	together.go      many callers at once
package storetest
