// Package manifest reads, checks and seals the manifest.json of a plugin: what a host must know
// before it starts one. A plugin is a folder, named like the plugin's id, with its manifest and an
// executable for each platform.
//
// # Map
//
//	manifest.go   the document: parsing, checking against its schema, platforms
//	installed.go  a plugin's folder: which file to run, and whether it is the one that the manifest names
//	seal.go       writing the copy with hashes beside a freshly built executable
//	sealmanifest/ the command that a build runs
//	modes_*.go    who may write a plugin's files
package manifest
