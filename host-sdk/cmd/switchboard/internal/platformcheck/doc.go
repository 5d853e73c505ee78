// Package platformcheck tries a platform behind HTTP and says in words what is wrong with it:
// switchboard platform test.
//
//	config.go      what to try, and with which teams and people
//	run.go         the steps, in their order
//	report.go      the result, as text and as JSON
//	record.go      every request and its answer, with times
//	request.go     requests of the checks' own
//	shapes.go      answers against the OpenAPI document
//	reach.go       address, TLS, connections, token
//	protocol.go    /protocol, unknown addresses, methods and members
//	survey.go      every address that answers a question, read once
//	behaviour.go   the conformance suite in a process of its own, and its output
//	suite.go       that process
//	asked.go       which requests belong to which of its tests
//	commands.go    alerts of the checks' own
//	beyond.go      what a client on a bad network does
//	clock.go       the server's clock, and how long answers take
//	hints.go       the address that hints are sent to
//	hinted.go      what must come there
//	durability.go  a restart
//	differ.go      what two snapshots do not share
//	words.go       the suite's messages in the words of the protocol
//	about.go       what each test of the suite is about, for people
//
// The suite is platformtest, whose tests run in package testing: that ends its process, hence one
// of its own. It talks to the platform through a proxy in this process, which records everything.
package platformcheck
