// Package twiml holds the documents that answer Twilio's voice requests: a closed set of typed
// verbs, and an encoder that refuses documents which Twilio would not take.
//
// Only the verbs that the call flow needs exist here. What a type cannot express, Encode checks,
// because Twilio reports a bad document only in its debugger, after the caller has heard an error.
// Facts about attributes and limits come from Twilio (Twilio docs: voice/twiml and the page of each
// verb).
//
// # Map
//
//	verbs.go     the verbs as structs
//	encode.go    documents to bytes: fixed order of attributes, escaping
//	validate.go  what every document must keep: absolute URLs, nesting, limits
//	twimltest/   bytes back to documents, for tests
package twiml
