// Package backup writes and reads the archives of switchboard backup: a compressed tar file with
// the database as it was at one moment, the switchboard file, and a list of both with sizes and
// hashes. The list is sealed with the secret key, which is not in the archive: who does not have
// the key can change nothing unnoticed.
//
//	archive.go  the list, and how it is sealed
//	write.go    Write
//	read.go     Read: checks an archive, and unpacks it
package backup
