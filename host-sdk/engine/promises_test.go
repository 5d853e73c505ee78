package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// counted is the value of one of the engine's counters, or how often a histogram was filled.
func counted(t *testing.T, m *engine.Metrics, name string, labels ...string) float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	if err := registry.Register(m); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "livecall_engine_"+name {
			continue
		}
		for _, series := range f.GetMetric() {
			var values []string
			for _, l := range series.GetLabel() {
				values = append(values, l.GetValue())
			}
			if slices.Equal(values, labels) {
				if h := series.GetHistogram(); h != nil {
					return float64(h.GetSampleCount())
				}
				return series.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestRunsAndConflictsAreCounted(t *testing.T) {
	t.Parallel()
	m := engine.NewMetrics()
	h := newHost(t, func(c *engine.Config) { c.Metrics = m })
	h.plugin.webhook = counting
	h.expect(t, "/c/K/x", "1", "the first request")
	h.store.alwaysConflict.Store(true)
	commits := h.store.count()
	if _, err := h.post(t, "/c/K/x", ""); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("a session that always moves: %v", err)
	}
	if got := h.store.count() - commits; got != 5 {
		t.Errorf("tried %d times, want 5", got)
	}
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{}, integration.ErrPluginGone
	}
	_, _ = h.post(t, "/c/K/x", "")
	for labels, want := range map[[2]string]float64{{"webhook", "ok"}: 1, {"webhook", "conflict"}: 1, {"webhook", "unavailable"}: 1} {
		if got := counted(t, m, "handler_runs_total", labels[:]...); got != want {
			t.Errorf("%v: %v runs, want %v", labels, got, want)
		}
	}
	if got := counted(t, m, "conflicts_total", "webhook"); got != 4 {
		t.Errorf("%v conflicts that were tried again, want 4", got)
	}
}

func TestItemsAreCountedByWhatBecameOfThem(t *testing.T) {
	t.Parallel()
	m := engine.NewMetrics()
	mailer := &sentMail{fail: map[string]int{"bob@example.com": 1}}
	h := newHost(t, func(c *engine.Config) { c.Metrics, c.Mailer = m, mailer })
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		if req.Task.Name == "bad" {
			return integration.TaskResult{}, integration.Errorf(integration.KindInvalid, "never")
		}
		return integration.TaskResult{}, nil
	}
	h.plugin.webhook = once(integration.Outcome{
		Tasks: []integration.Task{{Name: "good", Generation: 1}, {Name: "bad", Generation: 1}, {Name: "timer", Generation: 1, Timer: true}},
		Alert: []integration.AlertCommand{{Number: 1, Kind: integration.AlertLog, AlertKey: "K"}},
		Mail:  []integration.Mail{{Key: "m", To: []integration.Recipient{{Address: "bob@example.com"}, {Address: "nobody@example.com"}}}},
	})
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	for labels, want := range map[[2]string]float64{
		{"task", "done"}: 1, {"task", "failed"}: 1, {"timer", "done"}: 1, {"command", "done"}: 1,
		{"mail", "done"}: 1, {"mail", "retried"}: 1, {"mail", "failed"}: 1,
	} {
		if got := counted(t, m, "outbox_items_total", labels[:]...); got != want {
			t.Errorf("%v: %v items, want %v", labels, got, want)
		}
	}
}

func TestThePluginsLogLinesNameTheCall(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	h := newHost(t, func(c *engine.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok(""), Log: []integration.LogLine{
			{Level: "debug", Message: "first", Attrs: map[string]string{"leg": "L1"}}, {Level: "error", Message: "second"}, {Level: "loud", Message: "third"},
		}}, nil
	}
	h.expect(t, "/c/K/x", "", "the request")
	for _, want := range []string{"level=DEBUG msg=first integration=" + h.id + " call=K leg=L1", "level=ERROR msg=second", "level=INFO msg=third"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no line %q in\n%s", want, log.String())
		}
	}
}

