// Package integrationform is the form of an integration: what it shows, and what becomes of it when
// it is posted. Switchboard's own pages put it into theirs, and the API hands it to another product
// for its pages; what a person enters is read, refused and saved the same way on both.
//
//	forms.go       Forms: the form of a new integration and of a stored one
//	view.go        what is shown: problems and findings, the fields, the plugin's actions
//	submission.go  reading a posted form with its files
//	save.go        saving a form: problems beside the fields, what was typed is kept
//	kept.go        secrets of a refused form, for the next time that it is posted
//	actions.go     running a plugin's actions
//	once.go        a form that is posted twice is acted on once
//	warnings.go    what the plugin says today of stored options
//	sections.go    the parts of a form, to which pages link
package integrationform
