//go:build !race

package integrationtests

// raceFlags build the programs as the tests are built: without the race detector.
var raceFlags []string
