// Package integrations is the pages that configure integrations: the list, the form with the
// plugin's options, saving it, and the plugin's actions.
//
//	integrations.go  Integrations: what these pages need
//	list.go          the list, choosing a plugin, deleting
//	form.go          the page around the form, and where it leads; package integrationform has the form
//	firstvisit.go    the steps of the first integration
package integrations
