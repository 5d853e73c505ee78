// Package serve joins the parts of the switchboard host into one process.
//
//	run.go           Run: the order of starting and of stopping
//	parts.go         opening the database, the platform and the plugins as the settings say
//	handler.go       Handler: which address is answered by what
//	hosts.go         which hosts share the database
//	notices.go       what other hosts say
//	notify.go        mails that page people on call
//	checks.go        what /readyz looks at
//	status.go        the host at a glance, and what to do about its checks
//	metrics.go       /metrics
//	gaps.go          times in which nobody is on call, for /metrics
//	mailwatch.go     whether the mail server answers
//	connections.go   how many connections are open at a time
//	platform.go      the platform that the settings name
//	people.go        who uses the host
//	unreached.go     whom a new alert does not reach
//	commonclock.go   the clock of hosts that share a database
//	oldcalls.go      the history of old alerts, copied into the records of their calls
//	stand.go         what the host stands on, as switchboard doctor asks it
//	offline.go       the same parts without a running host, for package admin
//	profiling.go     profiles of the host and its plugins
//	garbage.go       how often garbage is collected
//	openfiles_*.go   how many files a process may have open
package serve
