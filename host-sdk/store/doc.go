// Package store keeps what a host must not lose: integrations, sessions, the outbox, media. [Store]
// is the interface the engine works on; sqlstore implements it on SQLite (and is written so that
// PostgreSQL is one more dialect), storetest is the conformance suite for any implementation.
//
//	store.go        Store, and what its transactions promise
//	integration.go  configured integrations, revision by revision
//	session.go      sessions and commits
//	outbox.go       items: commands, tasks, timers, mails, deferred webhooks
//	media.go        recordings and prompt files
//	people.go       who uses the host: logins, tokens, audit
//	seal/           secrets at rest
//	sqldb/          opening and migrating a database; shared with platform/embedded
//	sqlstore/       the implementation
//	storetest/      the conformance suite
//	call.go         the host's own records of calls
//	erasure.go      deletions, and what is still to be deleted elsewhere
//	host.go         hosts that share a store
//	pace.go         turns at a foreign account
package store