// TestWorkThatCannotBeReadIsGivenUp: an item from a release that nobody runs any more must not be
// tried for ever.
func TestWorkThatCannotBeReadIsGivenUp(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	h := newHost(t, func(c *engine.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	now := h.clock.Now()
	for _, it := range []store.Item{
		{Kind: "parcel", Body: []byte("{}")},
		{Kind: store.ItemTimer, Name: "timer", Body: []byte("{")},
		{Kind: store.ItemTask, Name: "task", Body: []byte("{")},
		{Kind: store.ItemCommand, Body: []byte("{")},
		{Kind: store.ItemMail, Body: []byte("{")},
		{Kind: store.ItemWebhook, Body: []byte("{")},
	} {
		it.Integration, it.Key, it.Due, it.Phase = h.id, "K", now, store.PhaseWaiting
		if err := h.store.AddItem(context.Background(), it); err != nil {
			t.Fatal(err)
		}
	}
	h.start(t)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	for _, want := range []string{"unknown kind of work", "unreadable timer", "unreadable task", "unreadable alert command", "unreadable mail", "unreadable request"} {
		if n := strings.Count(log.String(), want); n != 1 {
			t.Errorf("%q stands %d times in the log, want once", want, n)
		}
	}
}

func TestWorkOfAnIntegrationThatIsGoneIsGivenUp(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		t.Error("the handler of an integration that is gone runs")
		return integration.Outcome{}, nil
	}
	err := h.store.AddItem(context.Background(), store.Item{
		Integration: "int_gone", Key: "K", Kind: store.ItemTimer, Name: "t", Due: h.clock.Now(), Phase: store.PhaseWaiting, Body: []byte("{}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.start(t)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

func TestAnOutboxThatCannotBeReadIsReadAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1, Timer: true}}})
	fired := make(chan struct{}, 10)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		fired <- struct{}{}
		return integration.Outcome{}, nil
	}
	h.store.failing("Claim", errDown)
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	was := h.store.times("Claim")
	eventually(t, "more attempts", func() bool { return h.store.times("Claim") > was+2 })
	h.store.failing("Claim", nil)
	wait(t, fired, "the timer")
}

func TestAMediumThatCannotBeStoredIsFetchedAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	var performed atomic.Int32
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		if performed.Add(1) == 2 {
			h.store.failing("PutMedium", nil)
		}
		return integration.TaskResult{Media: []integration.MediaContent{{Name: "m", Data: []byte("RIFF")}}}, nil
	}
	got := make(chan integration.TaskRequest, 1)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		got <- req
		return integration.Outcome{}, nil
	}
	h.store.failing("PutMedium", errDown)
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	if req := wait(t, got, "the result"); req.Event != integration.TaskDone || len(req.Media) != 1 || performed.Load() != 2 {
		t.Errorf("event %s with %d media after %d attempts", req.Event, len(req.Media), performed.Load())
	}
}

func TestAPluginThatIsAwayDelaysItsTasks(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	h.expect(t, "/c/K/x", "done", "the request")
	h.plugins.set(nil)
	attempts := make(chan int, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		attempts <- req.Attempt
		return integration.TaskResult{}, nil
	}
	h.start(t)
	eventually(t, "a claim", func() bool { return h.store.times("Claim") > 2 })
	h.plugins.set(h.plugin)
	wait(t, attempts, "the task")
}

