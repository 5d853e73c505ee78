package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// once answers webhooks with an outcome the first time and quietly afterwards.
func once(o integration.Outcome) func(integration.WebhookRequest) (integration.Outcome, error) {
	return func(req integration.WebhookRequest) (integration.Outcome, error) {
		if req.Facts.Session != nil {
			return integration.Outcome{Response: ok("again")}, nil
		}
		o := o
		o.Response = ok("done")
		if o.Session == nil {
			o.Session = remember("x")
		}
		return o, nil
	}
}

func TestTaskIsPerformedAndItsResultHandedToTheHandler(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	results := make(chan integration.TaskRequest, 10)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "dial", Generation: 1, Payload: []byte("call alice"), Format: 1}}})
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		if string(req.Task.Payload) != "call alice" || req.Facts.Session == nil || string(req.Facts.Instance.Options) == "" {
			return integration.TaskResult{}, integration.Errorf(integration.KindInvalid, "wrong request %+v", req)
		}
		if req.Attempt < 3 {
			return integration.TaskResult{}, integration.Errorf(integration.KindUnavailable, "not yet")
		}
		return integration.TaskResult{Payload: []byte("rings"), Media: []integration.MediaContent{{Name: "m.wav", ContentType: "audio/wav", Data: []byte("RIFF")}}}, nil
	}
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		results <- req
		return integration.Outcome{Session: remember("dialed")}, nil
	}
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	got := wait(t, results, "the result")
	if got.Event != integration.TaskDone || string(got.Result) != "rings" || got.Task.Name != "dial" || got.Failure != nil || got.Facts.Session.Version != 1 {
		t.Errorf("result %+v", got)
	}
	if len(got.Media) != 1 {
		t.Fatalf("media %+v", got.Media)
	}
	m, err := h.store.Medium(context.Background(), got.Media[0].Ref)
	if err != nil || string(m.Data) != "RIFF" || m.Public {
		t.Errorf("stored medium %+v, %v", m, err)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	if s, _ := h.store.Session(context.Background(), h.id, "K"); string(s.State) != `"dialed"` {
		t.Errorf("session %s", s.State)
	}
}

func (h *host) outboxEmpty(t *testing.T) bool {
	t.Helper()
	counts, _, err := h.store.OutboxStats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, phases := range counts {
		for _, c := range phases {
			n += c
		}
	}
	return n == 0
}

func TestFinalFailuresComeBackAsFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		err      *integration.Error
		notAfter time.Duration
		want     integration.Kind
		attempts int32 // at least
	}{
		{"not found", &integration.Error{Kind: integration.KindNotFound, Message: "gone", Code: "20404"}, 0, integration.KindNotFound, 1},
		{"invalid", integration.Errorf(integration.KindInvalid, "bad number"), 0, integration.KindInvalid, 1},
		{"unauthorized", integration.Errorf(integration.KindUnauthorized, "wrong key"), 0, integration.KindUnauthorized, 1},
		{"unsupported", integration.Errorf(integration.KindUnsupported, "no"), 0, integration.KindUnsupported, 1},
		{"unavailable until too late", integration.Errorf(integration.KindUnavailable, "503"), 2 * time.Minute, integration.KindDeadline, 2},
		{"too late before it began", integration.Errorf(integration.KindUnavailable, "503"), -time.Second, integration.KindDeadline, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			task := integration.Task{Name: "t", Generation: 1}
			if tc.notAfter != 0 {
				task.NotAfter = h.clock.Now().Add(tc.notAfter)
			}
			h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{task}})
			var attempts atomic.Int32
			h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
				attempts.Add(1)
				return integration.TaskResult{}, tc.err
			}
			results := make(chan integration.TaskRequest, 10)
			h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
				results <- req
				return integration.Outcome{}, nil
			}
			h.start(t)
			if _, err := h.post(t, "/", "CallKey=K"); err != nil {
				t.Fatal(err)
			}
			got := wait(t, results, "the failure")
			if got.Event != integration.TaskFailed || got.Failure == nil || got.Failure.Kind != tc.want || (tc.err.Code != "" && got.Failure.Code != tc.err.Code) {
				t.Errorf("got %s %v", got.Event, got.Failure)
			}
			if n := attempts.Load(); n < tc.attempts || (tc.attempts <= 1 && n != tc.attempts) {
				t.Errorf("%d attempts, want at least %d", n, tc.attempts)
			}
			eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
		})
	}
}

