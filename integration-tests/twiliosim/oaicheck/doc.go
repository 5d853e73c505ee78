// Package oaicheck checks REST traffic against Twilio's own OpenAPI document, so that neither a
// program nor the simulator can agree on something that Twilio does not have.
//
//	fetch.go  gets the document (it is not part of this repository) by npm
//	check.go  validates requests and 2xx answers; wraps a handler
//
// The document says nothing of error answers; they are not checked.
package oaicheck
