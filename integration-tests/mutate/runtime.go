package main

import "fmt"

// The environment variables that the instrumented package reads.
const (
	envActive = "MUTATE_ACTIVE" // the number of the mutant that is switched on
	envRecord = "MUTATE_RECORD" // a file that gets the numbers of the mutants that are reached
)

// runtimeName is the file that is added to the instrumented package.
const runtimeName = "zz_mutate.go"

// switchSource is the code that decides, in the running tests, which mutant is on. A number is
// written to the record when it is first reached, so that it is there however the process ends.
func switchSource(pkg string, mutants int) string {
	return fmt.Sprintf(`package %s

import (
	mutantOS "os"
	mutantConv "strconv"
	mutantAtomic "sync/atomic"
)

var (
	mutantActive, _ = mutantConv.Atoi(mutantOS.Getenv(%q))
	mutantRecord    = mutantOS.Getenv(%q)
	mutantReached   [%d]mutantAtomic.Bool
)

func mutantNegate[B ~bool](n int, condition B) B { return condition != B(mutantOn(n)) }

func mutantKeep(n int) bool { return !mutantOn(n) }

func mutantOn(n int) bool {
	if mutantRecord != "" && !mutantReached[n].Swap(true) {
		f, err := mutantOS.OpenFile(mutantRecord, mutantOS.O_APPEND|mutantOS.O_CREATE|mutantOS.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		_, _ = f.WriteString(mutantConv.Itoa(n) + "\n")
		_ = f.Close()
	}
	return n == mutantActive
}
`, pkg, envActive, envRecord, mutants+1)
}
