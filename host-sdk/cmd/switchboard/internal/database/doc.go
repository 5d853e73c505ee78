// Package database acts on the database of a host as a whole, for a person at a terminal.
//
//	backup.go  Backup, CheckBackup and Restore; package backup knows the archives
//	copydb.go  Copy: from SQLite to PostgreSQL
//	rekey.go   Rekey: another secret key
package database
