// Package render turns the call flow's replies into TwiML documents, in an instance's language and
// voice and with its recordings, and has the answers that depend on no call.
//
// # Map
//
//	reply.go  replies as documents
//	say.go    prompts as Say and Play
//	fixed.go  refused, not in service, goodbye; the fallback answers of the host
package render
