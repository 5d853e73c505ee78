// Package options reads the options document: the values that a person entered into the form.
//
// There is one way in, [Load], for two occasions. When a document is saved, its problems and
// warnings are shown. When a call is served, they are ignored and each refused value is replaced by
// its default, so that a call is served whatever the document contains. No message quotes a value,
// because a value may be a secret that was pasted into the wrong field.
//
// The form itself is schema/options.schema.json. Titles, defaults, limits and patterns are read
// from there, so that an option is described in one place.
//
// # Map
//
//	options.go  the typed options; Load
//	schema.go   the document against the form's JSON Schema; problems by title
//	check.go    what a schema cannot express: shapes, addresses, values that exclude one another
//	voices.go   Twilio's voices by language
//	mail.go     whether a mail about a message reaches anybody
//	source.go   recording fields: text, address or uploaded file
//	migrate.go  documents of older formats
//	optionsdoc/  the table of options in the operator guide
//	notify.go   whether anybody hears of an alert before a phone rings
package options
