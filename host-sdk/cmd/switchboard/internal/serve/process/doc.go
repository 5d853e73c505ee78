// Package process bounds what the process of a host uses of its machine, and shows what it uses.
//
//	connections.go  how many connections are open at a time
//	openfiles_*.go  how many files a process may have open
//	profiling.go    profiles of the host and its plugins
package process
