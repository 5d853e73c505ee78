// Package integrationtests tests the real binaries together: switchboard, the plugin and the Twilio
// simulator.
//
//	main_test.go              builds the binaries once
//	harness_test.go           start: a hotline for one test, on a fast clock
//	pace_test.go              how fast that clock runs
//	architecture_test.go      the dependency rule
//	conformance_test.go       the launched plugin: the contract's suite, describe, manifest
//	calls_test.go             scripted calls: the main job
//	feature_*_test.go         scripted calls: every option and every way out
//	nights_test.go            plays the stories of testdata/nights; night_test.go reads them
//	badinput_test.go          what is refused, and changes nothing
//	crash_test.go             killed and frozen processes
//	upgrade_test.go           the previous release's programs beside these
//	story_test.go, story_page_test.go  the whole story in a real browser
//	generate.go               go generate writes docs/behaviours.md
//	behavioursdoc/            its generator
//	bench/                    the benchmark of make bench
//	browser/                  a browser for tests
//	component/                skips or fails tests whose component is missing
//	demo/                     the whole stack on one machine, for make run and for tests
//	mutate/                   mutation testing, for make mutate
//	renderers/                the options form drawn by form libraries
//	twiliosim/                the Twilio simulator
//
// PT-35 in the name of a test or of a case is the number of a behaviour: docs/behaviours.md lists
// what callers, responders and administrators can observe, each with the tests that prove it.
package integrationtests
