// Package testmain is for tests alone: it gives a test binary a temporary directory of its own, in
// which everything is that its tests and the programs they start make for a while. So one removal
// suffices at the end, and a run that is killed leaves one directory, which the next run removes.
package testmain

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/internal/tempdir"
)

// prefix is short, as the paths of Unix sockets below have room for about 100 bytes.
const prefix = "lct-"

// settle is how long programs that were killed may take to end and to write no more.
const settle = 30 * time.Second

// run is the directory of this process, and what is to be done before it is removed.
var run struct {
	sync.Mutex
	dir   *tempdir.Dir
	atEnd []func()
}

// Run runs the tests of m, a *testing.M, in a temporary directory of their own, and returns the
// exit code. It is for TestMain.
func Run(m interface{ Run() int }) int {
	if err := Begin(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := End(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

// Begin is the part of [Run] before the tests, for a TestMain that makes more around them: it
// removes the directories of killed runs, makes one for this run, and lets TMPDIR name it. [End]
// removes it.
func Begin() error {
	base := os.TempDir()
	tempdir.Sweep(base, prefix)
	d, err := tempdir.New(base, prefix)
	if err != nil {
		return err
	}
	run.Lock()
	defer run.Unlock()
	run.dir = d
	return os.Setenv("TMPDIR", d.Path)
}

// AtEnd has f called before the directory is removed: to end what all tests share. It panics where
// TestMain has not called [Run] or [Begin], because then f would never be called.
func AtEnd(f func()) {
	run.Lock()
	defer run.Unlock()
	if run.dir == nil {
		panic("what the tests share would stay: TestMain must call testmain.Run")
	}
	run.atEnd = append(run.atEnd, f)
}

// End is the part of [Run] after the tests.
func End() error {
	run.Lock()
	defer run.Unlock()
	for _, f := range run.atEnd {
		f()
	}
	var err error
	for deadline := time.Now().Add(settle); ; time.Sleep(20 * time.Millisecond) {
		if err = os.RemoveAll(run.dir.Path); err == nil || time.Now().After(deadline) {
			break
		}
	}
	if err = errors.Join(err, run.dir.Remove()); err != nil {
		return fmt.Errorf("what the tests have left cannot be removed: %w", err)
	}
	return nil
}

// Together lets so many parallel tests run at a time for each processor, for tests that mostly
// wait, unless -parallel says otherwise.
func Together(perProcessor int) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		// A number is always taken.
		_ = flag.Set("test.parallel", strconv.Itoa(perProcessor*runtime.GOMAXPROCS(0)))
	}
}

// Func is what Run runs, for a TestMain that prepares something for all tests and then calls m.Run.
type Func func() int

// Run calls f.
func (f Func) Run() int { return f() }
