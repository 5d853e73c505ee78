// Package twiml holds the documents that answer Twilio's voice requests: a closed set of typed verbs, a deterministic
// encoder, the invariants every document of ours keeps, and a strict decoder for tests.
//
// Only the verbs the call flow speaks exist here. Facts about attributes and limits are Twilio's own
// (Twilio docs: voice/twiml and the page of each verb).
//
// # Map
//
//	verbs.go     the verbs as structs
//	encode.go    documents to bytes: fixed attribute order, right escaping
//	validate.go  what every document must keep: absolute URLs, nesting, limits
//	decode.go    bytes back to documents; unknown verbs and attributes are errors
package twiml
