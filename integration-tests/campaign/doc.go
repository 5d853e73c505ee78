// Package campaign plays hundreds of random calls at once through the real programs and the
// simulated Twilio, disturbs everything around them, and then checks what the architecture promises
// about every call (docs/architecture.md, Invariants).
//
// One number, the seed, decides who calls when and does what, how telephones are answered, what the
// people at their desks do with alerts, and which faults come in which order. A run is not repeated
// to the millisecond, since programs and network run freely, but its decisions are: each caller,
// telephone and fault draws from a generator of its own.
//
// Calls come in waves. After each wave the faults are healed, the run waits until nothing is left
// to do, and the recorded facts are checked.
//
//	run.go      Config, Run: the stack, the waves, the result
//	plan.go     what the seed decides: hotlines, callers, faults
//	people.go   callers and responders at their telephones
//	desk.go     people who acknowledge, decline, escalate and resolve alerts
//	trouble.go  faults: begin, end, and when each was in force
//	several.go  two hosts on one PostgreSQL: cut connections, restarts
//	mailbox.go  a mail server that may be down, hang or refuse
//	outside.go  another product's platform over HTTP, whose hints are lost, doubled and late
//	exchange.go carries Twilio's requests: how long answers take
//	observe.go  follows the simulator's events and sorts them by call
//	record.go   the facts of a wave that checks read
//	checks.go   the checks: pure functions over a record
//	messages.go the checks of messages that people are rung to hear
//	left.go     what may be left behind: processes, descriptors, queues, outbox items
//	report.go   the table, and the story of a call that a check complains about
package campaign
