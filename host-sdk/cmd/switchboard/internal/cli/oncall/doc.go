// Package oncall has the commands about who is on call, and whether they can be reached.
//
//	oncall.go          oncall
//	override.go        override add, list and remove
//	whowouldanswer.go  whowouldanswer
//	usertest.go        user test
package oncall
