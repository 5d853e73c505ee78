// Package actions has the buttons beside an integration's form. They speak with Twilio while a
// person waits; what they have to say are lines for that person.
//
// # Map
//
//	action.go  the buttons and how they are run
//	check.go   the check: credentials, account, numbers, signatures, people
//	number.go  connecting a number, and giving it back
//	who.go     who would answer, without a call
package actions
