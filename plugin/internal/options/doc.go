// Package options turns the options document into what the call flow and its surroundings work
// with.
//
// There is one way in, [Load], for both occasions: when a document is to be saved, its problems and
// warnings are shown; when a call is served, they are ignored, and every refused value is replaced
// by its default, so that a call is served whatever the document holds. No value of a document ever
// becomes part of a message: it may be a secret.
//
// # Map
//
//	options.go   the typed options; Load
//	schema.go    the document against the form's JSON Schema; problems by label
//	check.go     what a schema cannot say: shapes, addresses, values that exclude one another
//	source.go    prompt fields: text, address or uploaded file
//	migrate.go   documents of older formats
package options
