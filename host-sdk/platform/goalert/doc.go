// Package goalert makes an existing GoAlert installation the platform of a host: its services are
// the teams, its escalation policies say who is on call, its alerts are the alerts of calls.
//
// GoAlert pages people by itself. What it cannot do, and what a caller hears then, is in
// docs/platforms.md.
//
// GoAlert keeps no text, number or name that we could add to an alert later. So each alert of a
// call has a row in the host's database (record.go): what came before the call had a team, which
// alert of GoAlert it became, the last command, whose acknowledgement ours is.
//
//	goalert.go   Config, New, Run, Health
//	document.go  the operations that the API keys may run, and the shapes of their answers
//	client.go    requests; errors in words
//	people.go    teams, who is on call, people and their telephones
//	record.go    what we remember of an alert
//	snapshot.go  an alert as the call flow sees it
//	commands.go  commands: acknowledge, reopen, escalate, resolve
//	route.go     the route, which makes GoAlert's alert; why GoAlert does not take one
//	watch.go     polling the services of calls in progress; hints
//	turns.go     which of several hosts polls a service, and what it tells the others
//	webhook.go   GoAlert's own posts, as hints
//	setup.go     Setup: chooses services, warns, makes keys
//	admin.go     what an administrator's session asks for
//	erase.go     platform.Eraser
//
// It is one package because all of it, the set-up too, asks GoAlert by the same document and reads
// the same shapes of answers: some thirty names of client.go and document.go, of which programs
// that use the package need two ([Document], [Secret]).
package goalert
