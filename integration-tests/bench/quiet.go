package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/demo"
)

// quietSpeed is how many times as fast as the wall callers wait in quiet, at most.
const quietSpeed = 10

// quietFile has a person who may take an hour to answer: further pages are written, too, and would
// be measured with the waiting.
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

// quietCallers, divided by the callers, is how fast the clock goes: with more of them the clock is
// slower, as 10,000 ask 667 times a second already. -speed says how fast it goes instead: on a
// machine that is busy with other things, callers who wait in slow motion cost as much a request.
const quietCallers = 2000

// quiet keeps callers on hold, of whom nobody is rung, and says what a minute of theirs costs: what
// the host and the database's server write, CPU time, how long answers take beside a bare echo in
// the same run. The first minutes do not count: what the calls began with is still being written
// then. span is how long is measured, on the callers' clock; 0: some minutes. Profiles of both
// processes go to the folder profiles, made before it is measured; "": none.
func quiet(ctx context.Context, bin string, how setup, holders int, speed float64, span time.Duration, profiles string) error {
	if speed == 0 {
		speed = float64(max(1, min(quietSpeed, quietCallers/holders)))
	}
	text := fmt.Sprintf("%g@%d", speed, time.Now().UnixMilli())
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
	echo, err := startEcho()
	if err != nil {
		return err
	}
	defer echo.stop()
	how.change = func(cfg *demo.Config) {
		cfg.File, cfg.Clock = file, text
		if profiles != "" {
			cfg.Env = append(cfg.Env, "SWITCHBOARD_PROFILING=on")
		}
	}
	w, err := begin(ctx, bin, how, nil)
	if err != nil {
		return err
	}
	defer w.stop()
	began := time.Now()
	callers, err := manyOnHold(w.Stack, 0, holders)
	fmt.Printf("%s: %d callers are on hold after %.0f s\n", how.name, holders, time.Since(began).Seconds())
	if err == nil {
		err = settle(w.Stack)
	}
	q := &queue{clk: clk, callers: callers, echo: echo, failed: map[string]int{}}
	if err == nil {
		err = q.wait(ctx, max(30*time.Second, min(2*time.Minute, time.Duration(speed*float64(2*time.Minute)))))
	}
	if err == nil && profiles != "" {
		var waiting sync.WaitGroup
		waiting.Go(func() { _ = q.wait(ctx, time.Duration(speed*float64(25*time.Second))) })
		err = keepProfiles(w.Stack, profiles, "hold")
		waiting.Wait()
	}
	if err != nil {
		return err
	}
	q.ticks, q.echoes, q.failed = nil, nil, map[string]int{}
	from, used := clk.Now(), cpu(w.pids()...)
	wrote, times := written(w.pids()...)
	logged, err := w.logged(ctx)
	if err != nil {
		return err
	}
	if span == 0 {
		span = max(time.Minute, time.Duration((speed+2)*min(speed, 1)*float64(time.Minute)))
	}
	if err := q.wait(ctx, span); err != nil {
		return err
	}
	minutes := clk.Now().Sub(from).Minutes()
	used = cpu(w.pids()...) - used
	allWrote, allTimes := written(w.pids()...)
	allLogged, err := w.logged(ctx)
	if err != nil {
		return err
	}
	kib := float64(allWrote-wrote) / 1024 / minutes
	fmt.Printf("%d callers on hold, each with a request every %v, for %.1f minutes: a minute of theirs costs %.0f KiB on disk (%.1f KiB a caller), %.0f writes and %.0f ms of CPU time (%.2f ms a request)\n",
		holders, holdPace, minutes, kib, kib/float64(holders), float64(allTimes-times)/minutes, float64(used.Milliseconds())/minutes,
		float64(used.Milliseconds())/minutes/float64(holders)/float64(time.Minute/holdPace))
	host, plugin := residents(w.Process.Process.Pid)
	fmt.Printf("host %d MiB, plugin %d MiB; %.2f cores in all; %.1f MiB written a minute\n", host>>20, plugin>>20, used.Minutes()/minutes, kib/1024)
	if allLogged > 0 {
		fmt.Printf("the server's write-ahead log grew by %.2f KiB a caller and minute\n", float64(allLogged-logged)/1024/minutes/float64(holders))
	}
	q.report()
	if speed < 1 {
		return q.hurry(ctx)
	}
	return nil
}

