//go:build !race

package integrationtests

// raceFlag builds the programs as the tests are built: without the race detector.
const raceFlag = "-race=false"
