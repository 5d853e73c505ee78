// Package deletion deletes what a host keeps of calls: what is old, what a person deletes, and what
// is known of a caller who is to be forgotten; here, on the alerts of the platform, and at the
// foreign service. What nobody has heard, and calls that somebody still has to do with, are kept.
//
// # Map
//
//	deletion.go   Deletions, and what they work on
//	retention.go  deleting what is old
//	longopen.go   findings about alerts that have been open for long
//	forget.go     forgetting a caller
//	erase.go      deletions at the foreign service
package deletion
