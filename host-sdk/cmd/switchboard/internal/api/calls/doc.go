// Package calls is the part of the JSON API that is about calls: their records, their alerts, their
// recordings, their deletion, and the stream of what changes.
//
//	operations.go  Config, the routes
//	calls.go       records of calls, notes
//	callviews.go   records as they are shown
//	alerts.go      alerts of platforms whose alerts the host shows itself
//	recordings.go  recordings and prompts, to those who may hear them
//	deletions.go   deleting recordings, calls and alerts; forgetting a caller
//	events.go      server-sent events
//	streams.go     how many of them are open at a time
package calls