func TestAlertCommandsKeepTheirOrderAndAFinalFailureLetsTheNextPass(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	var cmds []integration.AlertCommand
	for i := range 6 {
		cmds = append(cmds, integration.AlertCommand{Number: int64(i + 1), Kind: integration.AlertLog, AlertKey: "K", Text: fmt.Sprint(i + 1)})
	}
	failures := make(chan integration.TaskRequest, 10)
	h.plugin.webhook = once(integration.Outcome{Alert: cmds})
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		failures <- req
		return integration.Outcome{}, nil
	}
	var third atomic.Int32
	h.platform.refuse = func(cmd integration.AlertCommand) error {
		switch {
		case cmd.Number == 3 && third.Add(1) < 4:
			return integration.Errorf(integration.KindUnavailable, "down")
		case cmd.Number == 5:
			return integration.Errorf(integration.KindInvalid, "never")
		}
		return nil
	}
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	got := wait(t, failures, "the failed command")
	if got.Event != integration.CommandFailed || got.Command == nil || got.Command.Number != 5 || got.Failure.Kind != integration.KindInvalid {
		t.Errorf("failure %+v", got)
	}
	eventually(t, "the last command", func() bool { return len(h.platform.commands()) == 5 })
	var order []int64
	for _, c := range h.platform.commands() {
		order = append(order, c.Number)
	}
	if !slices.Equal(order, []int64{1, 2, 3, 4, 6}) {
		t.Errorf("applied in order %v", order)
	}
}

func TestTimersFireReplaceAndCancel(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	fired := make(chan integration.TaskRequest, 10)
	now := h.clock.Now()
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok(""), Session: remember(1)}
		if req.Facts.Session == nil {
			o.Tasks = []integration.Task{
				{Name: "cancelled", Generation: 1, Timer: true, At: now.Add(20 * time.Second)},
				{Name: "replaced", Generation: 1, Timer: true, At: now.Add(25 * time.Second)},
				{Name: "kept", Generation: 1, Timer: true, At: now.Add(60 * time.Second), Payload: []byte("p")},
			}
		} else {
			o.Tasks = []integration.Task{
				{Name: "cancelled", Generation: 1, Cancel: true},
				{Name: "replaced", Generation: 2, Timer: true, At: now.Add(50 * time.Second)},
			}
		}
		return o, nil
	}
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		fired <- req
		return integration.Outcome{}, nil
	}
	for range 2 {
		if _, err := h.post(t, "/c/K/x", ""); err != nil {
			t.Fatal(err)
		}
	}
	h.start(t)
	first, second := wait(t, fired, "the replaced timer"), wait(t, fired, "the kept timer")
	if first.Task.Name != "replaced" || first.Task.Generation != 2 || second.Task.Name != "kept" || first.Event != integration.TimerDue || string(second.Task.Payload) != "p" {
		t.Errorf("fired %s/%d, then %s", first.Task.Name, first.Task.Generation, second.Task.Name)
	}
	for _, r := range []integration.TaskRequest{first, second} {
		if r.Facts.Now.Before(r.Task.At.Truncate(time.Millisecond)) {
			t.Errorf("%s fired at %v, before its time %v", r.Task.Name, r.Facts.Now, r.Task.At)
		}
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

func TestAResultIsKeptUntilItsHandlerHasRun(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	var performed, handled atomic.Int32
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		performed.Add(1)
		return integration.TaskResult{Payload: []byte("r")}, nil
	}
	done := make(chan string, 1)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if handled.Add(1) < 4 {
			return integration.Outcome{}, integration.ErrPluginGone
		}
		done <- string(req.Result)
		return integration.Outcome{}, nil
	}
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, done, "the handler"); got != "r" || performed.Load() != 1 {
		t.Errorf("result %q after %d performances, want one", got, performed.Load())
	}
}

