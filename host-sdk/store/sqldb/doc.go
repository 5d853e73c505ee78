// Package sqldb opens and migrates a database and writes to it in groups. The store and the
// embedded platform share one.
//
//	open.go       Open, Close: addresses, file modes, settings of a connection
//	write.go      Write: many callers, one transaction, one sync of the disk
//	read.go       Read, Pages, View
//	statements.go kept statements
//	room.go       CheckRoom: whether the disk is full
//	migrate.go    Migrate: a component's tables
//	copy.go       Copy: all tables of SQLite into PostgreSQL
//	dialect.go    what differs between databases
//	errors.go     Error: database errors as contract errors
//	direct.go     the server itself, behind a pooler: who needs it
//	sqlite.go     SQLite: connections and settings
//	pagecache.go  the memory for what they keep of the file
//	postgres.go   PostgreSQL: connections and limits
//	copyrows.go   the rows of a table from SQLite to PostgreSQL
//	rewrite.go    replacing a telephone number in all rows
//	scrub.go      letting go of deleted content
//	snapshot.go   a copy of SQLite while it is in use
//	release.go    to which release tables belong
//	sharing/      what hosts that share a server know of one another
//	pairtest/     for tests: two hosts that write at the same time
//	plantest/     for tests: no statement looks through a whole table
//
// Both databases stay in one package: reading, writing, migrating and the errors of both are one
// promise, which [DB] keeps. A package for each would need its inside (readers, texts, the ends of
// transactions) exported to it, and the other way round.
//
// SQL is written so that it means the same on SQLite and PostgreSQL: placeholders $1…$n, times as
// bigint milliseconds since 1970 in UTC (never the database's own clock), booleans as 0 and 1, JSON
// as text, "on conflict … do update … returning". What cannot be written so goes through [Dialect].
package sqldb
