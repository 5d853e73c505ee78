package campaign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/pace"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// Config says what to play.
type Config struct {
	Programs string        // folder with switchboard and plugins/livecall; it is copied
	Manifest string        // the plugin's manifest before it is sealed
	Seed     uint64        // decides everything that is random
	Calls    int           // how many
	AtOnce   int           // calls of a wave; 0: all
	Span     time.Duration // time in which the callers of a wave call, of the simulator's clock
	// Average time between two faults, of the simulator's clock; 0: no faults.
	Gap      time.Duration
	First    []string      // faults of the programs that come first, in this order
	Storage  bool          // faults of the disk and of the database too
	Several  bool          // two hosts on one PostgreSQL, behind a balancer
	Remote   bool          // people and alerts are those of another product, asked over HTTP
	Duration time.Duration // no wave begins after that, of real time; 0: no limit
	Fastest  float64       // how fast the clock of both programs runs on a quiet machine
	// Bounds waiting for what must come, of the simulator's clock; it says when a failing run gives
	// up.
	Patience time.Duration
	Stories  int       // how many complaints are told in full
	Out      io.Writer // progress, violations and the table
}

// Result is what came of it.
type Result struct {
	Calls      int
	Violations int
	Faults     map[string]int // how often each came
}

// campaign is a stack that is disturbed while callers call.
type campaign struct {
	*demo.Stack
	cfg      Config
	seed     uint64
	sim      *twiliosim.Sim
	root     string // of programs, files and data
	hotlines []*hotline
	office   *postOffice
	outside  *outside // nil: people and alerts are the host's own
	shared   *shared  // nil: there is one host
	second   *demo.Host
	observer *observer
	trouble  *trouble
	log      *testlog.Buffer
	pacer    *pace.Pacer
	requests *exchanges
	before   remains
}

// Run plays a campaign and writes its report. The error says that it could not be played.
func Run(ctx context.Context, cfg Config) (result Result, err error) {
	if cfg.AtOnce == 0 {
		cfg.AtOnce = cfg.Calls
	}
	c := &campaign{cfg: cfg, seed: cfg.Seed, hotlines: hotlines(), log: &testlog.Buffer{}, requests: newExchanges()}
	defer func() { err = errors.Join(err, c.stop()) }()
	_, _ = fmt.Fprintln(cfg.Out, cfg.repeat()) // now already: the run may be cut short
	if err := c.start(ctx); err != nil {
		return result, err
	}
	following, cancel := context.WithCancel(ctx)
	defer cancel()
	var follower sync.WaitGroup
	follower.Go(func() { c.observer.run(following) })
	defer follower.Wait()
	defer cancel()

	total, began := newTally(), time.Now()
	for number := 0; total.Calls < cfg.Calls; number++ {
		if number > 0 && cfg.Duration > 0 && time.Since(began) > cfg.Duration {
			break
		}
		w := &wave{campaign: c, number: number, rings: map[string]int{}}
		r, err := w.play(ctx, total.Calls, min(cfg.AtOnce, cfg.Calls-total.Calls))
		if err != nil {
			return result, fmt.Errorf("wave %d of seed %d: %w\n%s", number, cfg.Seed, err, lastLines(c.log.String(), 60))
		}
		found := judge(r)
		// That only the daily clean-up finds: this wave has judged them.
		c.before.Queues = r.After.Queues
		total.add(r, found)
		c.tell(r, found, result.Violations)
		result = Result{Calls: total.Calls, Violations: result.Violations + len(found), Faults: total.Faults}
		_, _ = fmt.Fprintf(cfg.Out, "wave %d: %d calls, %d faults, %d violations, %s so far\n", number, len(r.Calls), len(r.Windows), len(found), time.Since(began).Round(time.Second))
	}
	_, _ = fmt.Fprintf(cfg.Out, "\n%s%s; %s\n", total, time.Since(began).Round(time.Second), cfg.repeat())
	return result, nil
}

// repeat says what is played, and how to play it again.
func (cfg Config) repeat() string {
	platform, percent, hosts, storage := "the host's own platform", 0, 1, 0
	if cfg.Remote {
		platform, percent = "another product's platform", 100
	}
	if cfg.Several {
		platform, hosts = platform+", two hosts on one PostgreSQL", 2
	}
	if cfg.Storage {
		storage = 1
	}
	if len(cfg.First) > 0 {
		return fmt.Sprintf("%d calls on %s, first %s; repeat with: go test -run TestCampaignOnTwoHosts ./integration-tests/campaign", cfg.Calls, platform, strings.Join(cfg.First, ", "))
	}
	return fmt.Sprintf("%d calls on %s; repeat with: make campaign CALLS=%d SEED=%d REMOTE=%d HOSTS=%d STORAGE=%d",
		cfg.Calls, platform, cfg.Calls, cfg.Seed, percent, hosts, storage)
}

