// Package live is the pages that the script keeps current: alerts, calls, and who is on call.
//
//	live.go       Live: what these pages read
//	alertlist.go  the list of alerts
//	search.go     the form above a list
//	alerts.go     one alert
//	act.go        acknowledging, declining, escalating and resolving an alert
//	calls.go      the list of calls
//	call.go       one call
//	oncall.go     who is on call, the next handoff, gaps
//	badges.go     states of alerts, calls and legs in plain words
//	calendar.go   who is on call, day by day
//	callact.go    what people do with a call: notes, recordings that they have heard
//	shifts.go     the shifts of a team
package live
