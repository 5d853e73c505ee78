// Package goalertsim stands in for a GoAlert server, so that tests of programs which use one run
// where there is none. It was written from observations of a real server (FACTS.md numbers them,
// and each has a test) and shares no code with the programs it tests.
//
// A [Sim] is an http.Handler; [Start] serves one for a test. What the observations leave open is
// refused with 501 and a message that names it, and Start fails the test that asked for it. Names
// and shapes that had to be assumed work, and [Sim.Assumed] lists those that were used. Texts of
// which only the existence is known begin with "unspecified text:", so that no program can come to
// depend on them.
//
// Package admin sets up users, schedules, services and keys by the public requests of GoAlert, on
// the stand-in as on a real server. With GOALERT_URL set, the tests of the facts run against that
// server, except those that need what only a stand-in can do.
//
//	sim.go       Config, Sim, routes, what was refused or assumed
//	start.go     Start: a server for a test, which can be stopped and started again
//	target.go    Open: the stand-in or a real server; people, and waiting for what happens
//	fault.go     delays, error statuses, connections cut, on demand
//	access.go    log-in, sessions, API keys; one request at a time for each
//	graphql.go   the endpoint: documents, keys bound to one, answers
//	execute.go   runs an operation, counts its database calls
//	schema.graphql, resolve.go  what may be asked; which function answers
//	setup.go     mutations of set-up
//	people.go    users and contact methods
//	alerts.go    alerts: create, acknowledge, escalate, close, log
//	generic.go   the generic integration key's endpoint
//	voice.go     calls to people through Twilio: codes, alerts, the key that acknowledges
//	model.go     what the server stores
//	engine.go    the engine's cycle: who is on call, escalation
//	outbox.go    webhooks and calls that a cycle sends
package goalertsim