// tell writes complaints, the first ones with the whole story of their call.
func (c *campaign) tell(r *record, found []complaint, told int) {
	log := c.log.String()
	for i, x := range found {
		_, _ = fmt.Fprintf(c.cfg.Out, "VIOLATION %s: %s %s\n", x.Check, x.Call, x.Text)
		if told+i >= c.cfg.Stories {
			continue
		}
		for _, sid := range callSids(x) {
			_, _ = fmt.Fprintln(c.cfg.Out, story(r, sid, log))
		}
	}
}

func lastLines(text string, n int) string {
	at := len(text)
	for i := len(text) - 1; i >= 0 && n > 0; i-- {
		if text[i] == '\n' {
			n--
		}
		at = i
	}
	return text[at:]
}

// start copies the programs, starts them and makes the hotlines.
func (c *campaign) start(ctx context.Context) (err error) {
	if c.root, err = os.MkdirTemp("", "livecall-campaign-"); err != nil {
		return err
	}
	if c.root, err = filepath.EvalSymlinks(c.root); err != nil { // processes are found by it
		return err
	}
	if err := os.CopyFS(filepath.Join(c.root, "bin"), os.DirFS(c.cfg.Programs)); err != nil {
		return err
	}
	people := filepath.Join(c.root, "switchboard.yaml")
	if err := os.WriteFile(people, []byte(yaml(c.hotlines)), 0o600); err != nil {
		return err
	}
	if c.office, err = openPostOffice(); err != nil {
		return err
	}
	c.pacer = pace.Start(c.root)
	now := time.Now()
	shared, err := c.pacer.Clock(now, c.cfg.Fastest)
	if err != nil {
		return err
	}
	file, env, err := c.openOutside(ctx, people, shared)
	if err != nil {
		return err
	}
	hosts, err := c.pacer.Clock(now, c.cfg.Fastest) // of its own, so that it can be set wrong
	if err != nil {
		return err
	}
	plugins := filepath.Join(c.root, "bin", "plugins")
	config := demo.Config{
		Switchboard: filepath.Join(c.root, "bin", "switchboard"), PluginDir: plugins, File: file, DataDir: filepath.Join(c.root, "data"),
		Clock: shared.Followers(), NoSetUp: true, Log: c.log,
		Env: append(env, "SWITCHBOARD_SMTP_URL="+c.office.URL(), "SWITCHBOARD_TEST_CLOCK="+hosts.Followers()),
		Sim: twiliosim.Config{Transport: c.requests, CallsPerSecond: -1, PatienceFloor: 20 * time.Second, EventLimit: 1_000_000,
			Behaviour: twiliosim.Behaviour{ShuffleStatusCallbacks: chance(draw(c.seed, "order"), 50)}},
	}
	if err := c.startHosts(ctx, config); err != nil {
		return err
	}
	c.sim, c.observer = c.Sim, newObserver(c.Sim)
	c.trouble = &trouble{stack: c.Stack, hosts: []*demo.Host{c.Host}, shared: c.shared, office: c.office, outside: c.outside, plugins: plugins, manifest: c.cfg.Manifest, file: people, hotlines: c.hotlines, hostClock: hosts, first: c.cfg.First}
	if c.second != nil {
		c.trouble.hosts = append(c.trouble.hosts, c.second)
	}
	if c.outside != nil {
		c.outside.hint(c.URL)
	}
	for _, h := range c.hotlines {
		if err := c.connect(ctx, h); err != nil {
			return err
		}
	}
	c.before, err = lookAround(ctx, c.Stack, c.root, c.trouble.database())
	return err
}

// startHosts starts one host, or two that share a database.
func (c *campaign) startHosts(ctx context.Context, config demo.Config) (err error) {
	if c.cfg.Several {
		if c.shared, err = openShared(ctx, c.root); err != nil {
			return err
		}
		c.shared.change(&config)
	}
	if c.Stack, err = demo.Start(ctx, config); err != nil || !c.cfg.Several {
		return err
	}
	if c.second, err = c.AddHost(ctx, filepath.Join(c.root, "second"), c.log); err != nil {
		return err
	}
	c.shared.balancer.To(c.Addr, c.second.Addr)
	return nil
}

