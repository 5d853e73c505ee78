package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
)

// kinds are what is measured, in the order of the report. The echo is what the others are compared
// with.
var kinds = []string{"echo", "tick", "arrival", "menu answer"}

// figure is what one kind of request came to with so many at a time. CPU times are those of a
// request with all the work that it leaves to do; objects and bytes are what host and plugin
// allocate for it. The load itself is a process of its own and does not count.
type figure struct {
	Kind      string  `json:"kind"`
	AtATime   int     `json:"at_a_time"`
	PerSecond float64 `json:"per_second"`
	Ratio     float64 `json:"ratio"` // of the echo's rate in the same round
	P99       float64 `json:"p99_ms"`
	HostCPU   float64 `json:"host_cpu_us"`
	PluginCPU float64 `json:"plugin_cpu_us"`
	Objects   float64 `json:"host_objects"`
	Bytes     float64 `json:"host_bytes"`

	PluginObjects float64 `json:"plugin_objects"`
	PluginBytes   float64 `json:"plugin_bytes"`
}

// atATime are the numbers of requests at a time that are measured.
var atATime = []int{1, 16, 64}

// ratioParameters say what the part ratios measures, and for how long.
type ratioParameters struct {
	span      time.Duration // of the loads that leave nothing to do
	rounds    int           // whose medians count
	calls     int           // of the loads that leave something to do
	ticksOnly bool          // leave those out
	into      string        // file for the figures; "": none
	base      string        // folder of programs to compare with; "": none
	// Folder for profiles of both processes while they answer ticks, and calls; "": none.
	profiles string
}

// kinds are what is measured.
func (p ratioParameters) kinds() []string {
	if p.ticksOnly {
		return kinds[:2]
	}
	return kinds
}

// ratiosReport is the file that a run of the part "ratios" writes.
type ratiosReport struct {
	Commit  string   `json:"commit"`
	Go      string   `json:"go"`
	CPUs    int      `json:"cpus"`
	Rounds  int      `json:"rounds"`
	Figures []figure `json:"figures"`
}

// ratios measures every kind in every round, one after the other, so that whatever else the machine
// does meets all of them alike, and reports medians. With programs to compare with it measures both
// by turns, and fails where those of bin do worse beyond noise.
func ratios(ctx context.Context, bin string, p ratioParameters) error {
	echo, err := echoApart()
	if err != nil {
		return err
	}
	defer echo.stop()
	folders := []string{bin}
	if p.base != "" {
		folders = []string{p.base, bin}
	}
	benches := make([]*ratioBench, len(folders))
	for i, folder := range folders {
		if benches[i], err = beginRatios(ctx, folder, echo, p); err != nil {
			return err
		}
		defer benches[i].stack.Stop()
	}
	for round := range p.rounds + 1 {
		for _, n := range atATime {
			for _, b := range benches {
				if err := b.add(n, round > 0); err != nil { // the first is for caches and pools
					return err
				}
			}
		}
	}
	now := benches[len(benches)-1]
	report := now.report()
	report.print()
	if err := now.keep(report); err != nil || p.base == "" {
		return err
	}
	return compareReports(benches[0].report(), report)
}

// beginRatios starts the programs of a folder, with callers on hold.
func beginRatios(ctx context.Context, bin string, echo *echoProcess, p ratioParameters) (*ratioBench, error) {
	stack, err := demo.Start(ctx, demo.Config{
		Switchboard: bin + "/switchboard", Options: map[string]any{"reach": "acknowledge", "max_wait_time": 3600, "dial_pause": 0, "calls_per_number": 0},
		// Switched on, it costs nothing while nobody asks.
		Env: []string{"SWITCHBOARD_PROFILING=on"},
	})
	if err != nil {
		return nil, err
	}
	b := &ratioBench{stack: stack, echo: echo, ratioParameters: p, commit: commit(bin), all: map[string][]figure{}}
	if b.hold, err = manyOnHold(stack, 0, 64); err != nil {
		stack.Stop()
	}
	return b, err
}

// add measures each kind once, n at a time, and keeps the figures if they are to count.
func (b *ratioBench) add(n int, counts bool) error {
	got, err := b.round(n)
	if err != nil || !counts {
		return err
	}
	for _, f := range got {
		key := fmt.Sprint(f.Kind, f.AtATime)
		b.all[key] = append(b.all[key], f)
	}
	return nil
}

// report is the medians of what was kept.
func (b *ratioBench) report() ratiosReport {
	r := ratiosReport{Commit: b.commit, Go: runtime.Version(), CPUs: runtime.NumCPU(), Rounds: b.rounds}
	for _, n := range atATime {
		for _, kind := range b.kinds() {
			r.Figures = append(r.Figures, median(b.all[fmt.Sprint(kind, n)]))
		}
	}
	return r
}

// keep writes what the parameters ask for.
func (b *ratioBench) keep(r ratiosReport) error {
	if b.profiles != "" {
		if err := b.profile(); err != nil {
			return err
		}
	}
	if b.into == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(b.into, append(text, '\n'), 0o600)
}

