// Package admin sets up a GoAlert server for tests: users with telephones, rotations, schedules,
// policies, services and keys, and what people do there (acknowledge, escalate, close). It uses
// only requests that were seen to work on a real server, so it serves one as well as the stand-in.
//
//	client.go  Client: log-in, GraphQL
//	setup.go   users, schedules, policies, services, keys
//	remove.go  Remove: takes away what was made
//	alerts.go  alerts: by the generic integration key, and as a user
//	twilio.go  Twilio: receives GoAlert's calls to people, and reads their codes
package admin
