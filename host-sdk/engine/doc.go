// Package engine runs an integration's handlers and commits what they decide.
//
// For each request (a webhook, an alert that changed, a timer or a result) it loads the session, collects the facts,
// runs the handler, answers its questions and runs it again, and commits the outcome in one transaction with the outbox.
// If the session moved meanwhile nothing is committed and the handler runs again on the fresh session. The answer is
// given after the commit; an outcome that changes nothing is answered without a write.
//
// # Map
//
//	engine.go     Config, Engine, Run
//	facts.go      what a handler is told: instance, options with today's secrets, destinations, alert snapshot
//	run.go        load → run → answer questions → commit, with conflicts
//	webhook.go    webhooks, deferred webhooks, session keys
//	snapshots.go  alert snapshots: watching, caching, HandleAlert
//	outbox.go     workers: lanes, retry with back-off, NotAfter, results fed back, timers
//	pace.go       outgoing requests that a foreign service wants spaced
//	periodic.go   daily and hourly tasks of each integration, expiry
//	configure.go  saving an integration: secrets kept, options validated
//	events.go     what changed, for live pages
//	metrics.go    what is counted
package engine
