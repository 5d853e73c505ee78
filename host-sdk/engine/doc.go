// Package engine runs an integration's handlers and commits what they decide.
//
// For each request (a webhook, an alert that changed, a timer or a result) it loads the session,
// collects the facts, runs the handler, answers its questions and runs it again, and commits the
// outcome in one transaction with the outbox. If the session moved meanwhile nothing is committed
// and the handler runs again on the fresh session. The answer is given after the commit; an outcome
// that changes nothing is answered without a write.
//
// # Why it is one package
//
// What can be done without knowing of handlers has packages of its own below internal: patient
// makes the calls out of the engine; known has what is known of integrations, plugins and people;
// sessions has what this process knows of calls, and snapshots their alerts; formats keeps what is
// too new from a plugin; answers has what a handler asks for; outbox does what commits leave
// behind; record words the call's record; counting counts; deletion deletes. None of them knows the
// engine: what it is to do for them they are given, as functions or a small interface.
//
// What remains is one run of a handler and those who begin one: a request, a change of the alert, a
// timer, a result, a person at a button. A run and its commit share what was loaded, and a commit
// begins the next runs: it frees people for whom other calls wait, changes an alert that the same
// call is to see, and wakes the outbox. A package for each would need the run exported to all of
// them, and the order in which a commit takes effect, which [Engine.Webhook] promises to its
// caller, would be spread over them.
//
// # Map
//
//	engine.go       Config, Engine, Run, Health
//	load.go         what every call of a plugin begins with: integration, plugin, session, facts
//	run.go          load → run → answer questions → commit, with conflicts
//	commit.go       an outcome as one transaction
//	record.go       what a commit adds to the record of its call
//	alertlane.go    alert commands: held until routed, given to the platform alone or together
//	notices.go      what has changed, to and from other hosts
//	occupy.go       of two calls that decide at once, one occupies a person
//	webhook.go      webhooks, session keys, fallback answers
//	deferred.go     webhooks kept for later, and how many
//	hints.go        timers of the host itself: who is free, what changed
//	action.go       actions that a person starts
//	work.go         what the outbox has the engine do: tasks, results, requests kept for later
//	mail.go         resolving and sending mails
//	periodic.go     daily and hourly tasks of each integration, expiry
//	follow.go       what a call makes of its own change of the alert, in the same commit
//	configure.go    saving an integration: secrets kept, options validated
//	findings.go     what the platform finds wrong, beside every integration
//	events.go       what changed, for live pages
//	metrics.go      the metrics, as a host registers them
//	ring.go         test rings of a person's phone
//	together.go     alert commands in the commit, where the alerts are in the store's database
//	delete.go       what people delete; see package deletion
package engine
