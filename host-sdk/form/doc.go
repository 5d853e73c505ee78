// Package form turns an options schema into what a host shows and reads back. Pure: bytes in, bytes
// out; it knows neither a store nor an engine.
//
//	schema.go    reading a schema in its own order: groups, fields, conditions
//	secrets.go   which fields are secret; keeping, replacing and hiding their values
//	html.go      the form as HTML that works without JavaScript
//	decode.go    a submitted HTML form back to a document
//	prepare.go   schema and document as form libraries are to be handed them
//	uischema.go  the same form for RJSF and JSON Forms, which most web platforms use
//
// A host whose pages draw forms with a library hands it what Prepare gives, and saves what
// MergeSecrets makes of the answer. JSON Forms' data property takes the document once: what
// onChange gives comes late, and handed back takes away what has been typed meanwhile. json-editor
// takes the schema as it is, but hides each field that its startval lacks: set the values one by
// one with getEditor("root.KEY").setValue instead. integration-tests/renderers shows each library
// at work.
package form
