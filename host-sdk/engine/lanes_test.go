package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// hanging counts calls that hang, by what they are, until it is released.
type hanging struct {
	release chan struct{}

	mu    sync.Mutex
	calls map[string]int
}

func newHanging() *hanging { return &hanging{release: make(chan struct{}), calls: map[string]int{}} }

// hang hangs, whatever becomes of the caller's context.
func (h *hanging) hang(what string) {
	h.mu.Lock()
	h.calls[what]++
	h.mu.Unlock()
	<-h.release
}

// counts are the calls so far.
func (h *hanging) counts() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	got := map[string]int{}
	for k, n := range h.calls {
		got[k] = n
	}
	return got
}

// hangingPlatform hangs in what hangs names for an integration.
type hangingPlatform struct {
	*fakePlatform
	hangs func(method, integrationID string)
}

func (p hangingPlatform) Apply(ctx context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	p.hangs("Apply", scope.Integration)
	return p.fakePlatform.Apply(ctx, scope, cmd)
}

func (p hangingPlatform) OnCall(ctx context.Context, scope platform.Scope, team string, layer int, at time.Time) ([]integration.OnCallEntry, error) {
	p.hangs("OnCall", scope.Integration)
	return p.fakePlatform.OnCall(ctx, scope, team, layer, at)
}

// mailerFunc is a mailer.
type mailerFunc func(engine.OutgoingMail) error

func (f mailerFunc) Send(_ context.Context, m engine.OutgoingMail) error { return f(m) }

// TestAnIntegrationThatHangsInEveryWayDelaysNoOther fills every kind of work with work of one
// integration that hangs, and then wants each kind for another one.
func TestAnIntegrationThatHangsInEveryWayDelaysNoOther(t *testing.T) {
	t.Parallel()
	const each = 20 // items of each kind that hang; there are 16 workers
	hung, done := newHanging(), make(chan string, 100)
	var sick string
	h := newHost(t, func(c *engine.Config) {
		c.Platform = hangingPlatform{c.Platform.(*fakePlatform), func(method, id string) {
			if id == sick {
				hung.hang(method)
			}
			done <- method
		}}
		c.Mailer = mailerFunc(func(m engine.OutgoingMail) error {
			if strings.HasPrefix(m.To, "sick") {
				hung.hang("mail")
			}
			done <- "mail"
			return nil
		})
	})
	sick = h.id
	in, _, err := h.Configure(context.Background(), "", 0, draft("Well"))
	if err != nil {
		t.Fatal(err)
	}
	var to []integration.Recipient
	for i := range each {
		to = append(to, integration.Recipient{Address: fmt.Sprintf("sick-%d@example.com", i)})
	}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		key := req.Facts.SessionKey
		switch {
		case strings.HasSuffix(req.Path, "/late") && !req.Deferred:
			return integration.Outcome{}, errDown
		case strings.HasSuffix(req.Path, "/late") && req.Facts.Instance.ID == sick:
			hung.hang("webhook")
		case strings.HasSuffix(req.Path, "/late"):
			done <- "webhook"
		default:
			o := integration.Outcome{Response: ok("done"), Session: remember(1),
				Alert: []integration.AlertCommand{{Kind: integration.AlertLog, AlertKey: key, Text: "x"}},
				Tasks: []integration.Task{{Name: "task", Generation: 1}, {Name: "timer", Generation: 1, Timer: true},
					{Name: "dial", Generation: 1, PaceKey: "account", PaceEvery: time.Millisecond}},
				Mail: []integration.Mail{{Key: "m", To: []integration.Recipient{{Address: "well@example.com"}}}},
			}
			if req.Facts.Instance.ID == sick {
				o.Mail[0].To = to
			}
			return o, nil
		}
		return integration.Outcome{}, nil
	}
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		if req.Facts.Instance.ID == sick {
			hung.hang(req.Task.Name)
		}
		done <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Facts.Instance.ID == sick {
			hung.hang("event")
		} else if req.Event == integration.TimerDue {
			done <- "timer"
		} else {
			done <- "result of " + req.Task.Name
		}
		return integration.Outcome{}, nil
	}
	h.start(t)
	t.Cleanup(func() { close(hung.release) })
	post := func(id, path string) {
		t.Helper()
		if _, err := h.Webhook(context.Background(), id, integration.WebhookRequest{Method: "POST", Path: path}); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	for i := range each {
		post(sick, fmt.Sprintf("/c/S%d/begin", i))
		h.session(t, fmt.Sprintf("W%d", i), h.clock.Now(), store.Session{})
		post(sick, fmt.Sprintf("/c/W%d/late", i))
	}
	// Half of the workers of each kind are the most that one integration may have.
	most := map[string]int{"Apply": 8, "mail": 8, "webhook": 8, "event": 8, "task": 8, "dial": 8}
	eventually(t, "everything hanging", func() bool {
		got := hung.counts()
		for kind := range most {
			if got[kind] < 8 {
				return false
			}
		}
		return true
	})
	post(in.ID, "/c/K/begin")
	post(in.ID, "/c/K/late")
	got, want := map[string]bool{}, map[string]bool{"Apply": true, "mail": true, "webhook": true, "task": true, "timer": true, "dial": true,
		"result of task": true, "result of dial": true, "result of mail-sent": true}
	for range want {
		got[wait(t, done, "the work of the other integration")] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("work done (-want +got):\n%s", diff)
	}
	// After ten seconds the first of them are given up and others begin.
	now := hung.counts()
	delete(now, "OnCall") // read ahead of calls, by nobody's worker
	if diff := cmp.Diff(most, now); diff != "" && time.Since(began) < 9*time.Second {
		t.Errorf("it was done only after hanging work had been given up: hung (-want +got):\n%s", diff)
	}
}

