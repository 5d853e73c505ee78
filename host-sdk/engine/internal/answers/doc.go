// Package answers answers what handlers ask: who is on call, who somebody is and whether they are
// occupied, where a router leads, who called before.
//
// # Map
//
//	questions.go  the questions of one round, each within its time
//	occupied.go   which calls occupy somebody, or wait for them
//	callers.go    who has called lately, where the store need not be asked
package answers
