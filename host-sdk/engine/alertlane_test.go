package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// commanding lets each request give the alert the commands that its path names, numbered as they
// come: /c/K/create+log gives two.
func commanding() func(integration.WebhookRequest) (integration.Outcome, error) {
	var number atomic.Int64
	return func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok("done"), Session: remember("call")}
		o.Session.AlertKey = req.Facts.SessionKey
		for _, kind := range strings.FieldsFunc(req.Path[strings.LastIndex(req.Path, "/")+1:], func(r rune) bool { return r == '+' }) {
			if kind != "nothing" {
				o.Alert = append(o.Alert, integration.AlertCommand{Kind: integration.AlertCommandKind(kind), AlertKey: req.Facts.SessionKey, Number: number.Add(1)})
			}
		}
		return o, nil
	}
}

// kinds are the kinds of commands, joined.
func kinds(cmds []integration.AlertCommand) string {
	var names []string
	for _, c := range cmds {
		names = append(names, string(c.Kind))
	}
	return strings.Join(names, " ")
}

// given waits until the platform was given exactly these commands, in this order.
func (h *host) given(t *testing.T, want string) {
	t.Helper()
	eventually(t, "the commands "+want, func() bool { return len(h.platform.commands()) >= len(strings.Fields(want)) })
	if got := kinds(h.platform.commands()); got != want {
		t.Fatalf("the platform was given %q, want %q", got, want)
	}
}

// held is how many commands are held.
func (h *host) held(t *testing.T) int {
	t.Helper()
	counts, _, err := h.store.OutboxStats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return counts[store.ItemCommand][store.PhaseHeld]
}

// routing is a host on a platform without unrouted alerts, with a clock that stands still.
func routing(t *testing.T) (*host, *clock.Manual) {
	t.Helper()
	clk := newManual()
	h := newHost(t, manual(clk), routedOnly)
	h.plugin.webhook = commanding()
	h.start(t)
	return h, clk
}

// routedOnly makes the platform one without unrouted alerts.
func routedOnly(c *engine.Config) { c.Platform.(*fakePlatform).routedOnly = true }

