package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/integration-tests/balance"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// setup is a way to run switchboard.
type setup struct {
	name  string
	hosts int // 0: one, on SQLite; else so many on PostgreSQL
	// standby makes a second server, for which each commit of the first one waits.
	standby bool
	change  func(*demo.Config) // of the first host; nil: nothing
}

var setups = []setup{{name: "SQLite"}, {name: "PostgreSQL, one host", hosts: 1}, {name: "PostgreSQL, two hosts", hosts: 2}}

// server is a PostgreSQL for a measurement, with the settings that a package brings but for the
// number of connections.
type server struct {
	*postgres.Server
	dir string
}

func newServer(ctx context.Context) (*server, error) {
	dir, err := os.MkdirTemp("", "bench-postgres-")
	if err != nil {
		return nil, err
	}
	s, err := postgres.Start(ctx, dir, "max_connections=200")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &server{Server: s, dir: dir}, nil
}

func (s *server) stop() {
	s.Shutdown()
	_ = os.RemoveAll(s.dir)
}

// world is a running setup.
type world struct {
	*demo.Stack
	second   *demo.Host
	balancer *balance.Balancer
	server   *server // nil: SQLite
	standby  *server // nil: none
	url      string  // of the database
	dir      string
	commits  string // file with a byte for each commit on SQLite
}

// begin starts a setup whose requests go to its hosts by turns.
func begin(ctx context.Context, bin string, how setup, more map[string]any) (w *world, err error) {
	w = &world{}
	defer func() {
		if err != nil {
			w.stop()
		}
	}()
	if w.dir, err = os.MkdirTemp("", "bench-"); err != nil {
		return w, err
	}
	options := map[string]any{"reach": "acknowledge", "max_wait_time": 3600, "dial_pause": 0, "calls_per_number": 0}
	for name, value := range more {
		options[name] = value
	}
	cfg := demo.Config{Switchboard: bin + "/switchboard", Options: options, NoSetUp: true, DataDir: filepath.Join(w.dir, "first")}
	if how.hosts == 0 {
		w.commits = filepath.Join(w.dir, "commits")
		cfg.Env = append(cfg.Env, "SWITCHBOARD_TEST_EXIT=before:0@"+w.commits)
	}
	if how.hosts > 0 {
		if w.server, err = newServer(ctx); err != nil {
			return w, err
		}
		if err = w.server.CreateDatabase(ctx, "bench"); err != nil {
			return w, err
		}
		w.url = w.server.URL("bench")
		if how.standby {
			if w.standby, err = standbyOf(ctx, w.server); err != nil {
				return w, err
			}
			w.url = fmt.Sprintf("postgres://livecall@%s,%s/bench?target_session_attrs=read-write", w.server.Addr(), w.standby.Addr())
		}
		cfg.Env = append(cfg.Env, "SWITCHBOARD_DATABASE_URL="+w.url, "SWITCHBOARD_SECRET_KEY="+seal.NewKey())
	}
	if how.hosts > 1 {
		if w.balancer, err = balance.New(); err != nil {
			return w, err
		}
		cfg.PublicURL = w.balancer.URL
	}
	if how.change != nil {
		how.change(&cfg)
	}
	if w.Stack, err = demo.Start(ctx, cfg); err != nil {
		return w, err
	}
	if how.hosts > 1 {
		if w.second, err = w.AddHost(ctx, filepath.Join(w.dir, "second"), nil); err != nil {
			return w, err
		}
		w.balancer.To(w.Addr, w.second.Addr)
		w.direct(true)
	}
	return w, w.SetUp(ctx)
}

// direct makes requests go to the two hosts without the balancer, or through it again.
func (w *world) direct(yes bool) {
	turns, public := client.Transport.(*byTurns), strings.TrimPrefix(w.balancer.URL, "http://")
	if yes {
		turns.behind.Store(public, &hosts{addrs: []string{w.Addr, w.second.Addr}})
	} else {
		turns.behind.Delete(public)
	}
}

func (w *world) stop() {
	if w.second != nil {
		_ = w.second.Stop()
	}
	if w.Stack != nil {
		w.Stack.Stop()
	}
	if w.balancer != nil {
		w.direct(false)
		_ = w.balancer.Close()
	}
	if w.standby != nil {
		w.standby.Kill()
	}
	if w.server != nil {
		w.server.stop()
	}
	_ = os.RemoveAll(w.dir)
}

