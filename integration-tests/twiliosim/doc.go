// Package twiliosim is a Twilio of one's own: it plays the telephone network and Twilio's side of a call, so that a
// program which answers webhooks with TwiML and uses the REST API can be tried, tested and demonstrated without an
// account, a telephone or the network. It shares no code with what it tests: it has its own TwiML decoder, with a closed
// table of verbs and attributes, and its own signer.
//
// A [Sim] is an http.Handler: REST below /2010-04-01/, control below /sim/, a page at /. Calls are placed by
// [Sim.Call] or POST /sim/calls; what Twilio does then happens by itself, on the clock it was given. A person at a
// telephone is driven by methods of [Call] (Hears, Presses, HangsUp, …), by a [Responder] that a [Phone] runs when it
// rings, or by a script.
//
// Where Twilio's documentation is silent, the choice made is a field of [Behaviour]. What a program does wrong (bad
// TwiML, wrong attribute values, webhooks that fail) is recorded as a [Violation]; [Sim.Check] fails the test that
// caused one.
//
// # Map
//
//	sim.go         Config, Sim, New, Close; waiting
//	behaviour.go   switches for what Twilio does not document
//	ids.go         SIDs, dates, telephone numbers
//	event.go       the transcript: what happened, when, on which call
//	violation.go   what the program under test did wrong
//	fault.go       lost, doubled, late requests on demand
//	call.go        one call: status, interruption, end
//	place.go       calls that come in, calls that go out: ringing, answering, machine detection
//	person.go      what a person does: press, speak, answer, hang up
//	voice.go       what a person says in sound, and what a recording holds; wave.go that sound, WAV files
//	expect.go      what a test expects a person to hear
//	phone.go       telephones and how they behave when they ring
//	script.go      the little language of callers and responders
//	node.go        TwiML text to a tree; grammar.go the closed table of verbs and attributes
//	run.go         fetching and executing documents, fallback
//	verb_*.go      the verbs
//	queue.go       queues and bridges
//	recording.go   recordings and their callbacks; audio.go their sound, and how long a sound file plays
//	webhook.go     one request to the program: overrides, retries, redirects; sign.go the signature
//	callback.go    status callbacks
//	rest*.go       the REST API
//	control*.go    the control API, for scripts in other processes; page.go a plain page at /
//
// Subpackage oaicheck holds the REST traffic against Twilio's own OpenAPI document; softphone is the page with
// telephones; cmd/twiliosim is the command.
package twiliosim
