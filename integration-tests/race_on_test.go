//go:build race

package integrationtests

// raceFlag builds the programs as the tests are built: with the race detector.
const raceFlag = "-race"
