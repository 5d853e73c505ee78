package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// death is something that dies under two hosts with calls in progress.
type death struct {
	name    string
	standby bool // the database has one, for which commits wait
	die     func(ctx context.Context, w *world) error
	watch   time.Duration // how long it may take until all goes on
}

// missedChecks is when a load balancer takes out a host that answers nothing: the second host that
// freezes is asked no more after that.
const missedChecks = 5 * time.Second

var deathsOf = []death{
	{name: "a host is killed", watch: 20 * time.Second, die: func(_ context.Context, w *world) error { return w.second.Kill() }},
	{name: "a host freezes", watch: 60 * time.Second, die: func(_ context.Context, w *world) error {
		time.AfterFunc(missedChecks, func() { w.balancer.To(w.Addr) })
		return w.second.Process.Process.Signal(syscall.SIGSTOP)
	}},
	{name: "connections are cut", watch: 20 * time.Second, die: func(ctx context.Context, w *world) error {
		return w.server.Exec(ctx, "postgres", "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'")
	}},
	{name: "PostgreSQL restarts", watch: 30 * time.Second, die: func(ctx context.Context, w *world) error {
		w.server.Shutdown()
		return w.server.Run(ctx)
	}},
	{name: "PostgreSQL crashes", watch: 30 * time.Second, die: func(ctx context.Context, w *world) error {
		w.server.Kill()
		return w.server.Run(ctx)
	}},
	{name: "a standby is promoted", standby: true, watch: 30 * time.Second, die: func(ctx context.Context, w *world) error {
		w.server.Kill()
		return w.standby.Promote(ctx)
	}},
}

// acknowledgers are people, each of whom takes one alert just before the death.
var acknowledgers = []string{"alice", "bob", "dave"}

// waiting are callers on hold, each of whom asks for a document every askEvery.
const (
	waiting  = 16
	askEvery = time.Second
)

// lost is what a death has cost.
type lost struct {
	longest  time.Duration // from a request to its answer, repetitions included
	repeated int           // requests that Twilio had to repeat
	requests int
	began    time.Duration // until the first person was called
	all      time.Duration // until all were
	took     time.Duration // of the restart or promotion itself
}

// deaths measures the longest answer and how long people wait to be called, for each kind of death;
// the worst of several trials counts.
func deaths(ctx context.Context, bin string, trials int) error {
	was := client.Timeout
	client.Timeout = 15 * time.Second // Twilio's, after which it repeats a request
	defer func() { client.Timeout = was }()
	fmt.Printf("two hosts, %d callers on hold, %d people acknowledge at one host just before it happens; the worst of %d\n", waiting, len(acknowledgers), trials)
	for _, d := range deathsOf {
		var worst lost
		for range trials {
			l, err := d.trial(ctx, bin)
			if err != nil {
				return fmt.Errorf("%s: %w", d.name, err)
			}
			worst.longest, worst.took = max(worst.longest, l.longest), max(worst.took, l.took)
			worst.began, worst.all = max(worst.began, l.began), max(worst.all, l.all)
			worst.repeated, worst.requests = worst.repeated+l.repeated, worst.requests+l.requests
		}
		fmt.Printf("  %-24s longest answer %6.2f s; first call to a person after %5.2f s, the last after %5.2f s; %d of %d requests repeated", d.name,
			worst.longest.Seconds(), worst.began.Seconds(), worst.all.Seconds(), worst.repeated, worst.requests)
		if worst.took > time.Second/10 {
			fmt.Printf("; it took %.1f s itself", worst.took.Seconds())
		}
		fmt.Println()
	}
	fmt.Println()
	return nil
}

// dials notes when each person is called for the first time.
type dials struct {
	mu sync.Mutex
	at map[string]time.Time // by number
}

func (d *dials) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/Calls.json") && r.ParseForm() == nil {
			d.mu.Lock()
			if to := r.PostForm.Get("To"); d.at[to].IsZero() {
				d.at[to] = time.Now()
			}
			d.mu.Unlock()
		}
		next.ServeHTTP(w, r)
	})
}