// openOutside starts the other product's platform, if there is to be one. It returns the host's
// file, which is that of the people where they are the host's own, and the host's environment.
func (c *campaign) openOutside(ctx context.Context, people string, shared *clock.Leader) (file string, env []string, err error) {
	if !c.cfg.Remote {
		return people, nil, nil
	}
	clk, err := clock.Parse(shared.Followers())
	if err != nil {
		return "", nil, err
	}
	if c.outside, err = openOutside(ctx, c.root, people, clk); err != nil {
		return "", nil, err
	}
	file = filepath.Join(c.root, "host.yaml")
	return file, c.outside.env(), os.WriteFile(file, []byte(c.outside.yaml()), 0o600)
}

// connect makes the integration of a hotline and points its number to it, with the fallback address
// that the operator's guide asks for.
func (c *campaign) connect(ctx context.Context, h *hotline) error {
	var teams []string
	for _, t := range h.Teams {
		teams = append(teams, t.ID)
	}
	options := map[string]any{
		"account_sid": twiliosim.DefaultAccountSid, "api_key": twiliosim.DefaultAPIKey,
		"api_secret": twiliosim.DefaultAPISecret, "auth_token": twiliosim.DefaultAuthToken,
	}
	for k, v := range h.Options {
		options[k] = v
	}
	var made struct {
		ID       string `json:"id"`
		Endpoint string `json:"endpoint_url"`
	}
	var destinations []map[string]string
	for _, id := range teams {
		destinations = append(destinations, map[string]string{"kind": "team", "id": id})
	}
	if err := c.API(ctx, "POST", "/api/v1/integrations", map[string]any{
		"plugin": "livecall", "name": h.Name, "enabled": true, "destinations": destinations, "options": options,
	}, &made); err != nil {
		return err
	}
	h.ID = made.ID
	_, err := c.sim.AddNumber(twiliosim.Number{PhoneNumber: h.number(), VoiceURL: made.Endpoint + "#rc=3&rp=ct,5xx",
		VoiceFallbackURL: made.Endpoint + "/resume#rc=3&rp=ct,5xx", StatusCallback: made.Endpoint + "/status#rc=3&rp=ct,5xx"})
	return err
}

// stop ends everything and removes what was written.
func (c *campaign) stop() (err error) {
	if c.second != nil {
		err = c.second.Stop()
	}
	if c.Stack != nil {
		err = errors.Join(err, c.StopSwitchboard())
		c.Stop()
	}
	if c.shared != nil {
		err = errors.Join(err, c.shared.close())
	}
	if c.outside != nil {
		err = errors.Join(err, c.outside.close())
	}
	if c.office != nil {
		c.office.close()
	}
	if c.pacer != nil {
		c.pacer.Close()
	}
	if c.root != "" {
		err = errors.Join(err, os.RemoveAll(c.root))
	}
	return err
}

// wave is a crowd of callers, from the first ring until all that comes of it is done.
type wave struct {
	*campaign
	number int
	began  time.Time

	mu      sync.Mutex
	callers []*caller
	actions []action
	rings   map[string]int // by telephone
}

// play has callers call, disturbs everything, waits until nothing is left to do, and returns the
// facts. The callers are numbered from first.
func (w *wave) play(ctx context.Context, first, count int) (*record, error) {
	w.began = w.sim.Now()
	for _, h := range w.hotlines {
		w.responders(h)
	}
	desk, closeDesk := context.WithCancel(ctx)
	disturbed, calm := context.WithCancel(ctx)
	defer closeDesk()
	defer calm()
	var crowd, others sync.WaitGroup
	for i := range count {
		crowd.Go(func() { w.call(ctx, planCaller(w.seed, first+i, w.hotlines, w.cfg.Span)) })
	}
	others.Go(func() { w.desk(desk) })
	var troubled error
	if w.trouble.ctx = disturbed; w.cfg.Gap > 0 {
		others.Go(func() { troubled = w.trouble.run(w.seed, w.number, w.cfg.Gap, w.cfg.Storage) })
	}
	// The last callers are left in peace: what faults have broken must heal while they wait.
	_ = clock.Sleep(ctx, w.sim.Clock(), w.cfg.Span+2*time.Minute)
	calm()
	w.waitFor(&crowd)
	closeDesk()
	others.Wait()
	w.trouble.ctx = ctx
	if err := errors.Join(troubled, w.trouble.heal()); err != nil {
		return nil, err
	}
	after, err := w.settle(ctx)
	if err != nil {
		return nil, err
	}
	return w.record(ctx, after)
}

