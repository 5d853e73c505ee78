// Package api is the JSON API of the switchboard host, below /api/v1. [API.Routes] is the one list
// of what there is: the handler is made of it, and a test holds it against the OpenAPI document.
//
// Packages below it have the operations of one subject each: integrations, with plugins and their
// forms; calls, with alerts and recordings. Neither knows the other. What all of them need (routes,
// errors, how times and lists are shown) is in apikit. Here is what looks at the host as a whole,
// at its people and at who is on call.
//
//	api.go         Config, Routes, the handler
//	hosts.go       hosts that share the database, and their file
//	status.go      the host at a glance
//	teams.go       teams and who is on call
//	shifts.go      shifts and absences that people entered
//	people.go      whose a request is, logins, tokens, audit
//	ways.go        tests of how people and teams are reached
//	statistics.go  statistics
//	doctor.go      what this host stands on
//	openapi.go     the OpenAPI document, openapi.json
package api
