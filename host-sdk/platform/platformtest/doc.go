// Package platformtest is the conformance suite for platforms: what the engine relies on, as tests.
// Whoever implements platform.Platform runs [Test] on it. What a platform cannot do by its own
// [integration.Capabilities] is skipped with a line in the test's log; everything else must hold.
// The suite then runs again with each capability taken away by [Without], so that nothing depends
// on a capability that happens to be there.
//
//	suite.go     Config, Fixture, Test
//	session.go   commands of one session, numbered as a handler numbers them
//	people.go    teams, people, on call, routers, audiences
//	declared.go  what is declared must be there
//	commands.go  each command: what it does, when it does nothing
//	replay.go    run twice is run once; crashes and redelivery
//	old.go       one old command that comes again alone
//	log.go       each line of a log once
//	together.go  platform.BatchApplier, where it is implemented
//	watch.go     hints
//	limits.go    deadlines and concurrency
//	browser.go   platform.AlertBrowser, where it is implemented
//	without.go   Without: a platform that can do less
//	eraser.go    platform.Eraser, where it is implemented
//	turns.go     turns of several hosts, for adapters that take them
package platformtest
