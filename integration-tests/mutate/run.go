package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/livecallrouting/livecall/internal/tied"
)

// A runner runs the test binary.
type runner struct {
	binary, dir string // dir is where the tests expect to run: the package's folder, in a copy
	run, skip   string // regular expressions of tests; "" runs all and skips none
	parallel    int
	timeout     time.Duration
}

// A verdict is what the tests say about a mutant.
type verdict string

const (
	killed    verdict = "killed"
	hung      verdict = "hung" // the tests did not end in time: killed, unless the machine was crowded
	survived  verdict = "survived"
	unreached verdict = "unreached" // the tests never execute that place
	untried   verdict = ""          // the run was interrupted before
)

// reached runs the tests without a mutant and returns the numbers of those they reach. It sets the
// time-out of the later runs to several times what this one took, if none is given.
func (r *runner) reached(ctx context.Context, record string) (map[int]bool, error) {
	begin := time.Now()
	limit := 20 * time.Minute
	if out, err := r.tests(ctx, limit, envRecord+"="+record); err != nil {
		return nil, fmt.Errorf("the tests fail without a mutant: %w\n%s", err, out)
	}
	if r.timeout == 0 {
		r.timeout = 5*time.Since(begin) + 10*time.Second
	}
	text, err := os.ReadFile(record)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // no file: nothing was reached
		return nil, err
	}
	out := map[int]bool{}
	for _, line := range strings.Fields(string(text)) {
		n, err := strconv.Atoi(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", record, err)
		}
		out[n] = true
	}
	return out, nil
}

// judge runs the tests once for each mutant that is reached, several at a time.
func (r *runner) judge(ctx context.Context, mutants []mutant, reached map[int]bool) []verdict {
	out := make([]verdict, len(mutants))
	slots := make(chan struct{}, r.parallel)
	var wait sync.WaitGroup
	for i, m := range mutants {
		if !reached[m.Number] {
			out[i] = unreached
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			_, err := r.tests(ctx, r.timeout, envActive+"="+strconv.Itoa(m.Number))
			switch {
			case ctx.Err() != nil:
				out[i] = untried // whatever the tests say now, it is not about the mutant
			case errors.Is(err, context.DeadlineExceeded):
				out[i] = hung
			case err != nil:
				out[i] = killed
			default:
				out[i] = survived
			}
		})
	}
	wait.Wait()
	return out
}

// tests runs the binary once. A time-out ends it together with the processes that it started.
// Memory is limited, because a mutant may allocate in an endless loop.
func (r *runner) tests(ctx context.Context, limit time.Duration, env string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	temp, err := os.MkdirTemp(filepath.Dir(r.binary), "run-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `ulimit -v 8000000 2>/dev/null; exec "$@"`, "sh",
		r.binary, "-test.failfast", "-test.run="+r.run, "-test.skip="+r.skip)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), env, "TMPDIR="+temp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	out, err := tied.CombinedOutput(cmd)
	if ctx.Err() != nil {
		err = ctx.Err() // instead of "signal: killed"
	}
	return out, err
}
