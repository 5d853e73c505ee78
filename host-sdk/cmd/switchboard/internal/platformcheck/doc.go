// Package platformcheck tries a platform behind HTTP and says in words what is wrong with it:
// switchboard platform test.
//
//	config.go      what to try, and with which teams and people
//	run.go         the steps, in their order
//	request.go     requests of the checks' own
//	shapes.go      answers against the OpenAPI document, each fault once
//	reach.go       address, TLS, connections, token
//	protocol.go    /protocol, unknown addresses, methods and members
//	survey.go      every address that answers a question, read once
//	behaviour.go   the conformance suite in a process of its own, and its output
//	commands.go    alerts of the checks' own
//	beyond.go      what a client on a bad network does
//	clock.go       the server's clock, and how long answers take
//	hinted.go      which hints must come
//	durability.go  a restart
//	differ.go      what two snapshots do not share
//	words.go       the suite's messages in the words of the protocol
//
// Below it, package record keeps what was asked and answered, and judges the shape of answers;
// hints listens for hints; suite is the process of the conformance suite; result is what comes out.
// The suite talks to the platform through a proxy in this process, which records everything.
//
// What is left stays together: each step asks by the same run (its client, its record of requests,
// what the platform has claimed), and a step alone is no subject for anybody else.
package platformcheck
