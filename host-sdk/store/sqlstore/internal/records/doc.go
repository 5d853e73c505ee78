// Package records stores records of calls. Functions that are given a transaction are for a commit,
// which adds to the record of its call, and for forgetting a caller.
//
//	records.go     what the store embeds
//	calls.go       reading, notes, heard
//	callparts.go   what lists of calls leave out
//	callsearch.go  searching calls
//	callwrite.go   what a commit adds to the record of its call
//	counts.go      statistics
//	deletion.go    deleting calls and recordings, here and elsewhere
package records
