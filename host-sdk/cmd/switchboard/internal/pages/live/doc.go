// Package live is the pages that the script keeps current: alerts, calls, and who is on call.
//
//	live.go    Live: what these pages read
//	alertlist.go the list of alerts
//	search.go  the form above a list
//	alerts.go  one alert
//	act.go     acknowledging, declining, escalating and resolving an alert
//	calls.go   the list of calls, one call
//	oncall.go  who is on call, the next handoff, gaps
//	badges.go  states of alerts, calls and legs in plain words
package live
