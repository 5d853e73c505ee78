// Package app is the integration: it joins the call flow with TwiML, prompts, options and Twilio,
// and speaks the contract.
//
// The Handle methods are pure. A request becomes an event.Event; callflow.Step decides; its reply
// becomes a TwiML document, its effects become the alert commands, tasks, mails and findings of one
// Outcome. Perform and RunAction alone do I/O.
//
// # Map
//
//	app.go       the App, what it says of itself, the form, actions
//	settings.go  options decoded once for many requests
//	validate.go  checking options before they are saved
//	webhook.go   requests to events
//	step.go      one step of the call flow as an Outcome
//	states.go    states of calls, read once for several events
//	effects.go   effects as commands, tasks, mails
//	mail.go      mails about messages, as text and HTML
//	tasks.go     task payloads and results; timers
//	perform.go   the I/O of tasks
//	lookups.go   how many of those run at once for calls that are not proven
//	ring.go      test rings of a phone
//	erase.go     deletions at Twilio
//
// Beside it, package endpoint knows paths, addresses and signatures, render makes documents, and
// actions has the buttons beside the form.
package app
