// Package serve joins the parts of the switchboard host into one process.
//
//	run.go        Run: the order of starting and of stopping
//	parts.go      opening the database, the platform and the plugins as the settings say
//	handler.go    Handler: which address is answered by what
//	lastgood.go   the last good copy of the switchboard file, and the finding while it is used
//	sharedfile.go the switchboard file in force of hosts that share a database
//	hosts.go      which hosts share the database
//	notices.go    what other hosts say
//	notify.go     mails that page people on call
//	health.go     /healthz and /readyz
//	checks.go     what /readyz looks at
//	status.go     the host at a glance, and what to do about its checks
//	metrics.go    /metrics
//	gaps.go       times in which nobody is on call, for /metrics
//	mailwatch.go  whether the mail server answers
//	logging.go    the log, and keeping secrets out of it
//	loglimit.go   how long and how many its lines are
//	connections.go  how many connections are open at a time
//	lock_*.go     one process per data directory
//	copydb.go     CopyDatabase: from SQLite to PostgreSQL
//	ask.go        Ask: an action for a person at a terminal, by the running host or without one
package serve
