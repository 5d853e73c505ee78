// Package sessions is what this process has of the sessions of calls beside the store: one handler
// of each at a time, copies of the live ones, and when their callers were last heard of.
//
// # Map
//
//	ref.go       how a session is named
//	locks.go     one handler of a session at a time
//	copies.go    reading a session, which nearly always has not changed
//	presence.go  when callers were last heard of, and who has fallen silent
package sessions
