// Package stored is what all statements of the store have in common: how values are stored in
// columns, and how rows are read and changed.
//
//	values.go      times, JSON
//	statements.go  reading rows, single statements, locks
package stored
