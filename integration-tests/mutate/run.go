package main

import (
	"cmp"
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

	"golang.org/x/sync/errgroup"

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
	killed verdict = "killed"
	// The tests did not end in time: killed, unless the machine was crowded.
	hung      verdict = "hung"
	survived  verdict = "survived"
	unreached verdict = "unreached" // the tests never execute that place
	untried   verdict = ""          // the run was interrupted before
)

// reached runs the tests without a mutant and returns, for the number of each mutant that they
// reach, the tests that reach it alone. It sets the time-out of the later runs to several times
// what all tests took together, if none is given.
func (r *runner) reached(ctx context.Context, record string) (map[int][]string, error) {
	begin := time.Now()
	limit := 20 * time.Minute
	all, err := r.record(ctx, limit, record, r.run)
	if err != nil {
		return nil, fmt.Errorf("the tests fail without a mutant: %w", err)
	}
	if r.timeout == 0 {
		r.timeout = 5*time.Since(begin) + 10*time.Second
	}
	out := map[int][]string{}
	for _, n := range all {
		out[n] = nil
	}
	top, rest, _ := strings.Cut(r.run, "/")
	listed, err := r.command(ctx, "-test.list="+cmp.Or(top, ".")).Output()
	if err != nil {
		return nil, fmt.Errorf("cannot list the tests: %w", err)
	}
	var mu sync.Mutex
	each, ctx := errgroup.WithContext(ctx)
	each.SetLimit(r.parallel)
	for i, name := range strings.Fields(string(listed)) {
		each.Go(func() error {
			some, err := r.record(ctx, limit, fmt.Sprint(record, i), strings.TrimSuffix(only(name)+"/"+rest, "/"))
			if err != nil {
				return fmt.Errorf("%s fails alone without a mutant: %w", name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, n := range some {
				out[n] = append(out[n], name)
			}
			return nil
		})
	}
	return out, each.Wait()
}

// only is the regular expression of some tests.
func only(names ...string) string { return "^(" + strings.Join(names, "|") + ")$" }

// record runs tests without a mutant and returns the numbers of those that they reach.
func (r *runner) record(ctx context.Context, limit time.Duration, file, run string) ([]int, error) {
	if out, err := r.tests(ctx, limit, run, envRecord+"="+file); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // no file: nothing was reached
		return nil, err
	}
	var out []int
	for _, line := range strings.Fields(string(text)) {
		n, err := strconv.Atoi(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, n)
	}
	return out, nil
}

// judge tries each mutant that is reached, several at a time.
func (r *runner) judge(ctx context.Context, mutants []mutant, reached map[int][]string) []verdict {
	out := make([]verdict, len(mutants))
	slots := make(chan struct{}, r.parallel)
	var wait sync.WaitGroup
	for i, m := range mutants {
		tests, ok := reached[m.Number]
		if !ok {
			out[i] = unreached
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			out[i] = r.try(ctx, m, tests)
		})
	}
	wait.Wait()
	return out
}

// try runs the tests that reach a mutant, and all tests if these do not notice it: which of them
// reach it may differ from run to run.
func (r *runner) try(ctx context.Context, m mutant, tests []string) verdict {
	runs := []string{r.run}
	if len(tests) > 0 && !strings.Contains(r.run, "/") {
		runs = []string{only(tests...), r.run}
	}
	for _, run := range runs {
		_, err := r.tests(ctx, r.timeout, run, envActive+"="+strconv.Itoa(m.Number))
		switch {
		case ctx.Err() != nil:
			return untried // whatever the tests say now, it is not about the mutant
		case errors.Is(err, context.DeadlineExceeded):
			return hung
		case err != nil:
			return killed
		}
	}
	return survived
}

// tests runs the binary once. A time-out ends it together with the processes that it started.
func (r *runner) tests(ctx context.Context, limit time.Duration, run, env string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	temp, err := os.MkdirTemp(filepath.Dir(r.binary), "run-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	cmd := r.command(ctx, "-test.failfast", "-test.run="+run, "-test.skip="+r.skip)
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

// command is the binary with arguments. Memory is limited, because a mutant may allocate in an
// endless loop.
func (r *runner) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", `ulimit -v 8000000 2>/dev/null; exec "$@"`, "sh", r.binary}, args...)...)
	cmd.Dir = r.dir
	return cmd
}
