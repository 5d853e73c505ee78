// Package storetest is the conformance suite for implementations of store.Store: call [Test] from a
// test of yours.
//
// Each check is a function of a [run] and begins with an empty store. It only uses the interface,
// so an implementation is free in how it stores things. What a check demands is what the engine
// relies on: a call that is lost, a phone that rings twice or a message mailed twice is mostly a
// broken promise of the store.
//
// # Map
//
//	storetest.go     Test, and what the parts share
//	integrations.go  integrations, revisions, findings, settings
//	sessions.go      reading, listing, expiry
//	commits.go       all or nothing, compare-and-swap, generations
//	outbox.go        claims, leases, results
//	lanes.go         order within a lane
//	media.go         audio by content
//	people.go        logins, tokens, one-time links, audit
//	together.go      many callers at once
//	writers.go       every way to write, for tests in which two hosts do so at the same time
//	calls.go         records of calls
//	calllists.go     lists of calls, searching them
//	counts.go        statistics
//	erasures.go      deletions, forgetting a caller
//	hosts.go         hosts that share a store
package storetest
