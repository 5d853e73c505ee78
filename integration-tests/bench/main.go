// Command bench measures the real processes together: webhooks per second and latencies through
// HTTP, host, plugin and (where something is decided) commit, beside a bare go-plugin echo behind
// net/http in the same run; the time from an acknowledgement to the request that dials; the memory
// that callers on hold take; the same on PostgreSQL and with two hosts; the CPU time of a request
// as everything grows; and what callers on hold cost a minute. Build first: make bench does.
//
//	main.go    the run and its report
//	load.go    requests as Twilio makes them, percentiles
//	echo.go    the bare go-plugin echo
//	trouble.go beside a mail server that hangs and many integrations, and while the plugin is killed
//	hosts.go   commits on SQLite, on PostgreSQL, and of two hosts; callers on hold on two hosts
//	deaths.go  what callers and people notice when a host, a connection or the database dies
//	replication.go what a standby costs each commit, and what a fail-over to it loses
//	claims.go  items that two hosts had claimed at the same time
//	growth.go  CPU time of a request as live calls, ended calls and alerts become more
//	quiet.go   what a minute of callers on hold costs: bytes written, CPU time, memory
//	long.go    what takes minutes: the plugin is killed, acknowledgements beside callers on hold, memory
//	memory.go  what the memory of host and plugin consists of
//	node.go    a function on Node that answers without deciding or storing anything
//	ratios.go  rates, CPU time and allocations of requests beside the echo's, as a table and as JSON
//	chart.go   their CPU times as an SVG
//	compare.go two such files side by side
//	cpu.go     CPU time of processes
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// longParts are measured only when named: they take minutes, or need what not every machine has.
var longParts = []string{"hold", "kills", "acks", "memory", "node"}

