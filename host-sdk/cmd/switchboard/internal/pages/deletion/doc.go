// Package deletion is the pages that delete for good: the recordings and the records of calls,
// alerts, and all that is known of a caller.
//
//	deletion.go  what these pages need; recordings, records of calls
//	alert.go     alerts
//	forget.go    all that is known of a caller
package deletion