func TestQuestionsWhoseAnswerFailsSaySo(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if len(req.Facts.Answers) == 0 {
			return integration.Outcome{Need: []integration.Question{
				{ID: "1", Kind: integration.AskOnCall}, {ID: "2", Kind: integration.AskUser}, {ID: "3", Kind: integration.AskRoute},
			}}, nil
		}
		var said []string
		for _, a := range req.Facts.Answers {
			kind := integration.Kind("")
			if a.Err != nil {
				kind = a.Err.Kind
			}
			if a.Err != nil && (a.User != nil || a.OnCall != nil || a.Route != nil) {
				said = append(said, "half an answer")
			}
			said = append(said, a.ID+":"+string(kind))
		}
		return integration.Outcome{Response: ok(strings.Join(said, " "))}, nil
	}
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	h.expect(t, "/c/K/x", "1:unavailable 2:unavailable 3:unavailable", "the platform is down")
	h.platform.set(func(p *fakePlatform) {
		p.down = nil
		p.onCall = []integration.OnCallEntry{{User: integration.User{ID: "alice"}}}
	})
	h.store.failing("Occupied", errors.New("disk"))
	h.expect(t, "/c/K/x", "1:internal 2:internal 3:", "who is occupied cannot be read")
}

func TestQuestionsAreAskedForTheirTime(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	then := clk.Now().Add(-time.Hour)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if len(req.Facts.Answers) == 0 {
			return integration.Outcome{Need: []integration.Question{{ID: "1", Kind: integration.AskOnCall, At: then}, {ID: "2", Kind: integration.AskOnCall}}}, nil
		}
		return integration.Outcome{Response: ok("")}, nil
	}
	h.expect(t, "/c/K/x", "", "the request")
	got := h.platform.onCallAt()
	slices.SortFunc(got, time.Time.Compare)
	if len(got) != 2 || !got[0].Equal(then) || !got[1].Equal(clk.Now()) {
		t.Errorf("asked for %v, want %v and now", got, then)
	}
}

// TestALockedCallIsWaitedForAsLongAsTheCallerWaits: two requests of one call never run at the same
// time.
func TestALockedCallIsWaitedForAsLongAsTheCallerWaits(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	inside, goOn := make(chan struct{}), make(chan struct{})
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		close(inside)
		<-goOn
		return integration.Outcome{Response: ok("")}, nil
	}
	done := make(chan error, 1)
	go func() {
		_, err := h.post(t, "/c/K/x", "")
		done <- err
	}()
	wait(t, inside, "the first request")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.postWithin(ctx, "/c/K/x", ""); integration.KindOf(err) != integration.KindDeadline {
		t.Errorf("the second request: %v", err)
	}
	if _, err := h.RunAction(ctx, h.id, "check", nil); err == nil {
		t.Error("an action whose time is over")
	}
	close(goOn)
	if err := wait(t, done, "the first answer"); err != nil {
		t.Error(err)
	}
}

func TestASessionThatCannotBeReadFailsTheRequest(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = counting
	h.store.failing("Session", errDown)
	if _, err := h.post(t, "/c/K/x", ""); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("%v: a running call must not be taken for a new one", err)
	}
	if _, err := h.RunAction(context.Background(), h.id, "check", nil); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("an action: %v", err)
	}
}

func TestASlowSubscriberLosesEvents(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	slow, stop := h.Subscribe()
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o, err := counting(req)
		if req.Path != "/c/K/silent" {
			o.Session.Call = &integration.CallView{ID: "K"}
		}
		return o, err
	}
	for range 300 {
		if _, err := h.post(t, "/c/K/x", ""); err != nil {
			t.Fatal(err)
		}
	}
	if len(slow) != 256 {
		t.Errorf("%d events wait, want 256", len(slow))
	}
	stop()
	other, stopOther := h.Subscribe()
	defer stopOther()
	if _, err := h.post(t, "/c/K/silent", ""); err != nil {
		t.Fatal(err)
	}
	if len(other) != 0 {
		t.Error("an event for a session that shows no call")
	}
	for range 256 {
		<-slow
	}
	if _, err := h.post(t, "/c/K/x", ""); err != nil {
		t.Fatal(err)
	}
	if len(slow) != 0 || len(other) != 1 {
		t.Errorf("%d events after the end of the subscription, %d for the other; want 0 and 1", len(slow), len(other))
	}
}

