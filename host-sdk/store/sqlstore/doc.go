// Package sqlstore is the store on a SQL database: the same statements and one folder of migrations
// serve SQLite and PostgreSQL; see package sqldb for what differs.
//
//	store.go         New, settings, Ping
//	keys.go          with which secret key values are sealed, and how it is changed
//	integrations.go  configured instances and their revisions; findings
//	sessions.go      reading sessions, and removing what has expired
//	commit.go        Commit: a whole outcome or nothing
//	seen.go          when callers were last heard of
//	calls.go         records of calls: reading, notes, heard, removing
//	callwrite.go     what a commit adds to the record of its call
//	outbox.go        claiming and ending items; lanes
//	media.go         audio by content
//	logins.go        logins of browsers, and what works once
//	tokens.go        tokens of programs
//	audit.go         who did what
//	encode.go        times, JSON
//	migrations/      the tables
//	callparts.go     what lists of calls leave out
//	callsearch.go    searching calls
//	counts.go        statistics
//	deletion.go      deleting calls and recordings
//	forget.go        forgetting a caller
//	hosts.go         hosts that share the store
//	paces.go         turns at a foreign account
//
// Options documents, token keys and settings are sealed. Session states, items and recordings are
// not: they hold phone numbers and voices, guarded by the file's mode, but no secrets.
package sqlstore
