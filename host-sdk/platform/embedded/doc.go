// Package embedded is the platform of a team that has none: teams, rotations and escalation from a YAML file, alerts in
// SQL tables of its own.
//
// The file is read by [Load] and checked as a whole: every problem is reported with line and column. [New] makes a
// platform.Platform (and platform.AlertBrowser) of it; [Platform.Run] pages layer after layer, and takes over a changed
// file when it is right.
//
// # Map
//
//	yaml.go        YAML with positions: a tree, its JSON, and where each value stands
//	file.go        the typed File; Load, Parse, Problem
//	schemacheck.go the file against schema/switchboard.schema.json, in plain words
//	check.go       what a schema cannot say: unknown users, zones, layers that do not fit
//	duration.go    5m, 1h30m, 1w; wall-clock times
//	wallclock.go   wall-clock time to instant, over daylight-saving nights
//	schedule.go    who is on call, from when to when, and where nobody is
//	oncall.go      the same for all teams, for people
//	route.go       routers; RuleEngine
//	policy.go      escalation as a pure function: whom to page next
//	tables.go      alert rows in and out of SQL
//	mutate.go      one change of one alert: load, change, write its story, commit, hint
//	life.go        the alert's life: route, acknowledge, reopen, escalate, reject, resolve
//	commands.go    alert commands of the contract
//	browser.go     platform.AlertBrowser
//	runner.go      time-outs, durable over restarts
//	reload.go      the file as it changes
//	watch.go       hints to watchers
//	notify.go      telling a hook who is to be paged, once
//	platform.go    platform.Platform
package embedded