func TestAMailThatReachesNobodyComesBackToThePlugin(t *testing.T) {
	t.Parallel()
	mailer := &refusingMailer{}
	h := newHost(t, func(c *engine.Config) { c.Mailer = mailer })
	h.plugin.webhook = once(integration.Outcome{Mail: []integration.Mail{
		{Key: "one", To: []integration.Recipient{{Address: "bob@example.com"}}},
		{Key: "two", To: []integration.Recipient{{Audience: integration.AudienceTeam}}},
	}})
	told := make(chan string, 10)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		told <- fmt.Sprintf("%s %s %q: %s", req.Event, req.Task.Name, req.Task.Payload, req.Failure.Message)
		return integration.Outcome{}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	got := []string{wait(t, told, "a result"), wait(t, told, "a result")}
	slices.Sort(got)
	want := []string{
		`task_failed mail "": none of its recipients has an e-mail address`,
		`task_failed mail "bob@example.com": 550 no such user`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

// refusingMailer is a mail server that takes no mail for good.
type refusingMailer struct{}

func (*refusingMailer) Send(context.Context, engine.OutgoingMail) error {
	return integration.Errorf(integration.KindInvalid, "550 no such user")
}

func TestAPluginOfAnEarlierMinorDoesNotHearOfMails(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.ProtocolMinor = 0
		return d, nil
	})
	h.Engine = h.another(t) // which asks the plugin anew what it is
	h.plugin.webhook = once(integration.Outcome{Mail: []integration.Mail{
		{Key: "one", To: []integration.Recipient{{Address: "bob@example.com"}}},
		{Key: "two", To: []integration.Recipient{{Audience: integration.AudienceTeam}}},
	}})
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		t.Errorf("it hears of %s %s", req.Event, req.Task.Name)
		return integration.Outcome{}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

// TestAMailWaitsForWhatItNeeds: its audience, its alert's address, its attachment.
func TestAMailWaitsForWhatItNeeds(t *testing.T) {
	t.Parallel()
	mailer := &sentMail{}
	h := newHost(t, func(c *engine.Config) { c.Mailer = mailer })
	m, err := h.store.PutMedium(context.Background(), store.Medium{MediaRef: integration.MediaRef{Name: "v.mp3"}, Data: []byte("ID3")})
	if err != nil {
		t.Fatal(err)
	}
	u := remember("x")
	u.AlertKey = "K"
	h.plugin.webhook = once(integration.Outcome{Session: u, Mail: []integration.Mail{{
		Key: "m", LinkAlert: true, Attachments: []integration.MediaRef{m.MediaRef}, To: []integration.Recipient{{Audience: integration.AudienceTeam}},
	}}})
	h.expect(t, "/c/K/x", "done", "the request")
	h.platform.set(func(p *fakePlatform) {
		p.audience = []string{"alice@example.com"}
		p.down = errDown
	})
	h.start(t)
	eventually(t, "an attempt to find the audience", func() bool { return h.platform.times("audience") > 0 })
	h.platform.set(func(p *fakePlatform) { p.down = nil })
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	mailer.mu.Lock()
	defer mailer.mu.Unlock()
	if len(mailer.sent) != 1 || mailer.sent[0].AlertURL != "" || len(mailer.sent[0].Attachments) != 1 {
		t.Errorf("sent %+v, want one mail without a link: there is no alert", mailer.sent)
	}
}

func TestDraftsAreCheckedOneFieldAtATime(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := newHost(t)
	for name, tc := range map[string]struct {
		change func(*engine.Draft)
		want   string // path and code of the only problem; "" = none
	}{
		"good":              {func(*engine.Draft) {}, ""},
		"name of blanks":    {func(d *engine.Draft) { d.Name = "  " }, "name required"},
		"name of 200 bytes": {func(d *engine.Draft) { d.Name = strings.Repeat("x", 200) }, ""},
		"name of 201 bytes": {func(d *engine.Draft) { d.Name = strings.Repeat("x", 201) }, "name range"},
		"critical":          {func(d *engine.Draft) { d.Urgency = "critical" }, ""},
		"unknown urgency":   {func(d *engine.Draft) { d.Urgency = "Critical" }, "urgency unknown"},
		"no options":        {func(d *engine.Draft) { d.Options = nil }, ""},
		"missing router": {func(d *engine.Draft) {
			d.Destinations = []platform.Ref{{Kind: integration.DestinationRouter, ID: "nowhere"}}
		}, "destinations/0 not_found"},
		"router": {func(d *engine.Draft) {
			d.Destinations = []platform.Ref{{Kind: integration.DestinationRouter, ID: "by-day"}}
		}, ""},
		"unknown, not missing": {func(d *engine.Draft) { d.Destinations = []platform.Ref{{Kind: "moon", ID: "nowhere"}} }, "destinations/0 unknown"},
	} {
		d := draft("Hotline 2")
		tc.change(&d)
		_, _, err := h.Configure(ctx, "", 0, d)
		var refused *engine.ProblemsError
		got := ""
		if errors.As(err, &refused) {
			for _, p := range refused.Problems {
				got += p.Path + " " + p.Code
			}
			if !strings.Contains(err.Error(), refused.Problems[0].Path+": ") {
				t.Errorf("%s: the error does not name the field: %v", name, err)
			}
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got != tc.want {
			t.Errorf("%s: problems %q, want %q", name, got, tc.want)
		}
	}
	d := draft("Hotline")
	d.Plugin = "other"
	if _, _, err := h.Configure(ctx, h.id, 0, d); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("a plugin that is not installed: %v", err)
	}
	if _, _, err := h.Configure(ctx, "int_unknown", 0, draft("x")); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("an unknown integration: %v", err)
	}
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	if _, _, err := h.Configure(ctx, h.id, 0, draft("x")); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("a platform that is down: %v", err)
	}
}

func TestASavedIntegrationIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = answering(func(f integration.Facts) string { return f.Instance.Name })
	h.expect(t, "/c/K/x", "Hotline", "before")
	in, _, err := h.Configure(ctx, h.id, 1, draft(" Night line "))
	if err != nil || in.Name != "Night line" || in.Revision != 2 {
		t.Fatalf("%+v, %v", in, err)
	}
	h.expect(t, "/c/K/x", "Night line", "in the same instant")
	if err := h.Remove(ctx, h.id); err != nil {
		t.Fatal(err)
	}
	if _, err := h.post(t, "/c/K/x", ""); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("in the instant of its removal: %v", err)
	}
}

func TestANewIntegrationHasAKeyOfItsOwn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := newHost(t)
	one, _, err := h.Configure(ctx, "", 0, draft("One"))
	if err != nil {
		t.Fatal(err)
	}
	two, _, err := h.Configure(ctx, "", 0, draft("Two"))
	if err != nil {
		t.Fatal(err)
	}
	if len(one.TokenKey) != 32 || string(one.TokenKey) == string(two.TokenKey) || one.ID == two.ID || !strings.HasPrefix(one.ID, "int_") {
		t.Errorf("ids %s, %s; keys of %d bytes, equal %v", one.ID, two.ID, len(one.TokenKey), string(one.TokenKey) == string(two.TokenKey))
	}
	again, _, err := h.Configure(ctx, one.ID, 0, draft("One"))
	if err != nil || string(again.TokenKey) != string(one.TokenKey) {
		t.Errorf("the key has changed, %v", err)
	}
}

