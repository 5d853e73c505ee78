// Package integration is the contract between a host (an incident-management platform) and an
// integration (a plugin that owns an external conversation, such as a phone call, on the platform's
// behalf).
//
// The rule that everything else follows from: a handler decides, the host commits. The three Handle
// methods of [Integration] are pure functions of their request. They return an [Outcome], a value
// that says what to answer, what to remember, which alert commands to run, which I/O to do and
// which mails to send; the host commits it as a whole, or runs the handler again. The plugin never
// calls the host. What a handler does not know it asks for as data ([Outcome.Need]) and is run
// again with the answers.
//
// The package imports the standard library alone, so that a host may depend on it without depending
// on anything else.
//
// # Map
//
//	integration.go  the Integration interface and what each method promises
//	describe.go     what an integration says of itself, once, after start
//	facts.go        what the host says with every request: time, instance, session, destinations, alert, answers
//	webhook.go      HTTP in and out
//	outcome.go      what a handler decides
//	alert.go        alert snapshots and alert commands
//	task.go         I/O and timers, and how their results come back
//	question.go     what a handler may ask, and the answers
//	people.go       users, phones, on-call entries
//	mail.go         mails and their recipients
//	options.go      the option form: schema, validation, fallback answers
//	action.go       buttons beside the form
//	call.go         the host-neutral picture of a call that pages and APIs show
//	errors.go       the closed set of error kinds
//	version.go      protocol and format numbers
//	erase.go        deletions at the foreign service
//	ring.go         test rings of a person's phone
package integration
