// Package counting counts what the engine does, and what becomes of calls. The names, and the
// values of their labels, are in docs/monitoring.md.
//
// # Map
//
//	counts.go  what the engine does: runs, outbox items, calls of the platform, limits
//	calls.go   what becomes of calls; labels whose values a plugin chooses
package counting
