package engine_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

const togetherFile = `
users: [{id: alice, name: Alice Example, email: alice@example.com, phones: ["+12025550143"]}]
teams: [{id: devops, name: DevOps, members: [alice], schedule: {timezone: UTC, layers: [{users: [alice]}]}}]
`

// withAlerts is a platform whose alerts are in the store's database; everything else is the fake's.
type withAlerts struct {
	*fakePlatform
	service *alerts.Service

	mu      sync.Mutex
	applied []integration.AlertCommand // by Apply, one after the other
	before  func()                     // run once, after the next decision
	// The last command of each change that was said to be written.
	written []int64
	decided []weak.Pointer[platform.Statement]
}

func (p *withAlerts) Capabilities(context.Context, platform.Scope) (integration.Capabilities, error) {
	return integration.Capabilities{UnroutedAlerts: true, Reopen: true}, nil
}

func (p *withAlerts) Alert(ctx context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	_ = p.count("alert")
	return p.service.Alert(ctx, scope, key)
}

func (p *withAlerts) Apply(ctx context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	err := p.service.Apply(ctx, scope, cmd)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.applied = append(p.applied, cmd)
	return err
}

// kinds are the commands that were applied apart from their session.
func (p *withAlerts) kinds() (kinds []integration.AlertCommandKind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cmd := range p.applied {
		kinds = append(kinds, cmd.Kind)
	}
	return kinds
}

func (p *withAlerts) Watch(ctx context.Context, hint func(platform.Hint)) error {
	return p.service.Watch(ctx, hint)
}

func (p *withAlerts) Database() any { return p.service.Database() }

func (p *withAlerts) Decide(ctx context.Context, scope platform.Scope, cmds []integration.AlertCommand) (platform.AlertChange, error) {
	change, err := p.service.Decide(ctx, scope, cmds)
	p.mu.Lock()
	before := p.before
	p.before = nil
	for i := range change.Statements {
		p.decided = append(p.decided, weak.Make(&change.Statements[i]))
	}
	p.mu.Unlock()
	if before != nil {
		before()
	}
	written := change.Written
	change.Written = func() {
		p.mu.Lock()
		p.written = append(p.written, change.Snapshot.LastCommand)
		p.mu.Unlock()
		written()
	}
	return change, err
}

// newTogether is a host whose platform keeps its alerts in the store's database. Its plugin makes
// the call's alert with the first request, which it gets here, and with later ones what next says.
// The engine does not run yet: nothing is claimed from the outbox, and no alert is read that nobody
// asks for.
func newTogether(t *testing.T, next func() []integration.AlertCommand, change ...func(*engine.Config)) (*host, *withAlerts, <-chan integration.AlertSnapshot) {
	t.Helper()
	file, problems := switchboardfile.Parse("switchboard.yaml", []byte(togetherFile))
	if file == nil {
		t.Fatal(switchboardfile.Text(problems))
	}
	p := &withAlerts{fakePlatform: newPlatform()}
	h := newHost(t, func(c *engine.Config) {
		var err error
		p.service, err = alerts.New(t.Context(), alerts.Config{
			File: func() *switchboardfile.File { return file }, DB: c.Store.(store.InDatabase).Database().(*sqldb.DB), Clock: c.Clock, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Platform = p
		for _, f := range change {
			f(c)
		}
	})
	number := int64(0)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		cmds := []integration.AlertCommand{{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "A call"}}}
		if req.Facts.Session != nil {
			cmds = next()
		}
		for i := range cmds {
			number++
			cmds[i].AlertKey, cmds[i].Number, cmds[i].At = req.Facts.SessionKey, number, req.Facts.Now
		}
		u := remember(number)
		u.AlertKey, u.Call = req.Facts.SessionKey, &integration.CallView{From: "+12025550100"}
		return integration.Outcome{Response: ok("fine"), Session: u, Alert: cmds}, nil
	}
	seen := make(chan integration.AlertSnapshot, 20)
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		seen <- *req.Facts.Alert
		return integration.Outcome{}, nil
	}
	if _, err := h.post(t, "/", "CallKey=call-1"); err != nil {
		t.Fatal(err)
	}
	return h, p, seen
}

// alertOf is the call's alert as the platform has it.
func (p *withAlerts) alertOf(t *testing.T, h *host) integration.AlertSnapshot {
	t.Helper()
	snap, err := p.service.Alert(t.Context(), platform.Scope{Integration: h.id}, "call-1")
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

var toDevOps = []integration.AlertCommand{{Kind: integration.AlertRoute, Teams: []string{"devops"}}, {Kind: integration.AlertLog, Text: "The caller chose DevOps."}}

// The alert is there with the session, its handler hears of what it could not know, and nothing was
// read from the platform or waited in the outbox.
func TestAnAlertInTheStoresDatabaseIsWrittenWithItsSession(t *testing.T) {
	t.Parallel()
	h, p, seen := newTogether(t, func() []integration.AlertCommand { return slices.Clone(toDevOps) })
	first := p.alertOf(t, h)
	record, err := h.store.Call(t.Context(), h.id, "call-1")
	if err != nil || first.Status != integration.AlertQueued || record.Alert.ID != first.ID {
		t.Errorf("after the first request: %+v, %v; the call's record has the alert %+v", first, err, record.Alert)
	}
	commits := h.store.count()
	if _, err := h.post(t, "/c/call-1/menu", ""); err != nil {
		t.Fatal(err)
	}
	second := p.alertOf(t, h)
	if second.Status != integration.AlertOpen || second.Layer != 1 || second.LastCommand != 3 || second.ID != first.ID {
		t.Errorf("after it was routed: %+v", second)
	}
	got := wait(t, seen, "the handler hears of the alert")
	if d := cmp.Diff(second, got, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "ReadAt" }, cmp.Ignore())); d != "" {
		t.Errorf("the handler saw another alert (-platform +handler):\n%s", d)
	}
	if n := h.store.count() - commits; n > 1 {
		t.Errorf("the request made %d commits", n)
	}
	if kinds := p.kinds(); len(kinds) > 0 || p.times("alert") > 0 {
		t.Errorf("applied apart: %v; the alert was read %d times", kinds, p.times("alert"))
	}
	if got := len(seen); got > 0 {
		t.Errorf("the handler heard %d times more", got)
	}
}

