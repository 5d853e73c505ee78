// Package outbox does the work that commits leave behind: it claims what is due, has the engine do
// it, and hands the result to the handler. An item is done at least once: it is done again when the
// process dies, or when its lease ends before its result is stored, so all of this may be repeated.
//
// What an item is about, only the engine knows (see [Engine]). Workers, turns and terms are here
// together, as they decide as one what may begin: an item that was claimed has its worker already,
// and a call to a person that starts with its commit takes a worker and a turn, or neither.
//
// # Map
//
//	outbox.go   terms, rounds of claims, leases
//	work.go     one item: tasks, timers, requests that were kept for later, their results
//	ends.go     what becomes of an item: done again, handed to its handler, dropped
//	workers.go  how much work is done at a time, by kind and integration
//	pace.go     outgoing requests that a foreign service wants spaced
//	atonce.go   those whose turn is free, started with the commit that orders them
package outbox