func TestPacedTasksHoldUpNobodyElse(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *engine.Config) { c.Workers = 2 }) // fewer workers than tasks: waiting must not hold one
	var tasks []integration.Task
	for i := range 5 {
		tasks = append(tasks, integration.Task{Name: fmt.Sprint("dial-", i), Generation: 1, PaceKey: "account", PaceEvery: 4 * time.Second})
	}
	tasks = append(tasks, integration.Task{Name: "unpaced", Generation: 1})
	h.plugin.webhook = once(integration.Outcome{Tasks: tasks})
	starts := make(chan string, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		starts <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	started := map[string]int{}
	for range 6 {
		started[wait(t, starts, "a start")]++
	}
	if len(started) != 6 {
		t.Errorf("started %v, want each task once", started)
	}
}

func TestAlertChangesReachTheHandlerOnceEach(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	seen := make(chan integration.AlertRequest, 10)
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		u := remember("holding")
		u.AlertKey = "alert-K"
		return integration.Outcome{Response: ok(""), Session: u}, nil
	}
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		seen <- req
		return integration.Outcome{}, nil
	}
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	snap := integration.AlertSnapshot{Key: "alert-K", Status: integration.AlertOpen, Layer: 1}
	h.platform.setAlert(h.id, snap)
	if got := wait(t, seen, "the open alert"); got.Facts.Alert.Status != integration.AlertOpen || got.Facts.Session == nil || got.Facts.SessionKey != "K" {
		t.Errorf("request %+v", got.Facts)
	}
	h.platform.setAlert(h.id, snap) // a doubled hint
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "nobody's", Status: integration.AlertOpen})
	snap.Status, snap.Acknowledgements = integration.AlertAcknowledged, []integration.Acknowledgement{{ID: "ack-1", User: "alice"}}
	h.platform.setAlert(h.id, snap)
	if got := wait(t, seen, "the acknowledgement"); got.Facts.Alert.Status != integration.AlertAcknowledged || got.Facts.Alert.Acknowledgements[0].User != "alice" {
		t.Errorf("after the doubled hint came %+v", got.Facts.Alert)
	}
	h.platform.mu.Lock()
	delete(h.platform.alerts, "alert-K")
	h.platform.mu.Unlock()
	h.platform.hints <- hint(h.id, "alert-K")
	if got := wait(t, seen, "the deletion"); got.Facts.Alert.Status != integration.AlertDeleted {
		t.Errorf("a deleted alert is seen as %s", got.Facts.Alert.Status)
	}
}

func TestAlertsThatChangedWhileNobodyWatchedAreSeenAtStart(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		u := remember("holding")
		u.AlertKey = "K"
		return integration.Outcome{Response: ok(""), Session: u}, nil
	}
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	h.platform.alerts["K"] = integration.AlertSnapshot{Key: "K", Status: integration.AlertAcknowledged}
	seen := make(chan integration.AlertStatus, 10)
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		seen <- req.Facts.Alert.Status
		return integration.Outcome{}, nil
	}
	h.start(t)
	if got := wait(t, seen, "the look at live calls"); got != integration.AlertAcknowledged {
		t.Errorf("saw %s", got)
	}
}

func TestRequestsWhoseAnswerIsIgnoredAreKeptWhileThePluginIsAway(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.session(t, "K", h.clock.Now(), store.Session{})
	if err := h.Describe(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := make(chan integration.WebhookRequest, 10)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		got <- req
		return integration.Outcome{Response: ok("")}, nil
	}
	h.plugins.set(nil)
	h.start(t)
	if resp, err := h.post(t, "/c/K/late", "Status=completed"); err != nil || resp.Status != 204 {
		t.Fatalf("%d, %v", resp.Status, err)
	}
	if _, err := h.post(t, "/c/K/menu", "Digits=1"); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("a request that wants an answer: %v", err)
	}
	if f, ok := h.Fallback(context.Background(), h.id); !ok || string(f.Wait.Body) != "plugin's patience" {
		t.Errorf("fallback %q, %v", f.Wait.Body, ok)
	}
	h.plugins.set(h.plugin)
	req := wait(t, got, "the kept request")
	if !req.Deferred || string(req.Body) != "Status=completed" || req.Path != "/c/K/late" {
		t.Errorf("kept request %+v", req)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

func TestPeriodicTasksComeAgainAndAgain(t *testing.T) {
	t.Parallel()
	fired := make(chan string, 10)
	h := newHost(t, func(c *engine.Config) {
		p, _ := c.Plugins.Plugin("fake")
		p.(*fakePlugin).periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Minute}}
	})
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		fired <- req.Facts.SessionKey + " " + req.Task.Name
		return integration.Outcome{}, nil
	}
	h.start(t)
	for i := range 3 {
		if got := wait(t, fired, "the sweep"); got != "integration sweep" {
			t.Errorf("run %d: %q", i, got)
		}
	}
}