func TestPeriodicTasksOfANewIntegrationBegin(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.Periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Second}, {Name: "daily", Every: 24 * time.Hour}}
		return d, nil
	})
	fresh := h.another(t)
	fired := make(chan integration.TaskRequest, 10)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Task.Name != "sweep" {
			t.Errorf("%s fired", req.Task.Name)
		}
		fired <- req
		return integration.Outcome{}, nil
	}
	in, _, err := fresh.Configure(context.Background(), "", 0, draft("New"))
	if err != nil {
		t.Fatal(err)
	}
	saved := h.clock.Now()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fresh.Run(ctx) }()
	var times []time.Time
	for len(times) < 2 {
		if req := wait(t, fired, "a sweep"); req.Facts.Instance.ID == in.ID {
			times = append(times, req.Facts.Now)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if first, second := times[0].Sub(saved), times[1].Sub(times[0]); first < 30*time.Second || second < 59*time.Second {
		t.Errorf("sweeps after %v and %v; a minute is the least", first, second)
	}
}

// TestAPacedTaskThatWaitsTooLongIsGivenBack: its lease must not run out while it waits.
func TestAPacedTaskThatWaitsTooLongIsGivenBack(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	pace := func(name string, priority int) integration.Task {
		return integration.Task{Name: name, Generation: 1, PaceKey: "account", PaceEvery: 50 * time.Second, Priority: priority}
	}
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{pace("a", 0), pace("b", 0)}})
	starts := make(chan string, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		starts <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	second := map[string]string{"a": "b", "b": "a"}[wait(t, starts, "the first start")]
	// The task waits beside the loops of an idle engine.
	parked := func() bool { return clk.Waiting() == idleTimers+1 }
	for i := 1; i <= 2; i++ {
		eventually(t, "the second task waits", func() bool { return h.store.attempt(second) == i && parked() })
		clk.Advance(20 * time.Second) // less than its lease
	}
	eventually(t, "the second task waits", func() bool { return h.store.attempt(second) == 3 && parked() })
	clk.Advance(10 * time.Second)
	if got := wait(t, starts, "the second start"); got != second {
		t.Errorf("%s started twice", got)
	}
}

// TestTwoIntegrationsOfOneAccountShareItsPace: a foreign service counts the calls of an account, not
// those of an integration.
func TestTwoIntegrationsOfOneAccountShareItsPace(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	other, _, err := h.Configure(context.Background(), "", 0, draft("Another hotline"))
	if err != nil {
		t.Fatal(err)
	}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		return once(integration.Outcome{Tasks: []integration.Task{
			{Name: "dial-" + req.Facts.Instance.Name, Generation: 1, PaceKey: "account", PaceEvery: 5 * time.Second},
		}})(req)
	}
	starts := make(chan string, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		starts <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the first hotline's request")
	wait(t, starts, "the first start")
	h.id = other.ID
	h.expect(t, "/c/L/x", "done", "the other hotline's request")
	// The task waits beside the loops of an idle engine.
	eventually(t, "the other hotline's task waits", func() bool {
		return h.store.attempt("dial-Another hotline") == 1 && clk.Waiting() == idleTimers+1
	})
	if len(starts) > 0 {
		t.Errorf("%s has not waited", <-starts)
	}
	clk.Advance(5 * time.Second)
	wait(t, starts, "the other hotline's start")
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

func TestPeriodicTasksGiveUpWhenTheSessionAlwaysMoves(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.Periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Minute}}
		return d, nil
	})
	fresh := h.another(t)
	h.store.alwaysConflict.Store(true)
	commits := h.store.count()
	if _, _, err := fresh.Configure(context.Background(), "", 0, draft("New")); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("got %v", err)
	}
	if got := h.store.count() - commits; got != 5 {
		t.Errorf("tried %d times, want 5", got)
	}
}

func TestMetricsDescribeThemselves(t *testing.T) {
	t.Parallel()
	c := make(chan *prometheus.Desc, 100)
	engine.NewMetrics().Describe(c)
	if len(c) < 4 {
		t.Errorf("%d descriptions, want at least 4", len(c))
	}
}

