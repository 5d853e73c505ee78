// Package layout is what all pages share: the frame around them, errors as pages, the words and
// times in them, and the person whom a browser acts as. It knows no page of its own but the error.
//
//	site.go    Site: templates, showing a page, redirects
//	errors.go  Handler, Refusal, errors as pages
//	person.go  the person whom a browser acts as
//	words.go   times, lengths, numbers and phone numbers in plain words
//	assets.go  style sheet and scripts, under names that change with their content
//	ring.go    a test ring, and how far it has come
//	ways.go    tests by the ways of a person
package layout
