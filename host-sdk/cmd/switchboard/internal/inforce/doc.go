// Package inforce knows which switchboard file is in force: the one on the disk, the last good copy
// of it while it has errors, or the one of the hosts that share a database.
//
//	lastgood.go    LastGood, and Keeper: the copy, and the finding while it is used
//	sharedfile.go  Shared: the file in force of hosts that share a database
package inforce
