package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/demo"
)

// quietSpeed is how many times as fast as the wall callers wait in quiet.
const quietSpeed = 10

// quietFile has a person who may take an hour to answer: further pages are written, too, and would be
// measured with the waiting.
const quietFile = `users: [{id: alice, name: Alice Example, email: alice@example.com, phones: ["+12025550143"]}]
teams:
  - id: devops
    name: DevOps
    admins: [alice]
    members: [alice]
    schedule: {timezone: America/New_York, layers: [{users: [alice]}]}
    escalation: {layers: [{timeout: 60m}], repeat: 0}
  - id: support
    name: Customer Support
    admins: [alice]
    members: [alice]
    schedule: {timezone: America/New_York, layers: [{users: [alice]}]}
    escalation: {layers: [{timeout: 60m}], repeat: 0}
`

// quiet keeps callers on hold, of whom nobody is rung, and says what a minute of theirs costs: what the
// host writes, and CPU time. The first four minutes do not count: what the calls began with is still
// being written then.
func quiet(ctx context.Context, bin string, holders int) error {
	text := fmt.Sprintf("%d@%d", quietSpeed, time.Now().UnixMilli())
	clk, err := clock.Parse(text)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "livecall-quiet-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "switchboard.yaml")
	if err := os.WriteFile(file, []byte(quietFile), 0o600); err != nil {
		return err
	}
	stack, err := demo.Start(ctx, demo.Config{
		Switchboard: bin + "/switchboard", File: file, Clock: text, Options: map[string]any{"reach": "acknowledge", "max_wait_time": 3600, "calls_per_number": 0},
	})
	if err != nil {
		return err
	}
	defer stack.Stop()
	callers, err := manyOnHold(stack, 0, holders)
	if err == nil {
		err = settle(stack)
	}
	if err == nil {
		err = wait(ctx, clk, callers, 4*time.Minute)
	}
	if err != nil {
		return err
	}
	pid := stack.Process.Process.Pid
	began, used := clk.Now(), cpu(pid)
	wrote, times, err := written(pid)
	if err == nil {
		err = wait(ctx, clk, callers, 10*time.Minute)
	}
	if err != nil {
		return err
	}
	minutes := clk.Now().Sub(began).Minutes()
	used = cpu(pid) - used
	allWrote, allTimes, err := written(pid)
	kib := float64(allWrote-wrote) / 1024 / minutes
	fmt.Printf("%d callers on hold, each with a request every %v: a minute of theirs costs %.0f KiB on disk (%.1f KiB a caller), %.0f writes and %.0f ms of CPU time (%.2f ms a request)\n\n",
		holders, holdPace, kib, kib/float64(holders), float64(allTimes-times)/minutes, float64(used.Milliseconds())/minutes,
		float64(used.Milliseconds())/minutes/float64(holders)/float64(time.Minute/holdPace))
	return err
}

// wait lets callers ask for documents at their pace for a span of the clock, begun evenly spread.
func wait(ctx context.Context, clk clock.Clock, callers []*caller, span time.Duration) error {
	errs := make([]error, len(callers))
	var wg sync.WaitGroup
	began := clk.Now()
	for i, c := range callers {
		wg.Go(func() {
			at := began.Add(holdPace * time.Duration(i) / time.Duration(len(callers)))
			for ; at.Before(began.Add(span)) && errs[i] == nil; at = at.Add(holdPace) {
				errs[i] = errors.Join(clock.Sleep(ctx, clk, at.Sub(clk.Now())), c.tick())
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// written is how much a process has given to be put on a disk, and how often it has written, to
// connections too (proc(5)).
func written(pid int) (onDisk, times int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
		n, _ := strconv.ParseInt(string(value), 10, 64)
		switch string(name) {
		case "write_bytes":
			onDisk = n
		case "syscw":
			times = n
		}
	}
	return onDisk, times, err
}