func TestMoreWorkThanWorkersIsDone(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *engine.Config) { c.Workers = 2 })
	var tasks []integration.Task
	for i := range 9 {
		tasks = append(tasks, integration.Task{Name: "t" + string(rune('a'+i)), Generation: 1})
	}
	h.plugin.webhook = once(integration.Outcome{Tasks: tasks})
	var busy, most atomic.Int32
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		n := busy.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		busy.Add(-1)
		return integration.TaskResult{}, nil
	}
	done := make(chan struct{}, 20)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		done <- struct{}{}
		return integration.Outcome{}, nil
	}
	h.expect(t, "/c/K/x", "done", "the request")
	h.start(t)
	for range 9 {
		wait(t, done, "a task")
	}
	if most.Load() > 2 {
		t.Errorf("%d tasks at a time with 2 workers", most.Load())
	}
}

func TestExpiredSessionsAreDeleted(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	h := newHost(t, func(c *engine.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	soon := h.clock.Now().Add(time.Second)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok(""), Session: remember(1)}
		if req.Path == "/c/short/x" {
			o.Session.ExpiresAt = soon
		}
		return o, nil
	}
	h.expect(t, "/c/short/x", "", "a call")
	h.expect(t, "/c/long/x", "", "another call")
	eventually(t, "the end of its life", func() bool { return h.clock.Now().After(soon) })
	h.start(t)
	eventually(t, "the deletion", func() bool {
		_, err := h.store.Store.Session(context.Background(), h.id, "short")
		return integration.KindOf(err) == integration.KindNotFound
	})
	eventually(t, "a line in the log", func() bool { return strings.Contains(log.String(), "expired sessions deleted\" sessions=1") })
	if strings.Contains(log.String(), "cannot delete") {
		t.Errorf("a failure that was none is logged:\n%s", log.String())
	}
	s, err := h.store.Store.Session(context.Background(), h.id, "long")
	if err != nil || s.ExpiresAt.Sub(h.clock.Now()) < 29*24*time.Hour {
		t.Errorf("a session without a date expires at %v, %v; want 30 days from now", s.ExpiresAt, err)
	}
}

func TestExpiredSessionsThatCannotBeDeletedAreReported(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	h := newHost(t, func(c *engine.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	h.store.failing("DeleteExpired", errDown)
	h.start(t)
	eventually(t, "a line in the log", func() bool { return strings.Contains(log.String(), "cannot delete expired sessions") })
	if strings.Contains(log.String(), "expired sessions deleted") {
		t.Errorf("nothing was deleted:\n%s", log.String())
	}
}

func TestAPluginThatIsAwayAtTheStartStopsNobody(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	fresh := h.another(t)
	h.plugins.set(nil)
	h.store.failing("ListIntegrations", errDown)
	for range 2 { // first the list cannot be read, then the plugin is away
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		claims := h.store.times("Claim")
		go func() { done <- fresh.Run(ctx) }()
		eventually(t, "the outbox is worked", func() bool { return h.store.times("Claim") > claims })
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		h.store.failing("ListIntegrations", nil)
	}
}

// TestAPeriodicTaskThatThePluginNoLongerHasEnds, and one whose plugin is away goes on.
func TestAPeriodicTaskThatThePluginNoLongerHasEnds(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *engine.Config) {
		p, _ := c.Plugins.Plugin("fake")
		p.(*fakePlugin).periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Minute}}
	})
	fresh := h.another(t) // after an upgrade
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.Periodic = nil
		return d, nil
	})
	fired := make(chan struct{}, 10)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		fired <- struct{}{}
		return integration.Outcome{}, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fresh.Run(ctx) }()
	wait(t, fired, "the last sweep")
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestConfigureReportsWhatThePluginCannotSay(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, tc := range map[string]struct {
		schema   func() (integration.OptionsSchema, error)
		validate error
	}{
		"no schema":      {schema: func() (integration.OptionsSchema, error) { return integration.OptionsSchema{}, errDown }},
		"no JSON schema": {schema: func() (integration.OptionsSchema, error) { return integration.OptionsSchema{Schema: []byte("{")}, nil }},
		"no verdict":     {validate: errDown},
	} {
		h := newHost(t)
		h.plugin.schema, h.plugin.validateErr = tc.schema, tc.validate
		if _, _, err := h.Configure(ctx, h.id, 0, draft("Other name")); err == nil {
			t.Errorf("%s: saved", name)
		}
		if in, err := h.store.Store.Integration(ctx, h.id); err != nil || in.Name != "Hotline" {
			t.Errorf("%s: the stored integration is %+v, %v", name, in, err)
		}
	}
}