// sentMail remembers mails and fails as told.
type sentMail struct {
	mu   sync.Mutex
	sent []engine.OutgoingMail
	fail map[string]int // attempts to fail, by address
}

func (m *sentMail) Send(_ context.Context, mail engine.OutgoingMail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail[mail.To] > 0 {
		m.fail[mail.To]--
		return errors.New("connection refused")
	}
	if strings.HasPrefix(mail.To, "nobody@") {
		return integration.Errorf(integration.KindInvalid, "550 no such user")
	}
	m.sent = append(m.sent, mail)
	return nil
}

func TestMailGoesOnceToEachAddress(t *testing.T) {
	t.Parallel()
	mailer := &sentMail{fail: map[string]int{"bob@example.com": 3}}
	h := newHost(t, func(c *engine.Config) { c.Mailer = mailer })
	h.platform.audience = []string{"alice@example.com", "Carol@example.com"}
	m, err := h.store.PutMedium(context.Background(), store.Medium{MediaRef: integration.MediaRef{Name: "v.mp3", ContentType: "audio/mpeg"}, Data: []byte("ID3")})
	if err != nil {
		t.Fatal(err)
	}
	u := remember("x")
	u.AlertKey = "K"
	h.platform.alerts["K"] = integration.AlertSnapshot{Key: "K", URL: "https://hotline.example.com/alerts/1"}
	h.plugin.webhook = once(integration.Outcome{Session: u, Mail: []integration.Mail{{
		Key: "voicemail", Subject: "A message", Text: "…", LinkAlert: true, Attachments: []integration.MediaRef{m.MediaRef},
		To: []integration.Recipient{{Address: "bob@example.com"}, {Address: "nobody@example.com"}, {Address: "carol@EXAMPLE.com"}, {Audience: integration.AudienceTeam, Teams: []string{"devops"}}},
	}}})
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	var to []string
	ids := map[string]bool{}
	for _, s := range mailer.sent {
		to = append(to, s.To)
		ids[s.MessageID] = true
		if s.AlertURL != "https://hotline.example.com/alerts/1" || len(s.Attachments) != 1 || string(s.Attachments[0].Data) != "ID3" {
			t.Errorf("mail %+v", s)
		}
	}
	slices.Sort(to)
	if want := []string{"alice@example.com", "bob@example.com", "carol@EXAMPLE.com"}; !slices.Equal(to, want) || len(ids) != len(want) {
		t.Errorf("sent to %v with %d message ids, want %v", to, len(ids), want)
	}
}

func TestActionsRunOnTheIntegrationsOwnSession(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.action = func(req integration.ActionRequest) (integration.ActionResult, error) {
		n := "none"
		if req.Facts.Session != nil {
			n = string(req.Facts.Session.State)
		}
		return integration.ActionResult{OK: true, State: []byte(req.Values["v"]), Format: 1,
			Lines: []integration.ActionLine{{Level: "ok", Text: "before: " + n}}, Findings: []integration.Finding{{Code: "c", Severity: integration.FindingWarning, Message: "m"}}}, nil
	}
	for i, want := range []string{"before: none", "before: one"} {
		r, err := h.RunAction(context.Background(), h.id, "remember", map[string]string{"v": "one"})
		if err != nil || r.Lines[0].Text != want {
			t.Errorf("run %d: %+v, %v", i, r, err)
		}
	}
	if f, err := h.store.Findings(context.Background(), h.id); err != nil || len(f) != 1 || f[0].Code != "c" {
		t.Errorf("findings %+v, %v", f, err)
	}
	h.plugin.action = nil
	if _, err := h.RunAction(context.Background(), h.id, "nothing", nil); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("unknown action: %v", err)
	}
}