// TestAMailServerThatHangsDelaysNoDial of the same integration.
func TestAMailServerThatHangsDelaysNoDial(t *testing.T) {
	t.Parallel()
	hung := newHanging()
	h := newHost(t, func(c *engine.Config) {
		c.Mailer = mailerFunc(func(engine.OutgoingMail) error { hung.hang("mail"); return nil })
	})
	var to []integration.Recipient
	for i := range 20 {
		to = append(to, integration.Recipient{Address: fmt.Sprintf("p%d@example.com", i)})
	}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok("done"), Session: remember(1), Mail: []integration.Mail{{Key: "m", To: to}}}
		if req.Facts.SessionKey == "second" {
			o.Mail, o.Tasks = nil, []integration.Task{{Name: "dial", Generation: 1, PaceKey: "account", PaceEvery: time.Second}}
		}
		return o, nil
	}
	dialed := make(chan string, 1)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		dialed <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.start(t)
	t.Cleanup(func() { close(hung.release) })
	h.expect(t, "/c/first/x", "done", "the call that leaves a mail")
	eventually(t, "hanging mails", func() bool { return hung.counts()["mail"] == 8 })
	h.expect(t, "/c/second/x", "done", "the call that dials")
	wait(t, dialed, "the dial")
	if n := hung.counts()["mail"]; n != 8 {
		t.Errorf("%d mails were begun before the dial, so it waited for some to be given up", n)
	}
}

// TestPeopleAreDialedInTheOrderOfTheTasks although all of them are claimed at once.
func TestPeopleAreDialedInTheOrderOfTheTasks(t *testing.T) {
	t.Parallel()
	clk := newManual() // so that a turn comes only when the one before has been seen to begin
	h := newHost(t, manual(clk))
	var tasks []integration.Task
	var want []string
	for i := range 12 {
		name := fmt.Sprintf("dial-%02d", i)
		want = append(want, name)
		tasks = append(tasks, integration.Task{Name: name, Generation: 1, PaceKey: "account", PaceEvery: time.Second})
	}
	h.plugin.webhook = once(integration.Outcome{Tasks: tasks})
	starts := make(chan string, 20)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		if req.Attempt != 1 {
			t.Errorf("%s is performed as attempt %d", req.Task.Name, req.Attempt)
		}
		starts <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.expect(t, "/c/K/x", "done", "the request")
	h.start(t)
	var got []string
	for range want {
		got = append(got, wait(t, starts, "a dial"))
		clk.Advance(time.Second)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dialed (-want +got):\n%s", diff)
	}
}

