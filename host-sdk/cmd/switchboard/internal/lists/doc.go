// Package lists reads lists of alerts and calls for pages and API: what may be asked for, alerts
// beside what the host knows of their calls, and calls as CSV.
//
//	query.go   what may be asked for
//	known.go   whether what an empty list was narrowed to exists
//	alerts.go  alerts beside what the host knows of their calls
//	calls.go   calls, and calls as CSV
package lists
