// Package call is what is remembered of a phone call, and what can be read off it.
//
// A [State] is stored after each step that changes it, and read by this release and the one before
// (see [Format]). It has types of its own, and not the contract's, so that stored calls stay
// readable when the contract grows. Nothing here decides: package callflow changes states, and asks
// them what follows from their fields alone, such as which phones still ring.
//
// Most of these functions are tested where they matter, by the calls of package callflow:
//
//	make mutate PKG=./plugin/internal/callflow/call ARGS='-tests ./plugin/internal/callflow'
//
// # Map
//
//	state.go      the call as a whole: phases, ends, exits
//	caller.go     the caller, the team, and whether the call is known to be real
//	alert.go      the bookkeeping of the call's alert
//	leg.go        one responder's phone connection
//	person.go     people who were brought in, and numbers that were dialed
//	recording.go  voicemail, recordings and who is rung to hear them
//	find.go       finding legs, people and numbers; who can still be rung
//	format.go     reading and writing, also what an earlier release remembered
//	view.go       the host-neutral picture of a call; whom it occupies and waits for
package call