func TestAPluginOfAnotherKindIsNotSwappedIn(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugins.more = map[string]integration.Integration{"second": h.plugin}
	d := draft("Hotline")
	d.Plugin = "second"
	_, _, err := h.Configure(context.Background(), h.id, 0, d)
	if err == nil || !strings.Contains(err.Error(), "plugin: Plugin cannot be changed") {
		t.Errorf("got %v", err)
	}
}

// TestWorkBeginsAtOnce, not at the next look into the store: the clock stands still.
func TestWorkBeginsAtOnce(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	performed := make(chan struct{}, 1)
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		performed <- struct{}{}
		return integration.TaskResult{}, nil
	}
	handled := make(chan struct{}, 1)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		handled <- struct{}{}
		return integration.Outcome{}, nil
	}
	h.start(t)
	eventually(t, "a first look that finds nothing", func() bool { return h.store.times("Claim") > 0 })
	h.expect(t, "/c/K/x", "done", "the request")
	wait(t, performed, "the task")
	wait(t, handled, "its result")
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	// An idle engine costs nothing: each of its loops waits.
	eventually(t, "rest", func() bool { return clk.Waiting() == idleTimers })
}

// TestWorkOfAnotherProcessIsLeftToIt while that process may be alive.
func TestWorkOfAnotherProcessIsLeftToIt(t *testing.T) {
	t.Parallel()
	h := newHost(t, manual(newManual()), func(c *engine.Config) { c.Workers = 1 })
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "held", Generation: 1}, {Name: "free", Generation: 1}}})
	h.expect(t, "/c/K/x", "done", "the request")
	items, _, err := h.store.Store.Claim(context.Background(), store.Claim{Owner: "other", Now: h.clock.Now(), Lease: time.Hour, Limit: 1})
	if err != nil || len(items) != 1 || items[0].Name != "held" {
		t.Fatalf("claimed %+v, %v", items, err)
	}
	performed := make(chan string, 2)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		performed <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.start(t)
	if got := wait(t, performed, "the other task"); got != "free" {
		t.Errorf("%s was taken from a process that holds it", got)
	}
}

// TestQuietRunsStillConsumeTheirItem: otherwise a timer whose handler has nothing to do would come for ever.
func TestQuietRunsStillConsumeTheirItem(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1, Timer: true}}})
	h.expect(t, "/c/K/x", "done", "the request")
	var runs atomic.Int32
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		runs.Add(1)
		return integration.Outcome{}, nil
	}
	h.start(t)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	if runs.Load() != 1 {
		t.Errorf("the handler ran %d times, want once", runs.Load())
	}
}

func TestASnapshotKeepsThePlatformsTime(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	read := h.clock.Now().Add(-time.Minute).UTC()
	h.platform.set(func(p *fakePlatform) { p.alerts["K"] = integration.AlertSnapshot{Key: "K", ReadAt: read} })
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok("none")}
		if req.Facts.Alert != nil {
			o.Response = ok(req.Facts.Alert.ReadAt.Format(time.RFC3339Nano))
		}
		if req.Facts.Session == nil {
			o.Session = remember(1)
			o.Session.AlertKey = "K"
		}
		return o, nil
	}
	h.expect(t, "/c/K/x", "none", "the first request")
	h.expect(t, "/c/K/x", read.Format(time.RFC3339Nano), "a platform that says when it read the alert")
}
