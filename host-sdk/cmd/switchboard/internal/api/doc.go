// Package api is the JSON API of the switchboard host, below /api/v1. [API.Routes] is the one list
// of what there is: the handler is made of it, and a test holds it against the OpenAPI document.
//
//	api.go           Config, Routes, the handler
//	answer.go        errors, problems, request bodies
//	integrations.go  integrations: list, read, make, replace, delete, actions
//	form.go          the form of an integration for another product's pages
//	plugins.go       plugins and their options schemas
//	media.go         prompt uploads; recordings
//	alerts.go        alerts of platforms whose alerts the host shows itself
//	calls.go         calls
//	hosts.go         hosts that share the database, and their file
//	status.go        the host at a glance
//	teams.go         teams and who is on call
//	events.go        server-sent events
//	streams.go       how many of them are open at a time
//	openapi.go       the OpenAPI document, openapi.json
//	callviews.go     calls as the API shows them
//	deletions.go     deleting recordings, calls and alerts; forgetting a caller
//	doctor.go        what this host stands on
//	people.go        whose a request is, logins, tokens, audit
//	pluginchange.go  another version of a plugin, taken into use
//	shifts.go        shifts and absences that people entered
//	statistics.go    statistics
//	ways.go          tests of how people and teams are reached
package api