// TestCommandsWaitForTheRouteOnAPlatformWithoutUnroutedAlerts and are then given to it in order,
// and so are those that follow. They are not late meanwhile.
func TestCommandsWaitForTheRouteOnAPlatformWithoutUnroutedAlerts(t *testing.T) {
	t.Parallel()
	h, clk := routing(t)
	h.expect(t, "/c/K/create+log", "done", "the call comes in")
	h.expect(t, "/c/K/add_field", "done", "the caller chooses")
	clk.Advance(time.Hour)
	h.expect(t, "/c/other/create+route", "done", "another call is routed at once")
	h.given(t, "create route")
	if n := h.held(t); n != 3 {
		t.Errorf("%d commands are held, want 3", n)
	}
	if late, err := h.store.OverdueItems(context.Background(), clk.Now()); err != nil || len(late) != 0 {
		t.Errorf("overdue %v (%v)", late, err)
	}
	h.expect(t, "/c/K/log+route+log", "done", "the route")
	h.given(t, "create route create log add_field log route log")
	h.expect(t, "/c/K/resolve", "done", "the end")
	h.given(t, "create route create log add_field log route log resolve")
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

// TestHeldCommandsSurviveARestart of the host.
func TestHeldCommandsSurviveARestart(t *testing.T) {
	t.Parallel()
	h := newHost(t, routedOnly)
	h.plugin.webhook = commanding()
	h.expect(t, "/c/K/create+log", "done", "the call comes in")
	after := h.another(t)
	_, err := after.Webhook(context.Background(), h.id, integration.WebhookRequest{Method: "POST", URL: "https://hotline.example.com/integrations/" + h.id + "/c/K/route", Path: "/c/K/route"})
	if err != nil {
		t.Fatal(err)
	}
	h.start(t)
	h.given(t, "create log route")
}

// TestAnAlertThatIsResolvedBeforeItIsRoutedIsNeverMade, nor is anything of it left behind.
func TestAnAlertThatIsResolvedBeforeItIsRoutedIsNeverMade(t *testing.T) {
	t.Parallel()
	h, _ := routing(t)
	h.expect(t, "/c/K/create+log", "done", "the call comes in")
	h.expect(t, "/c/K/log+resolve", "done", "the caller hangs up in the menu")
	h.expect(t, "/c/K/log", "done", "what comes after the end")
	h.expect(t, "/c/J/create+resolve", "done", "all in one")
	counts, _, err := h.store.OutboxStats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Timers of the host may wait beside them.
	if commands := counts[store.ItemCommand]; len(commands) > 0 {
		t.Errorf("commands are left in the outbox: %v", commands)
	}
	h.expect(t, "/c/L/create+route", "done", "another call")
	h.given(t, "create route")
}

// TestAnAlertThatIsNeverRoutedIsForgottenAfterADay: nobody waits for it any more.
func TestAnAlertThatIsNeverRoutedIsForgottenAfterADay(t *testing.T) {
	t.Parallel()
	h, clk := routing(t)
	h.expect(t, "/c/K/create+log", "done", "the call comes in")
	clk.Advance(24*time.Hour - time.Second)
	h.expect(t, "/c/K/log", "done", "something else a day later")
	if n := h.held(t); n != 3 {
		t.Errorf("%d commands are held, want 3", n)
	}
	clk.Advance(time.Minute)
	eventually(t, "the end of the first two", func() bool { return h.held(t) == 1 })
	clk.Advance(24 * time.Hour)
	eventually(t, "the end of the last", func() bool { return h.outboxEmpty(t) })
	if got := h.platform.commands(); len(got) != 0 {
		t.Errorf("the platform was given %q", kinds(got))
	}
}

// TestAPlatformThatLearnsUnroutedAlertsIsGivenWhatIsHeld at the next event of the call.
func TestAPlatformThatLearnsUnroutedAlertsIsGivenWhatIsHeld(t *testing.T) {
	t.Parallel()
	h, clk := routing(t)
	h.expect(t, "/c/K/create+log", "done", "the call comes in")
	h.platform.set(func(p *fakePlatform) { p.routedOnly = false })
	clk.Advance(time.Minute)
	h.expect(t, "/c/K/nothing", "done", "the platform was upgraded meanwhile")
	h.given(t, "create log")
}

// TestAPlatformThatUnlearnsUnroutedAlertsIsGivenTheRestOfWhatItHas: held back, the end of the call
// would leave the alert open.
func TestAPlatformThatUnlearnsUnroutedAlertsIsGivenTheRestOfWhatItHas(t *testing.T) {
	t.Parallel()
	h, clk := routing(t)
	h.platform.set(func(p *fakePlatform) { p.routedOnly = false })
	clk.Advance(time.Minute)
	h.expect(t, "/c/J/nothing", "done", "a call without an alert yet")
	h.expect(t, "/c/K/create", "done", "a call comes in")
	h.given(t, "create")
	h.platform.set(func(p *fakePlatform) { p.routedOnly = true })
	clk.Advance(time.Minute)
	h.expect(t, "/c/J/create", "done", "the call without an alert gets one, which is held")
	h.expect(t, "/c/K/resolve", "done", "the end of the other")
	h.given(t, "create resolve")
	if n := h.held(t); n != 1 {
		t.Errorf("%d commands are held, want 1", n)
	}
}

// TestWhileThePlatformCannotSayWhatItCanDoNothingOfAnAlertIsLost: it may be one with unrouted
// alerts.
func TestWhileThePlatformCannotSayWhatItCanDoNothingOfAnAlertIsLost(t *testing.T) {
	t.Parallel()
	h := newHost(t, manual(newManual()))
	h.plugin.webhook = commanding()
	h.forget(t)
	after := h.another(t) // which has not asked the platform yet
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	post := func(path string) {
		t.Helper()
		if _, err := after.Webhook(context.Background(), h.id, integration.WebhookRequest{Method: "POST", URL: "https://hotline.example.com/integrations/" + h.id + path, Path: path}); err != nil {
			t.Fatal(err)
		}
	}
	post("/c/K/create+resolve")
	if n := h.held(t); n != 2 {
		t.Errorf("%d commands are held, want 2", n)
	}
	h.platform.set(func(p *fakePlatform) { p.down = nil })
	post("/c/K/log")
	h.start(t)
	h.given(t, "create resolve log")
}

// TestACallOfAnEarlierReleaseHasNothingHeld: its alert may be routed long since.
func TestACallOfAnEarlierReleaseHasNothingHeld(t *testing.T) {
	t.Parallel()
	h, _ := routing(t)
	h.session(t, "K", h.clock.Now(), store.Session{AlertKey: "K", Live: true})
	h.expect(t, "/c/K/log", "done", "an event of the call")
	h.given(t, "log")
}

// batching is a platform that takes commands together. It remembers the batches.
type batching struct {
	*fakePlatform
	batches []string
	apply   func(cmds []integration.AlertCommand) (int, error) // nil: all are applied
}

var _ platform.BatchApplier = (*batching)(nil)

func (p *batching) ApplyAll(_ context.Context, _ platform.Scope, cmds []integration.AlertCommand) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batches = append(p.batches, kinds(cmds))
	done, err := len(cmds), error(nil)
	if p.apply != nil {
		done, err = p.apply(cmds)
	}
	p.applied = append(p.applied, cmds[:done]...)
	return done, err
}

// together is a host on such a platform, which is given nothing before start.
func together(t *testing.T, change ...func(*engine.Config)) (*host, *batching) {
	t.Helper()
	p := &batching{}
	h := newHost(t, append(slices.Clone(change), func(c *engine.Config) {
		p.fakePlatform = c.Platform.(*fakePlatform)
		c.Platform = p
	})...)
	h.plugin.webhook = commanding()
	return h, p
}

