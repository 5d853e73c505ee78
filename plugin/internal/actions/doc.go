// Package actions implements the buttons beside an integration's form. An action runs while a
// person waits, may ask Twilio, and answers in lines for that person.
//
// Unlike handlers, actions do I/O and are never repeated by the host: [Run] is called from the
// contract's RunAction. What an action learns for later (numbers and what answered them before,
// findings) is part of its result, and the host stores it.
//
// # Map
//
//	action.go  the buttons and how they are run
//	check.go   the check: credentials, account, numbers, signatures, people
//	number.go  connecting a number, and giving it back
//	ring.go    a test ring of a person's phone
//	who.go     who would answer, without a call
package actions
