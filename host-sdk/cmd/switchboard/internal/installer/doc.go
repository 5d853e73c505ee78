// Package installer puts plugins into the plugin folder of switchboard and takes them out of it. It
// starts nothing and knows no database: whether a plugin may be exchanged or removed now is decided
// by package serve.
//
// A plugin folder looks like this:
//
//	plugins/livecall                          link to the version in use, or a folder that somebody put there
//	plugins/.versions/livecall/0.2.0-1f0c…    a version, named with the beginning of its executable's hash
//	plugins/.trusted/8E7BA1…pub               a public key whose signatures are accepted
//	plugins/.package                          a package of the system owns the folder: nothing is changed here
//
// # Map
//
//	trust.go    trusted keys, and who has signed something
//	archive.go  reading an archive without believing it
//	unpack.go   writing what it holds, within limits
//	stage.go    from an archive or a folder to a checked version beside the others
//	folder.go   which version is in use: switching, removing, listing
//	exchange_*.go  two paths change places at once, where the system can
//	lock_*.go   one change of the folder at a time
package installer