// TestAllCommandsThatWaitAreGivenTogether to a platform that wants them so, alert by alert.
func TestAllCommandsThatWaitAreGivenTogether(t *testing.T) {
	t.Parallel()
	h, p := together(t, routedOnly)
	h.expect(t, "/c/K/create+log", "done", "a call")
	h.expect(t, "/c/L/create+route", "done", "another")
	h.expect(t, "/c/K/add_field+route+log", "done", "the route of the first")
	h.start(t)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	h.platform.mu.Lock()
	defer h.platform.mu.Unlock()
	if slices.Sort(p.batches); !slices.Equal(p.batches, []string{"create log add_field route log", "create route"}) {
		t.Errorf("batches %q", p.batches)
	}
}

// TestARefusedCommandOfManyComesBackAloneAndTheOthersAreApplied, those behind it too, while its
// handler is still at work.
func TestARefusedCommandOfManyComesBackAloneAndTheOthersAreApplied(t *testing.T) {
	t.Parallel()
	h, p := together(t, manual(newManual()))
	p.apply = func(cmds []integration.AlertCommand) (int, error) {
		if i := slices.IndexFunc(cmds, func(c integration.AlertCommand) bool { return c.Kind == integration.AlertAttach }); i >= 0 {
			return i, integration.Errorf(integration.KindUnsupported, "no attachments")
		}
		return len(cmds), nil
	}
	failed, goOn := make(chan integration.TaskRequest, 10), make(chan struct{})
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Event == integration.TimerDue {
			return integration.Outcome{}, nil // the host has started
		}
		failed <- req
		<-goOn
		return integration.Outcome{}, nil
	}
	h.expect(t, "/c/K/create+attach+log+route", "done", "the call")
	h.start(t)
	h.given(t, "create log route")
	req := wait(t, failed, "the failure")
	if req.Event != integration.CommandFailed || req.Command.Kind != integration.AlertAttach || req.Failure.Kind != integration.KindUnsupported {
		t.Errorf("what came back is %s, %+v, %v", req.Event, req.Command, req.Failure)
	}
	close(goOn)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	if len(failed) != 0 {
		t.Errorf("%d more failures", len(failed))
	}
}

// TestWhatCouldNotBeAppliedNowIsRepeatedFromThere and nothing behind it overtakes it.
func TestWhatCouldNotBeAppliedNowIsRepeatedFromThere(t *testing.T) {
	t.Parallel()
	h, p := together(t)
	var refusals int
	p.apply = func(cmds []integration.AlertCommand) (int, error) {
		switch refusals++; refusals {
		case 1:
			return 1, errDown
		case 2:
			return 0, errDown
		case 3:
			return 1, nil // not all, and no error: a defect
		default:
			return len(cmds), nil
		}
	}
	h.expect(t, "/c/K/create+log+route+log", "done", "the call")
	h.start(t)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	h.given(t, "create log route log")
	want := []string{"create log route log", "log route log", "log route log", "route log"}
	if h.platform.mu.Lock(); !slices.Equal(p.batches, want) {
		t.Errorf("batches %q, want %q", p.batches, want)
	}
	h.platform.mu.Unlock()
}

// TestALongLaneIsGivenInParts.
func TestALongLaneIsGivenInParts(t *testing.T) {
	t.Parallel()
	h, p := together(t)
	h.expect(t, "/c/K/create"+strings.Repeat("+log", 149), "done", "a call with much to tell")
	h.start(t)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	h.platform.mu.Lock()
	defer h.platform.mu.Unlock()
	var sizes []int
	for _, b := range p.batches {
		sizes = append(sizes, len(strings.Fields(b)))
	}
	if fmt.Sprint(sizes) != "[100 50]" {
		t.Errorf("batches of %v commands", sizes)
	}
	for i, cmd := range p.applied {
		if cmd.Number != int64(i+1) {
			t.Fatalf("command %d is the %dth", cmd.Number, i+1)
		}
	}
}

// TestAFailureBeingHandledHoldsUpNoCommand: an item leaves its lane when its result is stored.
func TestAFailureBeingHandledHoldsUpNoCommand(t *testing.T) {
	t.Parallel()
	h := newHost(t, manual(newManual()))
	h.platform.refuse = func(cmd integration.AlertCommand) error {
		if cmd.Number == 1 {
			return integration.Errorf(integration.KindInvalid, "never")
		}
		return nil
	}
	h.plugin.webhook = once(integration.Outcome{Alert: []integration.AlertCommand{
		{Number: 1, Kind: integration.AlertLog, AlertKey: "K"}, {Number: 2, Kind: integration.AlertLog, AlertKey: "K"},
	}})
	goOn := make(chan struct{})
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		<-goOn
		return integration.Outcome{}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	eventually(t, "the second command, while the first one's failure is handled", func() bool { return len(h.platform.commands()) == 1 })
	close(goOn)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
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
