// Package formats sees to it that no plugin gets what only a newer version of it can read: it
// chooses the formats in which plugins write, by what all hosts that share the store read, and
// refuses to hand on what is too new.
//
// # Map
//
//	formats.go   which formats plugins write
//	readable.go  what is too new for a plugin, and the finding that says so
package formats
