// Package embedded is the platform of a team that has none: teams, rotations and escalation from a
// YAML file, alerts in SQL tables of its own. [New] makes a platform.Platform (and
// platform.AlertBrowser); [Platform.Run] pages layer after layer, and takes over a changed file
// when it is right.
//
// # Map
//
//	platform.go      platform.Platform
//	switchboardfile/ the switchboard file, its checks, and taking a changed one over
//	schedule/        who is on call, from when to when, and where nobody is
//	alerts/          alert rows, their life cycle, time-outs, hints and pages
package embedded
