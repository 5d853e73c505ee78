// Package form turns an options schema into what a host shows and reads back. It is pure, bytes in
// and bytes out, and knows neither a store nor an engine.
//
//	schema.go    reading a schema in its own order: groups, fields, conditions
//	secrets.go   which fields are secret; keeping, replacing and hiding their values
//	html.go      the form as HTML that works without JavaScript
//	script.go    the script that hides fields whose condition is false
//	decode.go    a submitted HTML form back to a document
//	prepare.go   schema and document as form libraries need them
//	uischema.go  the same form for RJSF and JSON Forms, which most web platforms use
//	dates.go     dates and times in the formats of a browser's controls
//
// A host whose pages draw forms with a library gives the library the result of Prepare, and saves
// the result of MergeSecrets.
//
// Two libraries need care. JSON Forms must get its data property only once: its onChange comes
// late, and handing that data back would undo what has been typed meanwhile. json-editor hides
// every field that its startval lacks, so leave startval out and set the values one by one with
// getEditor("root.KEY").setValue. integration-tests/renderers shows each library at work.
package form
