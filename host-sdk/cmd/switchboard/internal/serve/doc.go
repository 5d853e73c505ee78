// Package serve joins the parts of the switchboard host into one process.
//
//	run.go       Run: the order of starting and of stopping
//	parts.go     opening the database, the platform and the plugins as the settings say
//	handler.go   Handler: which address is answered by what
//	platform.go  the platform that the settings name
//	people.go    who uses the host
//	stand.go     what the host stands on, as switchboard doctor asks it
//	offline.go   the same parts without a running host, for package admin
//
// The packages below it are parts of a host that it alone joins: hosts, what those that share a
// database know of one another; tell, mails and notices to people; vitals, how the host is;
// process, what the process may use; oldcalls, the records of calls of earlier releases.
package serve