func main() {
	if len(os.Args) > 1 && os.Args[1] == echoArgument {
		serveEcho()
		return
	}
	if len(os.Args) > 1 && os.Args[1] == echoServerArgument {
		serveEchoApart()
		return
	}
	bin := flag.String("bin", "bin", "folder of the built programs")
	span := flag.Duration("span", 5*time.Second, "how long each load lasts")
	holders := flag.Int("holders", 1000, "callers on hold for the memory figure")
	acks := flag.Int("acks", 20, "acknowledgements to time")
	integrations := flag.Int("integrations", 1000, "other integrations beside the one that is called")
	shared := flag.Int("shared", 2000, "callers on hold on two hosts")
	trials := flag.Int("trials", 3, "how often each kind of death happens")
	live := flag.Int("live", 10_000, "live calls up to which the CPU time of a request is measured; 0: not")
	ended := flag.Int("ended", 100_000, "ended calls and resolved alerts up to which it is measured; 0: not")
	quietly := flag.Int("quiet", 200, "callers on hold of whom it is measured what a minute costs")
	held := flag.Int("hold", 10_000, "callers on hold of the parts hold and memory")
	holdFor := flag.Duration("hold-for", 5*time.Minute, "how long the part hold measures")
	killEvery := flag.Duration("kill-every", time.Minute, "how far apart the part kills kills the plugin five times; after that twenty times within such a span")
	beside := flag.Int("beside", 300, "requests a second of callers on hold in the part acks")
	speed := flag.Float64("speed", 0, "how many times as fast as real ones they wait, in the parts quiet and hosts-hold; 0: as fast as the machine lets so many, and real ones in hosts-hold")
	only := flag.String("part", "all", "what to measure: one (host), trouble (what hangs, is many or is killed), hosts (-compared, -hold, -deaths, -replication), growth (-sqlite, -postgres), quiet (callers on hold: -sqlite, -postgres, -hosts), ratios (rates beside the echo's, CPU time), or all of these; or one that takes minutes: hold (many callers at the pace of real ones), kills (of the plugin), acks (acknowledgement to call, beside callers on hold), memory (of host and plugin), or node (beside a function on Node)")
	rounds := flag.Int("rounds", 5, "rounds of the part ratios, whose medians count")
	calls := flag.Int("calls", 500, "calls of each round of the part ratios, and each number at a time")
	ticksOnly := flag.Bool("ticks", false, "let the part ratios measure ticks alone")
	base := flag.String("base", "", "folder of the programs of another commit, which the part ratios measures by turns with those of -bin; a loss beyond noise is an error")
	svg := flag.String("svg", "", "file to draw the CPU times of -json's file to, instead of measuring")
	profiles := flag.String("profiles", "", "folder to write profiles of host and plugin to, made while they answer ticks, and calls that come in and choose, in the part ratios, or while callers are on hold, in the parts hold and quiet; of their heaps, in the part memory")
	into := flag.String("json", "", "file to write the figures of the part ratios to")
	before := flag.String("compare", "", "file of an earlier run to compare that of -json with, instead of measuring")
	flag.Parse()
	switch {
	case *before != "":
		endWith(compareFiles(*before, *into))
	case *svg != "":
		endWith(drawFile(*into, *svg))
	}
	if *profiles != "" {
		// Before minutes of measuring are lost to a folder that is not there.
		if err := os.MkdirAll(*profiles, 0o750); err != nil {
			endWith(err)
		}
	}
	ctx := context.Background()
	for _, part := range []struct {
		name string
		run  func() error
	}{
		{"ratios", func() error {
			return ratios(ctx, *bin, ratioParameters{span: *span / 2, rounds: *rounds, calls: *calls, ticksOnly: *ticksOnly, into: *into, base: *base, profiles: *profiles})
		}},
		{"one", func() error { return run(*bin, *span, *holders, *acks) }},
		{"trouble", func() error { return besides(ctx, *bin, *span, *integrations) }},
		{"hosts-compared", func() error { return severalHosts(ctx, *bin, *span) }},
		{"hosts-hold", func() error { return shareHold(ctx, *bin, *span, *shared, *speed) }},
		{"hosts-deaths", func() error { return deaths(ctx, *bin, *trials) }},
		{"hosts-replication", func() error { return replication(ctx, *span, *trials) }},
		{"growth-sqlite", func() error { return growth(ctx, *bin, setups[0], *live, *ended, *integrations) }},
		{"growth-postgres", func() error { return growth(ctx, *bin, setups[1], *live, *ended, 0) }},
		{"quiet-sqlite", func() error { return quiet(ctx, *bin, setups[0], *quietly, *speed, 0, *profiles) }},
		{"quiet-postgres", func() error { return quiet(ctx, *bin, setups[1], *quietly, *speed, 0, *profiles) }},
		{"quiet-hosts", func() error { return quiet(ctx, *bin, setups[2], *quietly, *speed, 0, *profiles) }},
		{"hold", func() error { return quiet(ctx, *bin, setups[0], *held, 1, *holdFor, *profiles) }},
		{"kills", func() error { return kills(ctx, *bin, killParameters{times: 5, every: *killEvery, burst: 20}) }},
		{"acks", func() error { return acknowledgementsBeside(ctx, *bin, *acks, *beside) }},
		{"memory", func() error { return resident(ctx, *bin, []int{0, *held / 10, *held}, *profiles) }},
		{"node", func() error { return node(ctx, *bin, ratioParameters{span: *span / 2, rounds: *rounds, calls: *calls}) }},
	} {
		long := slices.Contains(longParts, part.name)
		if *only != part.name && (long || *only != "all" && !strings.HasPrefix(part.name, *only)) {
			continue
		}
		if err := part.run(); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", part.name, err)
			os.Exit(1)
		}
	}
}

