// Package admin does for a person at a terminal what the pages and the API do for others: it asks
// the host that runs on the data directory, or with PostgreSQL whichever answers at the public
// address, and opens the database itself only where none runs.
//
//	ask.go         Ask: an action of an integration; Hotlines; asking a host, or else the store
//	request.go     a request to the API of a host, and whether its answer is understood
//	running.go     what only a running host can answer
//	status.go      how the host is
//	ready.go       whether it is ready
//	doctor.go      Examine: the running host, what it stands on, each integration
//	stand.go       what doctor looks at where no host runs
//	first.go       the first integration of a new host
//	plugins.go     another version of a plugin, or a plugin removed
//	pushfile.go    a switchboard file put into force for all hosts
//	tokens.go      tokens
//	overrides.go   shifts and absences
//	deletions.go   recordings, alerts and callers, deleted
//	statistics.go  calls counted by week and team
//	usertest.go    how a person is reached, tested
package admin
