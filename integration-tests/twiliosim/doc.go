// Package twiliosim simulates Twilio: it plays the telephone network and Twilio's side of a call,
// so that a program which answers webhooks with TwiML and uses the REST API can be tried, tested
// and demonstrated without an account, a telephone or the network. It shares no code with what it
// tests: it has its own TwiML decoder, with a closed table of verbs and attributes, and its own
// signer.
//
// A [Sim] is an http.Handler: REST below /2010-04-01/, control below /sim/, a page at /. Calls are
// placed by [Sim.Call] or POST /sim/calls; what Twilio does then happens on the clock that the
// simulator was given. A person at a telephone is played by methods of [Call] (Hears, Presses,
// HangsUp, …), by a [Responder] that a [Phone] runs when it rings, or by a script.
//
// Where Twilio's documentation is silent, the choice made is a field of [Behaviour]. What a program
// does wrong (bad TwiML, wrong attribute values, webhooks that fail) is recorded as a [Violation];
// [Sim.Check] fails the test that caused one.
//
// # Map
//
// This package joins the others and names what programs and tests need of them (sim.go, names.go).
// In the order in which they know one another:
//
//	internal/audio      sound of calls: samples, WAV files, lengths of files
//	internal/problem    what the program under test does wrong
//	internal/transcript what happens, as events
//	internal/fault      lost, doubled, late requests on demand
//	internal/twiml      TwiML text to a tree, validated by the table of verbs and attributes
//	internal/webhook    one request to the program: signature, overrides, retries, redirects
//	internal/account    the model: numbers, calls, queues, recordings, status callbacks
//	internal/executor   documents and verbs; calls that come in and go out
//	internal/phone      telephones, and people on them: by hand, by expectation, by script
//	internal/rest       the REST API
//	internal/control    the control API, for scripts in other processes, and a plain page
//
// Package oaicheck checks the REST traffic against Twilio's own OpenAPI document; softphone is the
// page with telephones; cmd/twiliosim is the command.
package twiliosim
