// Package data has the commands that move, keep and seal all that a host stores.
//
//	backup.go  backup, restore
//	db.go      db copy
//	rekey.go   rekey
package data