// after are the times from a death to the first and to the last call to a person that came later,
// and to how many people; all is how many have been called at all.
func (d *dials) after(death time.Time) (first, last time.Duration, all int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, at := range d.at {
		if took := at.Sub(death); took > 0 {
			if first == 0 || took < first {
				first = took
			}
			last = max(last, took)
		}
	}
	return first, last, len(d.at)
}

// trial lets it happen once.
func (d death) trial(ctx context.Context, bin string) (l lost, err error) {
	calls := &dials{at: map[string]time.Time{}}
	w, err := begin(ctx, bin, setup{name: d.name, hosts: 2, standby: d.standby, change: func(c *demo.Config) {
		c.Sim, c.WrapSim = twiliosim.Config{CallsPerSecond: -1, Lenient: true}, calls.wrap
	}}, nil)
	if err != nil {
		return l, err
	}
	defer w.stop()
	w.direct(false)
	callers, err := manyOnHold(w.Stack, 0, waiting)
	if err != nil {
		return l, err
	}
	if err := settle(w.Stack); err != nil {
		return l, err
	}
	ids := make([]string, len(acknowledgers))
	for i := range ids {
		if ids[i], err = openAlert(ctx, w.Stack, callers[i].sid); err != nil {
			return l, err
		}
	}
	asking, stop := context.WithCancel(ctx)
	defer stop()
	var asked sync.WaitGroup
	var answers answers
	for i, c := range callers {
		asked.Go(func() { answers.ask(asking, c, askEvery*time.Duration(i)/waiting) })
	}
	time.Sleep(2 * askEvery) // some are answered before it happens
	at := *w.Stack
	at.URL = "http://" + w.second.Addr
	for i, user := range acknowledgers {
		if err := at.API(ctx, "POST", "/api/v1/alerts/"+ids[i]+"/acknowledge", map[string]string{"user": user}, nil); err != nil {
			return l, err
		}
	}
	happened := time.Now()
	answers.since(happened)
	if err := d.die(ctx, w); err != nil {
		return l, err
	}
	l.took = time.Since(happened)
	for end := happened.Add(d.watch); ; time.Sleep(10 * time.Millisecond) {
		var called int
		if l.began, l.all, called = calls.after(happened); called == len(acknowledgers) {
			break
		}
		if time.Now().After(end) {
			return l, fmt.Errorf("%d of %d people have been called within %s", called, len(acknowledgers), d.watch)
		}
	}
	time.Sleep(2 * askEvery)
	stop()
	asked.Wait()
	if p := w.second.Process; p != nil {
		_ = p.Process.Signal(syscall.SIGCONT) // or it could not stop
	}
	l.longest, l.requests, l.repeated, err = answers.longest, answers.n, answers.repeated, answers.err
	return l, err
}

// answers are those to callers on hold since it happened.
type answers struct {
	mu          sync.Mutex
	from        time.Time
	longest     time.Duration
	n, repeated int
	err         error
}

func (a *answers) since(t time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.from, a.longest, a.n, a.repeated = t, 0, 0, 0
}

// ask lets a caller ask until ctx ends, and repeats a request that is not answered, as Twilio does.
func (a *answers) ask(ctx context.Context, c *caller, first time.Duration) {
	for wait := first; ; wait = askEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		began, tries := time.Now(), 0
		var err error
		for tries < mostTries {
			tries++
			if err = c.tick(); err == nil {
				break
			}
		}
		a.mu.Lock()
		if time.Now().After(a.from) {
			a.n, a.longest = a.n+1, max(a.longest, time.Since(began))
			if tries > 1 {
				a.repeated++
			}
			if err != nil {
				a.err = errors.Join(a.err, err)
			}
		}
		a.mu.Unlock()
	}
}

// mostTries is how often a request is made until its caller is lost: at its address, once more
// there, and at the fallback address.
const mostTries = 3

// standbyOf makes a standby of a server and lets each commit wait for it.
func standbyOf(ctx context.Context, s *server) (*server, error) {
	dir := filepath.Join(s.dir, "standby")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	copied, err := s.Standby(ctx, dir, "max_connections=200")
	if err != nil {
		return nil, err
	}
	return &server{Server: copied}, s.Synchronous(ctx)
}
