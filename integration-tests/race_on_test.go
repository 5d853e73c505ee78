//go:build race

package integrationtests

// raceFlags build the programs as the tests are built: with the race detector.
var raceFlags = []string{"-race"}
