// Package record keeps every request to a platform with its answer, and judges answers by the
// OpenAPI document of the protocol.
//
//	exchange.go  a request and what came back, for checks and for people
//	recorder.go  sends requests and remembers them, with times
//	document.go  what is wrong with the shape of an answer
package record
