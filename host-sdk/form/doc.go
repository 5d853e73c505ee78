// Package form turns an options schema into what a host shows and reads back. Pure: bytes in, bytes out; it knows
// neither a store nor an engine.
//
//	schema.go    reading a schema in its own order: groups, fields, conditions
//	secrets.go   which fields are secret; keeping, replacing and hiding their values
//	html.go      the form as HTML that works without JavaScript
//	decode.go    a submitted HTML form back to a document
//	uischema.go  the same form for RJSF and JSON Forms, which most web platforms use
package form