// endWith ends the program, with an error if there is one.
func endWith(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run measures what the package comment lists, in its order. Each part that counts memory or time
// has a stack of its own, so that the load before does not show in it.
func run(bin string, span time.Duration, holders, acks int) error {
	ctx := context.Background()
	fmt.Printf("%s %s/%s, %d CPUs\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	echo, err := startEcho()
	if err != nil {
		return err
	}
	defer echo.stop()
	stack, err := demo.Start(ctx, demo.Config{
		Switchboard: bin + "/switchboard", Options: map[string]any{"reach": "acknowledge", "max_wait_time": 3600, "dial_pause": 0, "calls_per_number": 0},
	})
	if err != nil {
		return err
	}
	defer stack.Stop()

	// Callers on hold, for the tick.
	hold := make([]*caller, 64)
	for i := range hold {
		if hold[i], err = onHold(stack, i); err != nil {
			return err
		}
	}
	for _, n := range []int{1, 16} {
		fmt.Printf("%d at a time                       per second      p50        p99\n", n)
		var next atomic.Int64
		bare := load(n, span, func() error { return post(echo.url, echoBody, "") })
		fmt.Printf("  bare go-plugin echo           %s\n", bare)
		tick := load(n, span, func() error {
			return hold[int(next.Add(1))%len(hold)].tick()
		})
		fmt.Printf("  quiet hold tick               %s   %.2f of the echo's rate\n", tick, tick.rate/bare.rate)
		arrive := load(n, span, func() error {
			_, err := arrival(stack, int(next.Add(1))+1_000_000)
			return err
		})
		fmt.Printf("  arrival (commits, new alert)  %s   %.2f of the echo's rate\n\n", arrive, arrive.rate/bare.rate)
	}
	if err := settle(stack); err != nil {
		return err
	}
	if err := memory(ctx, bin, holders); err != nil {
		return err
	}
	return acknowledgements(ctx, bin, acks, nil)
}

// settle waits until what the arrivals left to do is done, so that it does not count against what
// is measured next.
func settle(s *demo.Stack) error {
	_, err := settled(s)
	return err
}

// What settled looks at: commands that wait, and runs of handlers, which a changed alert causes as
// well.
var (
	pendingCommands = regexp.MustCompile(`(?m)^switchboard_outbox_items\{[^}]*kind="command"[^}]*\} ([0-9.e+]+)`)
	handlerRuns     = regexp.MustCompile(`(?m)^livecall_engine_handler_runs_total.*`)
)

// settled is settle, and says when everything was done: no command waited, and no handler has run
// since. Behind a balancer the hosts answer by turns, each with its own counts: so it looks until
// what it has seen comes again, twice.
func settled(s *demo.Stack) (at time.Time, err error) {
	seen, again := map[string]bool{}, 0
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		looked := time.Now()
		text, err := getText(s.URL+"/metrics", s.Token)
		if err != nil {
			return at, err
		}
		left := 0.0
		for _, m := range pendingCommands.FindAllStringSubmatch(text, -1) {
			n, _ := strconv.ParseFloat(m[1], 64)
			left += n
		}
		runs := strings.Join(handlerRuns.FindAllString(text, -1), " ")
		if left > 0 || !seen[runs] {
			seen[runs], again, at = true, 0, looked
			continue
		}
		if again++; again >= min(2, len(seen)) {
			break
		}
	}
	return at, nil
}

// memory holds many callers and looks at the resident memory of both processes.
func memory(ctx context.Context, bin string, holders int) error {
	stack, err := demo.Start(ctx, demo.Config{Switchboard: bin + "/switchboard", Options: map[string]any{"reach": "acknowledge", "max_wait_time": 3600, "calls_per_number": 0}})
	if err != nil {
		return err
	}
	defer stack.Stop()
	warm, err := onHold(stack, 0)
	if err != nil {
		return err
	}
	// The first ticks grow heaps and pools that later callers share; without them the first caller
	// would seem to take what all do.
	for range 200 {
		if err := warm.tick(); err != nil {
			return err
		}
	}
	hostBefore, pluginBefore := residents(stack.Process.Process.Pid)
	callers, err := manyOnHold(stack, 1, holders)
	if err != nil {
		return err
	}
	for _, c := range callers {
		for range 2 {
			if err := c.tick(); err != nil {
				return err
			}
		}
	}
	host, plugin := residents(stack.Process.Process.Pid)
	fmt.Printf("resident memory with %d callers on hold: host %d MiB (%d before), plugin %d MiB (%d before)\n\n",
		holders, host>>20, hostBefore>>20, plugin>>20, pluginBefore>>20)
	return nil
}

// acknowledgements times the way from POST …/acknowledge to POST /Calls at Twilio. beside begins
// what goes on meanwhile, and returns what is to be done with the times in the end; nil: nothing.
func acknowledgements(ctx context.Context, bin string, n int, beside func(*demo.Stack) (func([]time.Duration), error)) error {
	dialed := make(chan time.Time, 100)
	stack, err := demo.Start(ctx, demo.Config{
		Switchboard: bin + "/switchboard", Options: map[string]any{"reach": "acknowledge", "dial_pause": 0, "calls_per_number": 0},
		Sim: twiliosim.Config{CallsPerSecond: -1, Lenient: true},
		WrapSim: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/Calls.json") {
					dialed <- time.Now()
				}
				next.ServeHTTP(w, r)
			})
		},
	})
	if err != nil {
		return err
	}
	defer stack.Stop()
	ended := func([]time.Duration) {}
	if beside != nil {
		if ended, err = beside(stack); err != nil {
			return err
		}
	}
	var took []time.Duration
	for i := range n {
		c, err := onHold(stack, i)
		if err != nil {
			return err
		}
		id, err := openAlert(ctx, stack, c.sid)
		if err != nil {
			return err
		}
		began := time.Now()
		if err := stack.API(ctx, "POST", "/api/v1/alerts/"+id+"/acknowledge", map[string]string{"user": "alice"}, nil); err != nil {
			return err
		}
		select {
		case at := <-dialed:
			took = append(took, at.Sub(began))
		case <-time.After(30 * time.Second):
			return fmt.Errorf("acknowledgement %d was not followed by a call", i)
		}
		// The person is free again once the call is over.
		if err := c.status("completed"); err != nil {
			return err
		}
		time.Sleep(1500 * time.Millisecond) // one start a second is what an account may do
	}
	fmt.Printf("acknowledge to POST /Calls (dial pause 0), %d times: %s\n", n, percentiles(took))
	ended(took)
	return nil
}