// pids are the processes whose CPU time counts; what they have started counts with them.
func (w *world) pids() []int {
	all := []int{w.Process.Process.Pid}
	if w.second != nil {
		all = append(all, w.second.Process.Process.Pid)
	}
	if w.server != nil {
		all = append(all, w.server.Pid())
	}
	return all
}

// transactions is how many transactions of the database have written something since countCommits.
// Several writes share one on SQLite.
func (w *world) transactions(ctx context.Context) (int64, error) {
	if w.server == nil {
		info, err := os.Stat(w.commits)
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	return w.number(ctx, "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
}

// countCommits begins to count on SQLite: a server counts by itself.
func (w *world) countCommits() error { return os.WriteFile(w.commits, nil, 0o600) }

// logged is how many bytes the server has put into its write-ahead log; 0 on SQLite. What it writes
// into the tables' files comes minutes later, and may be of what happened before.
func (w *world) logged(ctx context.Context) (int64, error) {
	return w.number(ctx, "select wal_bytes::bigint from pg_stat_wal")
}

// number asks the server; 0 on SQLite.
func (w *world) number(ctx context.Context, query string) (n int64, err error) {
	if w.server == nil {
		return 0, nil
	}
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return n, conn.QueryRow(ctx, query).Scan(&n)
}

// connections is how many the hosts have to the database's server.
func (w *world) connections(ctx context.Context) (n int, err error) {
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return n, conn.QueryRow(ctx, "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'").Scan(&n)
}

// severalHosts compares the setups.
func severalHosts(ctx context.Context, bin string, span time.Duration) error {
	echo, err := startEcho()
	if err != nil {
		return err
	}
	defer echo.stop()
	for _, n := range []int{1, 16} {
		fmt.Printf("%d at a time                              per second      p50        p99\n", n)
		for _, how := range setups {
			if err := compare(ctx, bin, how, echo, n, span); err != nil {
				return fmt.Errorf("%s: %w", how.name, err)
			}
		}
		fmt.Println()
	}
	return nil
}

// slicesOf is in how many parts a comparison is measured, by turns with the echo: whatever else the
// machine does meanwhile falls on all alike.
const slicesOf = 8

// compare measures ticks, arrivals and commits of a setup beside the echo.
func compare(ctx context.Context, bin string, how setup, echo *echoServer, n int, span time.Duration) error {
	w, err := begin(ctx, bin, how, nil)
	if err != nil {
		return err
	}
	defer w.stop()
	onHold, err := manyOnHold(w.Stack, 0, 64)
	if err != nil {
		return err
	}
	if w.server == nil {
		if err := w.countCommits(); err != nil {
			return err
		}
	}
	var next atomic.Int64
	loads := []struct {
		name         string
		do           func() error
		sample       sample
		used         time.Duration
		transactions int64
	}{
		{name: "bare echo", do: func() error { return post(echo.url, echoBody, "") }},
		{name: "quiet hold tick", do: func() error { return onHold[int(next.Add(1))%len(onHold)].tick() }},
		{name: "arrival", do: func() error {
			_, err := arrival(w.Stack, int(next.Add(1))+1_000_000)
			return err
		}},
	}
	for i := range loads {
		warm(n, loads[i].do)
	}
	for range slicesOf {
		for i := range loads {
			l := &loads[i]
			err1 := settle(w.Stack)
			before, err2 := w.transactions(ctx)
			used := cpu(w.pids()...)
			l.sample.measure(n, span/slicesOf, l.do)
			// What arrivals leave to do counts with them.
			err3 := settle(w.Stack)
			after, err4 := w.transactions(ctx)
			if err := errors.Join(err1, err2, err3, err4); err != nil {
				return err
			}
			l.used, l.transactions = l.used+cpu(w.pids()...)-used, l.transactions+after-before
		}
	}
	bare := loads[0].sample.result()
	for i := range loads {
		l := &loads[i]
		r := l.sample.result()
		fmt.Printf("  %-22s %-16s %s   %.3f of the echo's rate", how.name, l.name, r, r.rate/bare.rate)
		if i > 0 {
			fmt.Printf(", %.2f ms of CPU time each", ms(l.used)/float64(len(l.sample.took)))
		}
		if i > 0 && l.transactions > 0 {
			fmt.Printf(", %.2f writing transactions each, %.0f commits a second", float64(l.transactions)/float64(len(l.sample.took)), float64(l.transactions)/l.sample.elapsed.Seconds())
		}
		fmt.Println()
	}
	if w.server == nil {
		return nil
	}
	connections, err := w.connections(ctx)
	fmt.Printf("  %-22s connections to the database: %d\n", how.name, connections)
	return err
}

// holdPace is how often a caller on hold asks for the next document: slices of the bundled music
// are as long.
const holdPace = 15 * time.Second

// shareHold puts callers on hold on two hosts, behind a load balancer, and lets each ask for its
// next document as Twilio does, or speed times as fast, while claims are counted.
func shareHold(ctx context.Context, bin string, span time.Duration, holders int, speed float64) error {
	w, err := begin(ctx, bin, setups[2], nil)
	if err != nil {
		return err
	}
	defer w.stop()
	claims, err := newClaimsCounter(ctx, w.url)
	if err != nil {
		return err
	}
	w.direct(false)
	commits, err := w.commitsPerSecond(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	callers, err := manyOnHold(w.Stack, 0, holders)
	if err != nil {
		return err
	}
	fmt.Printf("%d callers are on hold on two hosts behind the balancer, %.0f new ones a second", holders, float64(holders)/time.Since(began).Seconds())
	if err := settle(w.Stack); err != nil {
		return err
	}
	perSecond, err := commits()
	if err != nil {
		return err
	}
	fmt.Printf(", %.0f commits a second\n", perSecond)
	if commits, err = w.commitsPerSecond(ctx); err != nil {
		return err
	}
	const rounds = 3
	every := time.Duration(float64(holdPace) / cmp.Or(speed, 1))
	took, failed, used := hold(callers, every, max(rounds*every, span), w.pids())
	if len(took) == 0 {
		return errors.New("no caller got a document")
	}
	if perSecond, err = commits(); err != nil {
		return err
	}
	slices.Sort(took)
	fmt.Printf("each asks every %s: p50 %.1f ms, p99 %.1f ms, longest %.0f ms, %d of %d failed; hosts, plugins and database used %.2f CPUs, %.1f ms a request; %.0f commits a second\n", every,
		ms(took[len(took)/2]), ms(took[len(took)*99/100]), ms(took[len(took)-1]), failed, len(took), used,
		1000*used*max(rounds*every, span).Seconds()/float64(len(took)), perSecond)
	connections, err := w.connections(ctx)
	if err != nil {
		return err
	}
	began = time.Now()
	if err := manyAtATime(len(callers), func(i int) error { return callers[i].status("completed") }); err != nil {
		return err
	}
	fmt.Printf("all hang up: %.0f a second; both hosts have %d connections\n", float64(holders)/time.Since(began).Seconds(), connections-1)
	if err := settle(w.Stack); err != nil {
		return err
	}
	n, twice, err := claims.read(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("items claimed: %d, of which while another claim held: %d\n\n", n, twice)
	if twice > 0 {
		return fmt.Errorf("%d items were claimed twice", twice)
	}
	return claims.stop(ctx)
}

// commitsPerSecond begins to count transactions that write; commits says how many there were a
// second since then.
func (w *world) commitsPerSecond(ctx context.Context) (commits func() (float64, error), err error) {
	before, err := w.transactions(ctx)
	began := time.Now()
	return func() (float64, error) {
		after, err := w.transactions(ctx)
		return float64(after-before) / time.Since(began).Seconds(), err
	}, err
}

// hold lets each caller ask for a document every so often for a span, begun evenly spread. used is
// in CPUs.
func hold(callers []*caller, every, span time.Duration, pids []int) (took []time.Duration, failed int, used float64) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	before, began := cpu(pids...), time.Now()
	for i, c := range callers {
		wg.Go(func() {
			at := began.Add(every * time.Duration(i) / time.Duration(len(callers)))
			for ; at.Before(began.Add(span)); at = at.Add(every) {
				time.Sleep(time.Until(at))
				asked := time.Now()
				err := c.tick()
				mu.Lock()
				took = append(took, time.Since(asked))
				if err != nil {
					failed++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return took, failed, float64(cpu(pids...)-before) / float64(time.Since(began))
}