// hurry lets the callers ask as often as real ones do, for a minute, and reports what comes of it.
func (q *queue) hurry(ctx context.Context) error {
	fmt.Printf("the same callers at the pace of real ones, %.0f requests a second:\n", float64(len(q.callers))/holdPace.Seconds())
	q.clk, q.ticks, q.echoes, q.failed = clock.System(), nil, nil, map[string]int{}
	if err := q.wait(ctx, time.Minute); err != nil {
		return err
	}
	q.report()
	return nil
}

// queue are callers on hold who ask for documents at their pace.
type queue struct {
	clk     clock.Clock
	callers []*caller
	echo    *echoServer

	mu            sync.Mutex
	ticks, echoes []time.Duration
	failed        map[string]int // how many of each kind
}

// wait lets them ask for a span of the clock, begun evenly spread. Before every twentieth request
// the echo is asked, so that what else the machine does falls on both.
func (q *queue) wait(ctx context.Context, span time.Duration) error {
	var wg sync.WaitGroup
	began := q.clk.Now()
	for i, c := range q.callers {
		wg.Go(func() {
			at := began.Add(holdPace * time.Duration(i) / time.Duration(len(q.callers)))
			for n := i; at.Before(began.Add(span)); n, at = n+1, at.Add(holdPace) {
				if clock.Sleep(ctx, q.clk, at.Sub(q.clk.Now())) != nil {
					return
				}
				q.ask(c, n%20 == 0)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

func (q *queue) ask(c *caller, echo bool) {
	var bare time.Duration
	if echo {
		began := time.Now()
		if post(q.echo.url, echoBody, "") == nil {
			bare = time.Since(began)
		}
	}
	began := time.Now()
	err := c.tick()
	took := time.Since(began)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ticks = append(q.ticks, took)
	if err != nil {
		q.failed[kindOf(err)]++
	}
	if bare > 0 {
		q.echoes = append(q.echoes, bare)
	}
}

// kindOf is what a failure has in common with others: without addresses, ids and times.
func kindOf(err error) string {
	text := ownWords.ReplaceAllString(err.Error(), "…")
	return text[:min(len(text), 200)]
}

var ownWords = regexp.MustCompile(`"http[^"]*"|127\.0\.0\.1:\d+|\b[A-Z]{2}[0-9a-f]{32}\b`)

// heardGap is how long an answer may take until the caller hears that the music has stopped.
const heardGap = time.Second

func (q *queue) report() {
	slices.Sort(q.ticks)
	slices.Sort(q.echoes)
	late, _ := slices.BinarySearch(q.ticks, heardGap)
	at := func(all []time.Duration, percent int) time.Duration { return all[len(all)*percent/100] }
	failed := 0
	for _, n := range q.failed {
		failed += n
	}
	fmt.Printf("of %d requests %d failed and %d took longer than %v; p50 %.1f ms, ×%.1f of the echo's, p99 %.1f ms, ×%.1f, longest %.0f ms\n\n", len(q.ticks), failed, len(q.ticks)-late, heardGap,
		ms(at(q.ticks, 50)), ratio(at(q.ticks, 50), at(q.echoes, 50)), ms(at(q.ticks, 99)), ratio(at(q.ticks, 99), at(q.echoes, 99)), ms(q.ticks[len(q.ticks)-1]))
	for kind, n := range q.failed {
		fmt.Printf("%d failed with: %s\n\n", n, kind)
	}
}

// written is how much processes, and all that they have started, have given to be put on a disk,
// and how often they have written, to connections too (proc(5)).
func written(pids ...int) (onDisk, times int64) {
	for _, pid := range family(pids...) {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid)) // one that has just ended has none
		for line := range bytes.Lines(text) {
			name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
			n, _ := strconv.ParseInt(string(value), 10, 64)
			switch string(name) {
			case "write_bytes":
				onDisk += n
			case "syscw":
				times += n
			}
		}
	}
	return onDisk, times
}