// waitFor waits for a group, as long as the run's patience lasts. What does not end by then, the
// checks find. Patience goes by the simulator's clock, which is as slow as the machine is crowded.
func (w *wave) waitFor(g *sync.WaitGroup) {
	done := make(chan struct{})
	go func() {
		g.Wait()
		close(done)
	}()
	t := w.sim.Clock().NewTimer(w.cfg.Patience)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

// call plays one caller.
func (w *wave) call(ctx context.Context, p callerPlan) {
	if clock.Sleep(ctx, w.sim.Clock(), w.began.Add(p.At).Sub(w.sim.Now())) != nil {
		return
	}
	call, err := w.sim.Call(p.From, p.Hotline.number())
	if err != nil {
		panic(err) // the plan names a number that the account has
	}
	c := &caller{person: person{sim: w.sim, call: call}, plan: p}
	w.mu.Lock()
	w.callers = append(w.callers, c)
	w.mu.Unlock()
	c.play(ctx, w.observer)
}

// settle waits until nothing is left to do, or the run's patience is over. A queue that is left
// when all else is done may be one that only the daily clean-up finds: it is not waited for that
// long.
func (w *wave) settle(ctx context.Context) (m remains, err error) {
	http.DefaultClient.CloseIdleConnections()
	var done time.Time // all but the queues
	for end := w.sim.Now().Add(w.cfg.Patience); ; time.Sleep(300 * time.Millisecond) {
		m, err = lookAround(ctx, w.Stack, w.root, w.trouble.database())
		found := nothingIsLeft(&record{Before: w.before, After: m})
		switch {
		case w.sim.Now().After(end) || ctx.Err() != nil:
			return m, err
		case err != nil || slices.ContainsFunc(found, func(x complaint) bool { return !strings.Contains(x.Text, "the queue") }):
			done = time.Time{}
		case len(found) == 0:
			return m, nil
		case done.IsZero():
			done = w.sim.Now()
		case w.sim.Now().Sub(done) > w.cfg.Patience/6:
			return m, nil
		}
	}
}

// record gathers the facts.
func (w *wave) record(ctx context.Context, after remains) (*record, error) {
	events, _ := w.observer.take()
	windows, earlier := w.trouble.take()
	r := &record{Windows: windows, Earlier: earlier, Violations: w.sim.TakeViolations(), Mails: w.office.take(), Before: w.before, After: after,
		Slack: time.Duration(w.cfg.Fastest * float64(2*time.Second))}
	r.Took, r.Documents = w.requests.take()
	bySid := map[string]*callFacts{}
	for _, c := range w.callers {
		f := &callFacts{Plan: c.plan, Sid: c.call.Sid, HungUp: c.hangUpTime()}
		if list := events[f.Sid]; len(list) > 0 {
			f.Dialed = list[0].At
			f.digest(list)
		}
		bySid[f.Sid] = f
		r.Calls = append(r.Calls, f)
	}
	for sid, list := range events {
		if bySid[sid] != nil {
			continue
		}
		if l := digestLeg(sid, list); l != nil && bySid[l.Caller] != nil {
			bySid[l.Caller].Legs = append(bySid[l.Caller].Legs, l)
		}
	}
	for _, a := range w.actions {
		bySid[a.Call].Actions = append(bySid[a.Call].Actions, a)
	}
	if err := w.askHost(ctx, r, bySid); err != nil {
		return nil, err
	}
	return r, nil
}

// askHost adds what the host says of each call, and its alerts.
func (w *wave) askHost(ctx context.Context, r *record, bySid map[string]*callFacts) error {
	for _, h := range w.hotlines {
		list, err := w.alerts(ctx, h)
		if err != nil {
			return err
		}
		for _, a := range list {
			if f := bySid[a.Key]; f != nil {
				f.Alerts = append(f.Alerts, a)
			} else if w.number == 0 {
				r.Strangers = append(r.Strangers, a)
			}
		}
		var calls []struct{ SID, State, Ended string }
		if err := w.API(ctx, "GET", "/api/v1/calls?limit=1000&integration="+h.ID, nil, &calls); err != nil {
			return err
		}
		for _, c := range calls {
			if f := bySid[c.SID]; f != nil {
				f.Known, f.State, f.Ended = true, c.State, c.Ended
			}
		}
	}
	return nil
}
