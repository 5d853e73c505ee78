// Package statistics counts calls by week and team. It works on the host's own records of calls,
// hence in front of any platform.
//
//	statistics.go  Read: what a report is made of
//	teams.go       names of teams, as calls have them
//	query.go       Query: weeks, time zone and team, as people write them
//	csv.go         WriteCSV: a report as a table for other programs
package statistics