func TestSubscribersHearOfCallsAndAlerts(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	events, stop := h.Subscribe()
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		u := remember("x")
		u.Call = &integration.CallView{ID: "K", State: "holding"}
		return integration.Outcome{Response: ok(""), Session: u}, nil
	}
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	if e := wait(t, events, "the call's event"); e.Type != "call" || e.Key != "K" || e.Call.State != "holding" {
		t.Errorf("event %+v", e)
	}
	h.platform.hints <- hint(h.id, "K")
	if e := wait(t, events, "the alert's event"); e.Type != "alert" || e.Key != "K" {
		t.Errorf("event %+v", e)
	}
	stop()
}

func TestWorkOfAKilledPredecessorIsTakenUpAtOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *engine.Config) { c.Exclusive = true })
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	// The predecessor claimed the task for a year of the clock's time, and died.
	items, _, err := h.store.Claim(context.Background(), store.Claim{Owner: "dead", Now: h.clock.Now(), Lease: 365 * 24 * time.Hour, Limit: 10})
	if err != nil || len(items) != 1 {
		t.Fatalf("claimed %d items, %v", len(items), err)
	}
	attempts := make(chan int, 1)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		attempts <- req.Attempt
		return integration.TaskResult{}, nil
	}
	h.start(t)
	if got := wait(t, attempts, "the second attempt"); got != 2 {
		t.Errorf("attempt %d, want 2: the plugin must know that it may have been done", got)
	}
}

// terms lets an engine work in terms, which the test ends.
type terms struct {
	mu  sync.Mutex
	end context.CancelFunc
	may chan struct{} // gets a value for each term that may begin
}

func (s *terms) claiming(ctx context.Context) (context.Context, error) {
	select {
	case <-s.may:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	term, end := context.WithCancel(context.Background())
	s.end = end
	return term, nil
}

func (s *terms) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
}

// TestAHostThatOthersMayTakeForDeadGivesUpItsWork: what was under way is cancelled, others may have it at
// once, and nothing that comes of it is written. When it may work again, it begins anew.
func TestAHostThatOthersMayTakeForDeadGivesUpItsWork(t *testing.T) {
	t.Parallel()
	s := &terms{may: make(chan struct{}, 1)}
	h := newHost(t, func(c *engine.Config) { c.Owner, c.Claiming = "this", s.claiming })
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	attempts, cancelled := make(chan int, 10), make(chan error, 10)
	h.plugin.perform = func(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		attempts <- req.Attempt
		if req.Attempt < 3 {
			<-ctx.Done()
			cancelled <- ctx.Err()
			return integration.TaskResult{}, ctx.Err()
		}
		return integration.TaskResult{Payload: []byte("done")}, nil
	}
	results := make(chan string, 10)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Event != integration.TimerDue { // the host's own
			results <- string(req.Event) + " " + string(req.Result)
		}
		return integration.Outcome{}, nil
	}
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	h.start(t)
	s.may <- struct{}{}
	if got := wait(t, attempts, "the first attempt"); got != 1 {
		t.Errorf("attempt %d, want 1", got)
	}
	s.over()
	wait(t, cancelled, "the end of the first attempt")
	// Others have seen that this host is dead.
	if err := h.store.ReleaseLeases(t.Context(), "this"); err != nil {
		t.Fatal(err)
	}
	items, _, err := h.store.Claim(t.Context(), store.Claim{Owner: "other", Now: h.clock.Now(), Lease: time.Minute, Limit: 10})
	if err != nil || len(items) != 1 || items[0].Attempt != 2 {
		t.Fatalf("another host claims %+v (%v), want the second attempt", items, err)
	}
	s.may <- struct{}{}
	if err := h.store.RetryItem(t.Context(), items[0], h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, attempts, "an attempt in the second term"); got != 3 {
		t.Errorf("attempt %d, want 3", got)
	}
	if got := wait(t, results, "the result"); got != "task_done done" || len(results) != 0 {
		t.Errorf("the handler got %q and %d more", got, len(results))
	}
}

