// Package browser drives a real, headless Chromium in tests. It hides the protocol library behind
// the few things that a test of a page says: go there, click, type, choose, wait, look, listen to
// complaints.
//
//	browser.go  finding and starting Chromium, tabs
//	page.go     what a person does and sees: Go, Click, Type, Select, Wait…, Text, Look, NoScripts, Screenshot
//	listen.go   what the page complains about: console, exceptions, resources; accessibility
//
// Every method that cannot do its work within [Patience] ends the test with the page's address,
// what was wanted and what was there instead. Selectors are CSS selectors.
package browser