// TestADialIsLookedAtAgainWhenItsTurnComes: what was cancelled or is too late meanwhile is not run.
func TestADialIsLookedAtAgainWhenItsTurnComes(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	dial := func(name string) integration.Task {
		return integration.Task{Name: name, Generation: 1, PaceKey: "account", PaceEvery: 10 * time.Second}
	}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok("done"), Session: remember(1)}
		if strings.HasSuffix(req.Path, "/cancel") {
			o.Tasks = []integration.Task{{Name: "cancelled", Generation: 1, Cancel: true}}
			return o, nil
		}
		expired := dial("expired")
		expired.NotAfter = req.Facts.Now.Add(5 * time.Second)
		o.Tasks = []integration.Task{dial("first"), dial("cancelled"), expired, dial("last")}
		return o, nil
	}
	performed, failed := make(chan string, 10), make(chan string, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		performed <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Event == integration.TaskFailed {
			failed <- req.Task.Name + " " + string(req.Failure.Kind)
		}
		return integration.Outcome{}, nil
	}
	h.expect(t, "/c/K/x", "done", "the request")
	h.start(t)
	if got := wait(t, performed, "the first dial"); got != "first" {
		t.Fatalf("%s is dialed first", got)
	}
	h.expect(t, "/c/K/cancel", "done", "the one that cancels")
	eventually(t, "the last dial and the failure", func() bool {
		clk.Advance(time.Second)
		return len(performed) > 0 && len(failed) > 0
	})
	if got := <-performed; got != "last" {
		t.Errorf("%s is dialed", got)
	}
	if got := <-failed; got != "expired deadline" {
		t.Errorf("failed: %s", got)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

// TestADialWhoseTurnNeverCameIsAFirstAttempt: a host has died while it waited to dial, so nobody's
// phone has rung, and the plugin is not to think so.
func TestADialWhoseTurnNeverCameIsAFirstAttempt(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "dial", Generation: 1, PaceKey: "account", PaceEvery: time.Second}}})
	attempts := make(chan int, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		attempts <- req.Attempt
		return integration.TaskResult{}, nil
	}
	h.expect(t, "/c/K/x", "done", "the request")
	items, _, err := h.store.Claim(t.Context(), store.Claim{Owner: "dead", Now: clk.Now(), Lease: time.Minute, Limit: 10})
	if err != nil || len(items) != 1 {
		t.Fatalf("claimed %+v, %v", items, err)
	}
	clk.Advance(2 * time.Minute)
	h.start(t)
	if got := wait(t, attempts, "the dial"); got != 1 {
		t.Errorf("it is attempt %d", got)
	}
}

// hangingStore hangs in a method once told to.
type hangingStore struct {
	store.Store
	hangs func(method string)
}

func (s hangingStore) Session(ctx context.Context, id, key string) (store.Session, error) {
	s.hangs("Session")
	return s.Store.Session(ctx, id, key)
}

func (s hangingStore) Commit(ctx context.Context, c store.Commit) (int64, error) {
	s.hangs("Commit")
	return s.Store.Commit(ctx, c)
}

func (s hangingStore) KeptIntegration(ctx context.Context, id string) (store.Integration, error) {
	s.hangs("KeptIntegration")
	return s.Store.KeptIntegration(ctx, id)
}

func (s hangingStore) Findings(ctx context.Context, id string) ([]integration.Finding, error) {
	s.hangs("Findings")
	return s.Store.Findings(ctx, id)
}

// TestWhateverHangsIsAbandoned: the request ends with its time, the fallback answer is at hand, and
// the session can be used again, although the call that hangs never returns.
func TestWhateverHangsIsAbandoned(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"OnCall", "Session", "Commit", "Findings", "KeptIntegration", "HandleWebhook"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			hung := newHanging()
			var armed atomic.Bool
			hangs := func(method string) { // once
				if method == what && armed.CompareAndSwap(true, false) {
					hung.hang(method)
				}
			}
			h := newHost(t, func(c *engine.Config) {
				c.Platform = hangingPlatform{c.Platform.(*fakePlatform), func(method, _ string) { hangs(method) }}
				c.Store = hangingStore{c.Store, hangs}
			})
			h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
				hangs("HandleWebhook")
				if len(req.Facts.Answers) == 0 {
					return integration.Outcome{Need: []integration.Question{{ID: "q", Kind: integration.AskOnCall, Team: "devops"}}}, nil
				}
				return integration.Outcome{Response: ok("done"), Session: remember(1)}, nil
			}
			// A host does so before its first call.
			if err := h.Describe(context.Background()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { close(hung.release) })
			armed.Store(true)
			// On a busy machine a short time may pass before the request gets there.
			for limit := 100 * time.Millisecond; hung.counts()[what] == 0 && limit < time.Minute; limit *= 2 {
				ctx, cancel := context.WithTimeout(context.Background(), limit)
				_, err := h.postWithin(ctx, "/c/K/x", "")
				cancel()
				if integration.KindOf(err) != integration.KindDeadline {
					t.Fatalf("the request ends with %v, want a deadline", err)
				}
			}
			if f, there := h.Fallback(context.Background(), h.id); !there || len(f.Wait.Body) == 0 {
				t.Error("there is no fallback answer")
			}
			if hung.counts()[what] != 1 {
				t.Errorf("hung: %v", hung.counts())
			}
			h.expect(t, "/c/K/x", "done", "the next request of the call")
		})
	}
}