// TestWhatAStoppedHostHasBegunIsFree for the others at once.
func TestWhatAStoppedHostHasBegunIsFree(t *testing.T) {
	t.Parallel()
	s := &terms{may: make(chan struct{}, 1)}
	h := newHost(t, func(c *engine.Config) { c.Owner, c.Claiming = "this", s.claiming })
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	s.may <- struct{}{}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	eventually(t, "the leases of the term before are given back", func() bool { return h.store.times("ReleaseLeases") == 1 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := h.store.times("ReleaseLeases"); n != 2 {
		t.Errorf("leases were given back %d times, want at the begin and at the end", n)
	}
}

// freezing is a store that a host no longer claims from once it is frozen.
type freezing struct {
	store.Store
	frozen atomic.Bool
}

func (s *freezing) Claim(ctx context.Context, c store.Claim) ([]store.Item, time.Time, error) {
	if s.frozen.Load() {
		<-ctx.Done()
		return nil, time.Time{}, ctx.Err()
	}
	return s.Store.Claim(ctx, c)
}

// TestADialOfAFrozenHostIsDoneByAnother before a task that grants the time for it is too late.
func TestADialOfAFrozenHostIsDoneByAnother(t *testing.T) {
	t.Parallel()
	clk := newManual()
	var s freezing
	h := newHost(t, manual(clk), func(c *engine.Config) { s.Store = c.Store; c.Store = &s })
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{
		{Name: "dial", Generation: 1, PaceKey: "account", NotAfter: clk.Now().Add(integration.LongestTakeover + time.Second)},
	}})
	begun, attempts := make(chan struct{}), make(chan int, 10)
	frozen, thaw := context.WithCancel(context.Background())
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		s.frozen.Store(true)
		close(begun)
		<-frozen.Done()
		return integration.TaskResult{}, nil
	}
	results := make(chan string, 10)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Event != integration.TimerDue { // the host's own
			results <- string(req.Event)
		}
		return integration.Outcome{}, nil
	}
	h.start(t)
	t.Cleanup(thaw)
	h.expect(t, "/c/K/x", "done", "the request")
	wait(t, begun, "the first attempt")

	other := &fakePlugin{task: h.plugin.task, perform: func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		attempts <- req.Attempt
		return integration.TaskResult{}, nil
	}}
	h.plugins = &plugins{p: other, ids: []string{"fake"}}
	second := h.another(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- second.Run(ctx) }()
	for passed := time.Duration(0); passed < integration.LongestTakeover; passed += time.Second {
		eventually(t, "both hosts wait", func() bool { return clk.Waiting() >= 4 })
		clk.Advance(time.Second)
	}
	if got := wait(t, attempts, "the second attempt"); got != 2 {
		t.Errorf("attempt %d, want 2: the plugin must know that it may have been done", got)
	}
	if got := wait(t, results, "the result"); got != "task_done" {
		t.Errorf("the handler hears %s, want that the task is done", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAnItemThatAnotherProcessConsumedIsLeft(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1, Timer: true}}})
	runs := make(chan struct{}, 10)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		runs <- struct{}{}
		return integration.Outcome{Session: remember("mine")}, nil
	}
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	h.store.mu.Lock()
	h.store.before = func() { // the other process is faster by a hair
		items, err := h.store.SessionsByKey(context.Background(), "K")
		if err != nil || len(items) != 1 {
			t.Errorf("sessions %v, %v", items, err)
			return
		}
		_, err = h.store.Store.Commit(context.Background(), store.Commit{Integration: h.id, Key: "K", Version: items[0].Version, Done: h.firstItem(t), Now: h.clock.Now()})
		if err != nil {
			t.Errorf("the other commit: %v", err)
		}
	}
	h.store.mu.Unlock()
	h.start(t)
	wait(t, runs, "the handler")
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	if s, _ := h.store.Session(context.Background(), h.id, "K"); string(s.State) != `"x"` || len(runs) != 0 {
		t.Errorf("session %s after %d more runs, want it as it was and none", s.State, len(runs))
	}
}

// firstItem claims nothing: in a fresh store the first item has the first number.
func (h *host) firstItem(t *testing.T) int64 {
	t.Helper()
	return 1
}
