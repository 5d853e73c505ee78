// Package integrations is the pages that configure integrations: the list, the form with the
// plugin's options, saving it, and the plugin's actions.
//
//	integrations.go  Integrations: what these pages need
//	list.go          the list, choosing a plugin, deleting
//	form.go          the form as it is stored or as it was typed
//	warnings.go      what the plugin says today of stored options
//	save.go          saving a form: problems beside the fields, what was typed is kept
//	submission.go    reading a submitted form with its files
//	actions.go       running a plugin's actions
//	once.go          a form that is submitted twice is acted on once
package integrations
