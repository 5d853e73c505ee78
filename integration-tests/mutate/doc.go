// Command mutate reports which decisions of a package its tests do not check.
//
//	mutate [-sample N] [-run REGEXP] [-skip REGEXP] [-files PATTERNS] [-parallel N] [-tests PACKAGE]
//	       [-exclude FILE] PACKAGE
//
// A mutant is the package with one small defect: a condition that is negated, or a statement that
// is left out. A mutant is killed if the tests fail or hang with it; a survivor is a decision that
// no test checks. Each mutant is tried with the tests that reach it when they run alone, and one
// that these do not notice with all tests. The report names those whose tests did not end in time,
// because a crowded machine may be the reason. All mutants are compiled into one test binary, each
// behind a switch that an environment variable turns on, so the package is built once however many
// mutants it has. The checkout stays untouched: the changed files exist only in an overlay of the
// build, and the tests run in a copy.
//
// Map:
//
//	main.go         flags; build, run, report; the copy in which the tests run
//	instrument.go   finds the places to mutate and rewrites a file
//	runtime.go      the switch that is compiled into the package
//	run.go          runs the test binary once for each mutant
//	exclude.go      the list of mutants that change nothing
//	equivalent.txt  that list, with a reason for each
package main
