// Package apikit is what the operations of the JSON API have in common.
//
//	route.go   an operation: its address, who may use it, how it is audited
//	common.go  what the operations work on
//	answer.go  errors, problems, request bodies, how times and lists are shown
package apikit
