// Package hints is the address to which a platform sends its hints while it is tried.
//
//	tap.go    listening, waiting for a hint, spoiling one
//	heard.go  a hint that came: what is wrong with it, and which alerts it is about
package hints
