// Package sqlstore is the store on a SQL database: the same statements and one folder of migrations
// serve SQLite and PostgreSQL; see package sqldb for what differs.
//
//	store.go         New, settings, Ping
//	keys.go          with which secret key values are sealed, and how it is changed
//	integrations.go  configured instances and their revisions; findings
//	sessions.go      reading sessions, and removing what has expired
//	commit.go        Commit: a whole outcome or nothing
//	seen.go          when callers were last heard of
//	media.go         audio by content
//	forget.go        forgetting a caller
//	hosts.go         hosts that share the store
//	paces.go         turns at a foreign account
//	migrations/      the tables
//
// The store embeds three parts from the packages below it: internal/outbox, work that waits;
// internal/records, records of calls; internal/people, who uses a host. What is left reads and
// writes sessions together with their integration, or is small: a session is committed with its
// items, its record and its findings in one transaction, and forgetting a caller goes through all
// of them.
//
// Options documents, token keys and settings are sealed. Session states, items and recordings are
// not: they hold phone numbers and voices, guarded by the file's mode, but no secrets.
package sqlstore
