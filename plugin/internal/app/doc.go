// Package app is the integration: it joins the call flow with TwiML, prompts, options and Twilio, and speaks the contract.
//
// The Handle methods are pure. A request becomes a callflow.Event; callflow.Step decides; its reply becomes a TwiML
// document, its effects become alert commands, tasks, mails and findings of one Outcome. Perform and RunAction alone
// do I/O.
//
// # Map
//
//	app.go       the App, what it says of itself, the form
//	validate.go  checking options, fallback answers
//	route.go     sub-paths of the endpoint
//	links.go     URLs we give to Twilio and their tokens; names of queues
//	webhook.go   requests to events; who may ask
//	routing.go   what router rules see
//	step.go      one step of the call flow as an Outcome
//	effects.go   effects as commands, tasks, mails
//	mail.go      mails about messages, as text and HTML
//	reply.go     replies as TwiML
//	say.go       prompts as Say and Play
//	media.go     the hold music's files
//	tasks.go     task payloads and results; timers
//	perform.go   the I/O of tasks
//	action.go    buttons beside the form
//	check.go     the check: credentials, account, numbers, signatures, people
//	number.go    connecting a number, and giving it back
//	who.go       who would answer, without a call
package app
