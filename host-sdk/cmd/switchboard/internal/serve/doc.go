// Package serve joins the parts of the switchboard host into one process.
//
//	run.go           Run: the order of starting and of stopping
//	parts.go         opening the database, the platform and the plugins as the settings say
//	handler.go       Handler: which address is answered by what
//	lastgood.go      the last good copy of the switchboard file, and the finding while it is used
//	sharedfile.go    the switchboard file in force of hosts that share a database
//	hosts.go         which hosts share the database
//	notices.go       what other hosts say
//	notify.go        mails that page people on call
//	health.go        /healthz and /readyz
//	checks.go        what /readyz looks at
//	status.go        the host at a glance, and what to do about its checks
//	metrics.go       /metrics
//	gaps.go          times in which nobody is on call, for /metrics
//	mailwatch.go     whether the mail server answers
//	logging.go       the log, and keeping secrets out of it
//	loglimit.go      how long and how many its lines are
//	connections.go   how many connections are open at a time
//	lock_*.go        one process per data directory
//	copydb.go        CopyDatabase: from SQLite to PostgreSQL
//	ask.go           Ask: an action for a person at a terminal, by the running host or without one
//	platform.go      the platform that the settings name
//	plugins.go       the plugins of the plugin folder
//	pluginchange.go  another version of a plugin, taken into use, or a plugin removed
//	pluginneeded.go  what needs a plugin, before it is removed
//	people.go        who uses the host
//	tokens.go        tokens, for a person at a terminal
//	overrides.go     shifts and absences, for a person at a terminal
//	deletions.go     deletions, for a person at a terminal
//	statistics.go    statistics, for a person at a terminal
//	usertest.go      testing how a person is reached
//	unreached.go     whom a new alert does not reach
//	commonclock.go   the clock of hosts that share a database
//	oldcalls.go      the history of old alerts, copied into the records of their calls
//	stand.go         what doctor looks at of this host
//	doctor.go        Examine: the running host, what it stands on, each integration
//	ready.go         asking a host whether it is ready
//	running.go       asking the running host
//	first.go         MakeFirst: the first integration of a new host
//	backup.go        backups and restoring them
//	rekey.go         Rekey: another secret key
//	profiling.go     profiles of the host and its plugins
//	garbage.go       how often garbage is collected
//	openfiles_*.go   how many files a process may have open
package serve