// openAlert waits until the alert of a call is there; key is the call's SID.
func openAlert(ctx context.Context, s *demo.Stack, key string) (string, error) {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var list []struct{ ID, Key, Status string }
		if err := s.API(ctx, "GET", "/api/v1/alerts?status=open", nil, &list); err != nil {
			return "", err
		}
		for _, a := range list {
			if a.Key == key {
				return a.ID, nil
			}
		}
	}
	return "", fmt.Errorf("no open alert of call %s", key)
}

// caller is somebody on hold, whose requests we make. mu makes the ticks of one call follow each
// other, as Twilio's do: each address leads to the next.
type caller struct {
	stack *demo.Stack
	sid   string
	form  url.Values
	next  string // URL of the next wait document
	mu    sync.Mutex
}

// What leads to the next request: the menu's and the queue's addresses, and where the wait document
// sends Twilio next.
var (
	menuAction = regexp.MustCompile(`action="([^"]+/menu[^"]*)"`)
	waitURL    = regexp.MustCompile(`waitUrl="([^"]+)"`)
	redirect   = regexp.MustCompile(`<Redirect[^>]*>([^<]+)</Redirect>`)
)

// arrival is the first request of a call.
func arrival(s *demo.Stack, n int) (*caller, error) {
	sid := fmt.Sprintf("CA%032x", n)
	form := url.Values{
		"CallSid": {sid}, "AccountSid": {twiliosim.DefaultAccountSid}, "From": {fmt.Sprintf("+1303555%04d", n%10_000)}, "To": {demo.Number}, "CallStatus": {"ringing"},
		"Direction": {"inbound"}, "ApiVersion": {"2010-04-01"}, "FromCity": {"WASHINGTON"}, "FromState": {"DC"}, "FromZip": {"20001"}, "FromCountry": {"US"},
	}
	c := &caller{stack: s, sid: sid, form: form}
	body, err := signed(s.Endpoint, form)
	if err != nil {
		return nil, err
	}
	m := menuAction.FindStringSubmatch(body)
	if m == nil {
		return nil, fmt.Errorf("no menu in the answer: %s", body)
	}
	c.next = unescape(m[1])
	return c, nil
}

// choose answers the menu with the second team.
func (c *caller) choose() (body string, err error) {
	form := clone(c.form)
	form.Set("CallStatus", "in-progress")
	form.Set("Digits", "2")
	return signed(c.next, form)
}

// onHold is a call that has chosen a team and has had its first wait document.
func onHold(s *demo.Stack, n int) (*caller, error) {
	c, err := arrival(s, n)
	if err != nil {
		return nil, err
	}
	body, err := c.choose()
	if err != nil {
		return nil, err
	}
	m := waitURL.FindStringSubmatch(body)
	if m == nil {
		return nil, fmt.Errorf("no queue in the answer: %s", body)
	}
	c.next = unescape(m[1])
	c.form.Set("CallStatus", "in-progress")
	c.form.Set("QueueSid", fmt.Sprintf("QU%032x", n))
	c.form.Set("QueueTime", "1")
	return c, c.tick()
}

// manyOnHold puts n callers on hold; the first is number from.
func manyOnHold(s *demo.Stack, from, n int) ([]*caller, error) {
	callers := make([]*caller, n)
	return callers, manyAtATime(n, func(i int) (err error) {
		callers[i], err = onHold(s, from+i)
		return err
	})
}

// manyAtATime runs do for 0 to n-1, eight at a time.
func manyAtATime(n int, do func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			errs[i] = do(i)
			<-slots
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// tick asks for the next wait document.
func (c *caller) tick() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := signed(c.next, c.form)
	if err != nil {
		return err
	}
	m := redirect.FindStringSubmatch(body)
	if m == nil {
		return fmt.Errorf("no redirect in the wait document: %s", body)
	}
	c.next = unescape(m[1])
	return nil
}

// status is the number's status callback.
func (c *caller) status(status string) error {
	form := clone(c.form)
	form.Set("CallStatus", status)
	_, err := signed(c.stack.Endpoint+"/status", form)
	return err
}