// Somebody who changes the alert between decision and commit loses nothing, and neither do the
// commands.
func TestAnAlertThatSomebodyChangesMeanwhileIsWrittenApart(t *testing.T) {
	t.Parallel()
	h, p, seen := newTogether(t, func() []integration.AlertCommand { return slices.Clone(toDevOps) })
	h.start(t)
	p.mu.Lock()
	p.before = func() {
		if _, err := p.service.Act(t.Context(), p.alertOf(t, h).ID, platform.ActAcknowledge, "alice"); err != nil {
			t.Error(err)
		}
	}
	p.mu.Unlock()
	if _, err := h.post(t, "/c/call-1/menu", ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both commands are applied", func() bool { return p.alertOf(t, h).LastCommand == 3 })
	if a := p.alertOf(t, h); a.Status != integration.AlertAcknowledged || !slices.Equal(a.Teams, []string{"devops"}) {
		t.Errorf("the alert is %+v", a)
	}
	apart := []integration.AlertCommandKind{integration.AlertRoute, integration.AlertLog}
	eventually(t, "both commands are applied apart", func() bool { return slices.Equal(p.kinds(), apart) })
	for got := wait(t, seen, "the handler hears of it"); got.LastCommand < 3; {
		got = wait(t, seen, "the handler hears of the last command")
	}
}

// What waits in the outbox comes first.
func TestCommandsThatWaitAreNotOvertaken(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h, p, _ := newTogether(t, func() []integration.AlertCommand {
		return []integration.AlertCommand{{Kind: integration.AlertLog, Text: "second"}}
	}, manual(clk))
	h.start(t)
	// Due when the test lets it be: nobody claims it before.
	waits := store.Item{
		Integration: h.id, Key: "call-1", Kind: store.ItemCommand, Lane: "alert", Due: h.clock.Now().Add(20 * time.Second), NotAfter: h.clock.Now().Add(time.Hour), Phase: store.PhaseWaiting,
		Body: []byte(`{"Kind":"log","AlertKey":"call-1","Number":2,"Text":"first"}`),
	}
	if err := h.store.AddItem(t.Context(), waits); err != nil {
		t.Fatal(err)
	}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		u := remember("later")
		u.AlertKey = "call-1"
		return integration.Outcome{Response: ok("fine"), Session: u, Alert: []integration.AlertCommand{{Kind: integration.AlertLog, AlertKey: "call-1", Number: 3, Text: "second"}}}, nil
	}
	if _, err := h.post(t, "/c/call-1/menu", ""); err != nil {
		t.Fatal(err)
	}
	if a := p.alertOf(t, h); a.LastCommand != 1 {
		t.Errorf("command %d has overtaken", a.LastCommand)
	}
	clk.Advance(20 * time.Second)
	eventually(t, "both commands are applied", func() bool { return p.alertOf(t, h).LastCommand == 3 })
	eventually(t, "both commands are applied apart", func() bool { return len(p.kinds()) == 2 })
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.applied[0].Text != "first" || p.applied[1].Text != "second" {
		t.Errorf("applied: %+v", p.applied)
	}
}

// A command that the platform refuses for good reaches the handler as ever, and the others are
// done.
func TestACommandThatIsRefusedReachesItsHandler(t *testing.T) {
	t.Parallel()
	h, p, _ := newTogether(t, func() []integration.AlertCommand {
		return []integration.AlertCommand{{Kind: integration.AlertRoute, Teams: []string{"nobody"}}, {Kind: integration.AlertLog, Text: "after it"}}
	})
	h.start(t)
	failed := make(chan integration.TaskRequest, 1)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		failed <- req
		return integration.Outcome{}, nil
	}
	if _, err := h.post(t, "/c/call-1/menu", ""); err != nil {
		t.Fatal(err)
	}
	if req := wait(t, failed, "the handler hears of the refusal"); req.Event != integration.CommandFailed || req.Command.Kind != integration.AlertRoute {
		t.Errorf("the handler heard %v of %+v", req.Event, req.Command)
	}
	eventually(t, "the other command is applied", func() bool { return p.alertOf(t, h).LastCommand == 3 })
}

// Where this process alone changes alerts no hint is lost: an old snapshot is looked at less often.
func TestAnAlertThatNobodyElseChangesIsReadAgainLessOften(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change  func(*engine.Config)
		minutes int // without a reading, with a request each
	}{"alone": {exclusive, 9}, "among others": {func(*engine.Config) {}, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clk := newManual()
			h, p, _ := newTogether(t, func() []integration.AlertCommand { return nil }, manual(clk), tc.change)
			minute := func() {
				clk.Advance(time.Minute + time.Second)
				if _, err := h.post(t, "/c/call-1/hold", ""); err != nil {
					t.Fatal(err)
				}
			}
			for range tc.minutes {
				minute()
			}
			if got := p.times("alert"); got > 0 {
				t.Errorf("read %d times in %d minutes", got, tc.minutes)
			}
			minute()
			eventually(t, "a reading beside the call", func() bool { return p.times("alert") > 0 })
			if got := p.times("alert"); got > 1 {
				t.Errorf("read %d times, want once", got)
			}
		})
	}
}