// print shows the figures as a table.
func (r ratiosReport) print() {
	fmt.Printf("%s, %d CPUs, medians of %d rounds; CPU time, objects and bytes are those of one request\n", r.Go, r.CPUs, r.Rounds)
	fmt.Printf("%-22s %10s %7s %9s %10s %10s %17s %17s\n", "", "per second", "ratio", "p99", "host", "plugin", "host allocates", "plugin allocates")
	for _, f := range r.Figures {
		fmt.Printf("%-16s at %-2d %11.0f %7.2f %6.1f ms %7.0f µs %7.0f µs %7.0f, %6.1f kB %7.0f, %6.1f kB\n",
			f.Kind, f.AtATime, f.PerSecond, f.Ratio, f.P99, f.HostCPU, f.PluginCPU, f.Objects, f.Bytes/1000, f.PluginObjects, f.PluginBytes/1000)
	}
	fmt.Println()
}

// commit names the checkout that the folder of the programs is in; "" outside of one.
func commit(bin string) string {
	out, _ := exec.Command("git", "-C", bin, "describe", "--always", "--dirty").Output() // #nosec G204 -- the folder is named on the command line
	return strings.TrimSpace(string(out))
}

// median takes the median of each column.
func median(list []figure) figure {
	mid := func(of func(figure) float64) float64 {
		values := make([]float64, len(list))
		for i, f := range list {
			values[i] = of(f)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	f := list[0]
	f.PerSecond = mid(func(f figure) float64 { return f.PerSecond })
	f.Ratio = mid(func(f figure) float64 { return f.Ratio })
	f.P99 = mid(func(f figure) float64 { return f.P99 })
	f.HostCPU, f.PluginCPU = mid(func(f figure) float64 { return f.HostCPU }), mid(func(f figure) float64 { return f.PluginCPU })
	f.Objects, f.Bytes = mid(func(f figure) float64 { return f.Objects }), mid(func(f figure) float64 { return f.Bytes })
	f.PluginObjects, f.PluginBytes = mid(func(f figure) float64 { return f.PluginObjects }), mid(func(f figure) float64 { return f.PluginBytes })
	return f
}

// ratioBench is what the rounds use.
type ratioBench struct {
	ratioParameters

	stack  *demo.Stack
	commit string // of the programs
	echo   *echoProcess
	hold   []*caller
	next   atomic.Int64
	begun  atomic.Int64        // calls
	all    map[string][]figure // of each kind and number at a time
}

// tick lets the next of the callers on hold ask for its document.
func (b *ratioBench) tick() error { return b.hold[int(b.next.Add(1))%len(b.hold)].tick() }

// first is the number of the first of the next n calls. Each host counts its own, so that the
// callers of a usual run are all new to it, also where two are compared.
func (b *ratioBench) first(n int) int { return int(b.begun.Add(int64(n))) - n + 6_001_000 }

// round measures each kind once, n at a time.
func (b *ratioBench) round(n int) ([]figure, error) {
	echoed, err := b.measure("echo", n, func() (sample, error) {
		var s sample
		s.measure(n, b.span, func() error { return post(b.echo.url, echoBody, "") })
		return s, nil
	})
	if err != nil {
		return nil, err
	}
	ticked, err := b.measure("tick", n, func() (sample, error) {
		var s sample
		s.measure(n, b.span, b.tick)
		return s, nil
	})
	if err != nil {
		return nil, err
	}
	if b.ticksOnly {
		ticked.Ratio, echoed.Ratio = ticked.PerSecond/echoed.PerSecond, 1
		return []figure{echoed, ticked}, nil
	}
	callers := make([]*caller, b.calls)
	first := b.first(b.calls)
	arrived, err := b.measure("arrival", n, func() (sample, error) {
		return b.each(n, func(i int) (err error) {
			callers[i], err = arrival(b.stack, first+i)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	chosen, err := b.measure("menu answer", n, func() (sample, error) {
		return b.each(n, func(i int) error {
			_, err := callers[i].choose()
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if err := manyAtATime(b.calls, func(i int) error { return callers[i].status("completed") }); err != nil {
		return nil, err
	}
	list := []figure{echoed, ticked, arrived, chosen}
	for i := range list {
		list[i].Ratio = list[i].PerSecond / echoed.PerSecond
	}
	return list, settle(b.stack)
}

// each runs do for each call, n at a time, and waits for the work that is left to do, which counts.
func (b *ratioBench) each(n int, do func(i int) error) (sample, error) {
	var s sample
	took, errs := make([]time.Duration, b.calls), make([]error, b.calls)
	var next atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range n {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.calls; i = int(next.Add(1)) - 1 {
				at := time.Now()
				errs[i] = do(i)
				took[i] = time.Since(at)
			}
		})
	}
	wg.Wait()
	ended, err := settled(b.stack)
	s.took, s.elapsed = took, ended.Sub(began)
	return s, errors.Join(errors.Join(errs...), err)
}

// measure looks at the processes before and after a load.
func (b *ratioBench) measure(kind string, n int, load func() (sample, error)) (figure, error) {
	host := b.stack.Process.Process.Pid
	if kind == "echo" {
		host = b.echo.process.Process.Pid
	} else if err := settle(b.stack); err != nil {
		return figure{}, err
	}
	var before, after, look [2]allocated
	var err error
	if kind != "echo" {
		if before, look, err = b.allocatedBefore(); err != nil {
			return figure{}, err
		}
	}
	all, alone := cpu(host), cpuAlone(host)
	s, err := load()
	if err != nil {
		return figure{}, err
	}
	all, alone = cpu(host)-all, cpuAlone(host)-alone
	r := s.result()
	if r.failed > 0 {
		return figure{}, fmt.Errorf("%s: %d failed, the last with: %w", kind, r.failed, r.err)
	}
	requests := float64(len(s.took))
	f := figure{
		Kind: kind, AtATime: n, PerSecond: requests / s.elapsed.Seconds(), P99: ms(r.p99),
		HostCPU: float64(alone.Microseconds()) / requests, PluginCPU: float64((all - alone).Microseconds()) / requests,
	}
	if kind == "echo" {
		return f, nil
	}
	if after, err = b.allocated(); err != nil {
		return figure{}, err
	}
	f.Objects, f.Bytes = (after[0].objects-before[0].objects-look[0].objects)/requests, (after[0].bytes-before[0].bytes-look[0].bytes)/requests
	f.PluginObjects, f.PluginBytes = (after[1].objects-before[1].objects-look[1].objects)/requests, (after[1].bytes-before[1].bytes-look[1].bytes)/requests
	return f, nil
}

// allocatedBefore looks before a load, and returns as well what a look allocates: thousands of
// objects, which must not seem to be the load's.
func (b *ratioBench) allocatedBefore() (before, look [2]allocated, err error) {
	first, err := b.allocated()
	if err != nil {
		return before, look, err
	}
	if before, err = b.allocated(); err != nil {
		return before, look, err
	}
	for i := range look {
		look[i] = allocated{before[i].objects - first[i].objects, before[i].bytes - first[i].bytes}
	}
	return before, look, nil
}

// allocated is how many objects and bytes a process has allocated since it began.
type allocated struct{ objects, bytes float64 }

// allocations finds both in the text form of a heap profile.
var allocations = regexp.MustCompile(`(?m)^# (Mallocs|TotalAlloc) = ([0-9]+)$`)

// Addresses of profiles of both processes; the profile's name follows.
const (
	hostProfiles   = "/debug/pprof/"
	pluginProfiles = "/debug/pprof/plugins/livecall/"
)

// allocated asks host and plugin.
func (b *ratioBench) allocated() (of [2]allocated, err error) {
	for i, profiles := range []string{hostProfiles, pluginProfiles} {
		text, err := getText(b.stack.URL+profiles+"heap?debug=1", b.stack.Token)
		if err != nil {
			return of, err
		}
		for _, m := range allocations.FindAllStringSubmatch(text, -1) {
			n, err := strconv.ParseFloat(m[2], 64)
			if err != nil {
				return of, err
			}
			if m[1] == "Mallocs" {
				of[i].objects = n
			} else {
				of[i].bytes = n
			}
		}
	}
	return of, nil
}

// profile writes profiles of both processes, made while 16 ticks at a time are answered, and while
// 16 calls at a time come in, choose a team and end.
func (b *ratioBench) profile() error {
	for kind, do := range map[string]func() error{"tick": b.tick, "call": b.call} {
		if err := b.profileOf(kind, do); err != nil {
			return err
		}
	}
	return nil
}

// call is an arrival, a menu answer, and the end of the call.
func (b *ratioBench) call() error {
	c, err := arrival(b.stack, b.first(1))
	if err != nil {
		return err
	}
	if _, err := c.choose(); err != nil {
		return err
	}
	return c.status("completed")
}

// profileOf writes the profiles of one kind of load.
func (b *ratioBench) profileOf(load string, do func() error) error {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				var s sample
				s.measure(16, time.Second, do)
			}
		}
	})
	defer wg.Wait()
	defer close(done)
	return keepProfiles(b.stack, b.profiles, load)
}

// keepProfiles writes profiles of what both processes do now, and of what they have allocated, to a
// folder, which it makes.
func keepProfiles(s *demo.Stack, folder, load string) error {
	const seconds = 10
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for name, profiles := range map[string]string{"host": hostProfiles, "plugin": pluginProfiles} {
		for _, kind := range []string{fmt.Sprintf("profile?seconds=%d", seconds), "allocs"} {
			data, err := getText(s.URL+profiles+kind, s.Token)
			if err != nil {
				return err
			}
			kind, _, _ = strings.Cut(kind, "?")
			if err := os.WriteFile(fmt.Sprintf("%s/%s-%s-%s.pb.gz", folder, load, name, kind), []byte(data), 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}
