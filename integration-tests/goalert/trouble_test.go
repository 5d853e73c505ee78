package goalert_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/goalert"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

// fill posts so many alerts that the service takes no more.
func (w *world) fill(s admin.Service) {
	w.t.Helper()
	for i := range 200 {
		_, err := s.Post(context.Background(), admin.Alert{Summary: "full", Dedup: fmt.Sprint(i)})
		w.ok(err)
	}
}

func (w *world) makeRoom(s admin.Service) {
	w.t.Helper()
	_, err := s.Post(context.Background(), admin.Alert{Action: "close", Dedup: "7"})
	w.ok(err)
}

// The plugin rings where nobody is paged, so the snapshot says so although there is no alert yet.
func TestAFullServiceSaysThatNobodyIsPagedUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	w, h, s, _, _ := ordinary(t)
	w.fill(s)
	hints := h.hints(t)
	c := h.call(t)
	c.apply(create("Live call"))
	cmd := c.number(route(s.ID))
	err := c.Apply(t.Context(), c.scope, cmd)
	if integration.KindOf(err) != integration.KindUnavailable || !strings.Contains(err.Error(), "unacknowledged alerts") {
		t.Errorf("%v", err)
	}
	got := c.hinted(t, hints, "a refused alert", func(a integration.AlertSnapshot) bool { return a.Unpaged != "" })
	if got.Status != integration.AlertQueued || got.LastCommand >= cmd.Number || !slices.Equal(got.Teams, []string{s.ID}) {
		t.Errorf("%+v, want one of before the command that failed", got)
	}
	if !strings.Contains(got.Unpaged, w.name(s)) || !strings.Contains(got.Unpaged, "close some") {
		t.Errorf("%q names no service or no remedy", got.Unpaged)
	}
	if found := h.Findings(); len(found) != 1 || found[0] != got.Unpaged {
		t.Errorf("findings %q", found)
	}
	// As after a crash: the host still knows that it was there, and must not count it as deleted.
	h.start(t)
	c.host = h
	if again := c.snapshot(); again.Unpaged != got.Unpaged {
		t.Errorf("after a restart %+v", again)
	}
	w.makeRoom(s)
	w.ok(c.Apply(t.Context(), c.scope, cmd))
	if got := c.snapshot(); got.Status != integration.AlertOpen || got.Unpaged != "" || got.LastCommand != cmd.Number {
		t.Errorf("with room %+v", got)
	}
	if found := h.Findings(); len(found) != 0 {
		t.Errorf("findings %q after it was put right", found)
	}
}

// name is the name of a service.
func (w *world) name(s admin.Service) string {
	w.t.Helper()
	var out struct{ Service struct{ Name string } }
	w.ok(w.Admin.Query(context.Background(), fmt.Sprintf(`{service(id:%q){name}}`, s.ID), &out))
	return out.Service.Name
}

// Somebody has taken the call while the service was full: what was commanded meanwhile comes
// together, and GoAlert is not left to page anybody.
func TestACallThatWasTakenWhileTheServiceWasFullPagesNobodyLater(t *testing.T) {
	t.Parallel()
	w, h, s, alice, _ := ordinary(t)
	w.fill(s)
	c := h.call(t)
	cmds := []integration.AlertCommand{
		c.number(create("Live call")), c.number(route(s.ID)), c.number(integration.AlertCommand{Kind: integration.AlertLog, Text: "Alice takes the call."}), c.number(acknowledge(alice.ID)),
	}
	for range 2 {
		if done, err := c.ApplyAll(t.Context(), c.scope, cmds); done != 1 || integration.KindOf(err) != integration.KindUnavailable {
			t.Fatalf("%d done, %v", done, err)
		}
	}
	w.makeRoom(s)
	done, err := c.ApplyAll(t.Context(), c.scope, cmds[1:])
	if done != 3 || err != nil {
		t.Fatalf("%d done, %v", done, err)
	}
	got := c.snapshot()
	if !acknowledged(got) || got.Acknowledgements[0].User != alice.ID || got.Acknowledgements[0].Command != 4 || got.LastCommand != 4 {
		t.Errorf("%+v", got)
	}
	if waited := h.keys["Alert"]["Bearer "+w.poll.Token]; waited {
		t.Error("the acknowledgement waited for somebody to be paged")
	}
	if done, err := c.ApplyAll(t.Context(), c.scope, cmds); done != 4 || err != nil || h.sent("event ") != 3 {
		t.Errorf("again: %d done, %v, %d requests to create", done, err, h.sent("event "))
	}
}

func TestAPolicyWithoutStepsKeepsTheCallerWaitingAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	policy := must[string](w)(w.Admin.CreatePolicy(t.Context(), w.Unique("Policy"), 0))
	s := must[admin.Service](w)(w.Admin.CreateService(t.Context(), w.Unique("Payments"), policy, "key"))
	h := w.platform(t, s)
	c := h.call(t)
	c.apply(create("Live call"))
	cmd := c.number(route(s.ID))
	if err := c.Apply(t.Context(), c.scope, cmd); integration.KindOf(err) != integration.KindUnavailable || !strings.Contains(err.Error(), "add a step") {
		t.Errorf("%v", err)
	}
	if got := c.snapshot(); got.Status != integration.AlertQueued || !strings.Contains(got.Unpaged, "add a step") {
		t.Errorf("%+v", got)
	}
	// "Nobody is on call" would end the wait.
	if all, err := h.OnCall(t.Context(), h.scope, s.ID, 0, time.Now()); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("on call %v, %v", all, err)
	}
	if len(h.Findings()) != 1 {
		t.Errorf("findings %q", h.Findings())
	}
	must[int](w)(w.Admin.AddStep(t.Context(), policy, 60, admin.User(w.Person("Alice Example", "").ID)))
	h.onCall(t, s.ID, 1)
	w.ok(c.Apply(t.Context(), c.scope, cmd))
	if got := c.snapshot(); got.Status != integration.AlertOpen || got.Unpaged != "" {
		t.Errorf("%+v", got)
	}
}

func TestInMaintenanceNobodyIsPagedAndEscalatingIsRefusedForGood(t *testing.T) {
	t.Parallel()
	w, h, s, alice, _ := ordinary(t)
	w.ok(w.Admin.SetMaintenance(t.Context(), s.ID, time.Now().Add(time.Hour)))
	c := h.open(t, s.ID)
	got := c.snapshot()
	if got.Status != integration.AlertOpen || got.Layer != 0 || !strings.Contains(got.Unpaged, "maintenance") || !strings.Contains(got.Unpaged, w.name(s)) {
		t.Errorf("%+v", got)
	}
	if found := h.Findings(); len(found) != 1 || found[0] != got.Unpaged {
		t.Errorf("findings %q", found)
	}
	err := c.try(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 1})
	if integration.KindOf(err) != integration.KindUnsupported || !strings.Contains(err.Error(), "maintenance") {
		t.Errorf("%v", err)
	}
	// Whom the plugin rang takes the call.
	c.apply(acknowledge(alice.ID))
	if got := c.snapshot(); !acknowledged(got) || got.Acknowledgements[0].User != alice.ID {
		t.Errorf("%+v", got)
	}
	// The call ends, the maintenance does not.
	c.apply(integration.AlertCommand{Kind: integration.AlertResolve})
	if got := c.snapshot(); got.Status != integration.AlertResolved || got.Unpaged != "" {
		t.Errorf("%+v", got)
	}
	if found := h.Findings(); len(found) != 1 || !strings.Contains(found[0], "maintenance") {
		t.Errorf("findings after the call %q", found)
	}
}

// GoAlert or the way to it fails for longer than a moment while a call is routed.
func TestAnOutageThatLastsSaysThatNobodyIsPaged(t *testing.T) {
	t.Parallel()
	_, h, s, _, _ := ordinary(t)
	c := h.call(t)
	c.apply(create("Live call"))
	h.failing(func(string) error { return errLost })
	cmd := c.number(route(s.ID))
	if err := c.Apply(t.Context(), c.scope, cmd); integration.KindOf(err) != integration.KindUnavailable {
		t.Fatal(err)
	}
	if got, err := c.Alert(t.Context(), c.scope, c.key); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("after a moment %+v, %v", got, err)
	}
	h.cfg.Clock = ahead{clock.System(), time.Minute}
	h.start(t)
	c.host = h
	if err := c.Apply(t.Context(), c.scope, cmd); integration.KindOf(err) != integration.KindUnavailable {
		t.Fatal(err)
	}
	if got := c.snapshot(); !strings.Contains(got.Unpaged, "cannot be reached") {
		t.Errorf("after a minute %+v", got)
	}
	h.failing(nil)
	if err := c.Apply(t.Context(), c.scope, cmd); err != nil {
		t.Fatal(err)
	}
	if got := c.snapshot(); got.Status != integration.AlertOpen || strings.Contains(got.Unpaged, "cannot be reached") {
		t.Errorf("after the outage %+v", got)
	}
}

// A GoAlert that hangs takes the whole time of an attempt, which counts: the next one would be too
// late for a caller.
func TestAGoAlertThatHangsSaysThatNobodyIsPagedAfterOneAttempt(t *testing.T) {
	t.Parallel()
	_, h, s, _, _ := ordinary(t)
	c := h.call(t)
	c.apply(create("Live call"))
	h.wire.mu.Lock()
	h.wire.hang = true
	h.wire.mu.Unlock()
	if err := c.Apply(t.Context(), c.scope, c.number(route(s.ID))); integration.KindOf(err) != integration.KindDeadline {
		t.Fatal(err)
	}
	if got := c.snapshot(); !strings.Contains(got.Unpaged, "did not answer in time") {
		t.Errorf("after one attempt %+v", got)
	}
}

// Nothing tells that GoAlert's engine has stopped: the alert stays as it was made.
func TestAnEngineThatDoesNotComeToAnAlertPagesNobody(t *testing.T) {
	t.Parallel()
	w := openWith(t, goalertsim.Config{CycleTime: -1, Clock: clock.System()})
	w.NeedsStandIn("its engine is stopped")
	alice := w.Person("Alice Example", "")
	s := w.service(0, []admin.Dest{admin.User(alice.ID)})
	h := w.platform(t, s)
	w.Sim.Cycle()
	h.onCall(t, s.ID, 1)
	c := h.open(t, s.ID)
	if got := c.snapshot(); got.Unpaged != "" {
		t.Errorf("at once: %q", got.Unpaged)
	}
	h.cfg.Clock = ahead{clock.System(), 13 * time.Second}
	h.start(t)
	c.host = h
	hints := h.hints(t)
	c.snapshot()
	got := c.hinted(t, hints, "an engine that is late", func(a integration.AlertSnapshot) bool { return a.Unpaged != "" })
	if got.Status != integration.AlertOpen || got.Layer != 0 || !strings.Contains(got.Unpaged, "health/engine") || len(h.Findings()) != 1 {
		t.Errorf("%+v, findings %q", got, h.Findings())
	}
	w.Sim.Cycle()
	if got := c.snapshot(); got.Unpaged != "" || got.Layer != 1 || len(h.Findings()) != 0 {
		t.Errorf("after a cycle %+v, findings %q", got, h.Findings())
	}
}

// An error names the remedy and no key.
func TestErrorsSayWhatToDoAndHoldNoSecret(t *testing.T) {
	t.Parallel()
	w, h, s, _, _ := ordinary(t)
	redirecting := httptest.NewServer(http.RedirectHandler("https://elsewhere.example.com", http.StatusTemporaryRedirect))
	t.Cleanup(redirecting.Close)
	down := httptest.NewServer(nil)
	down.Close()
	foreign, err := w.Admin.CreateKey(t.Context(), w.Unique("key"), "user", "query Names{services(input:{first:1}){nodes{id}}}", time.Now().Add(time.Hour))
	w.ok(err)
	talkative := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"errors":[{"message":"pq:\n%s"}]}`, strings.Repeat("x", 5000))
	}))
	t.Cleanup(talkative.Close)
	for name, one := range map[string]struct {
		change func(*goalert.Config)
		remedy string
	}{
		"talkative":         {func(c *goalert.Config) { c.URL = talkative.URL }, "refuses the operation Names: pq: x"},
		"bad API key":       {func(c *goalert.Config) { c.CallKey = "eyJwrong" }, "run the set-up"},
		"foreign API key":   {func(c *goalert.Config) { c.CallKey = goalert.Secret(foreign.Token) }, "run the set-up"},
		"bad key to poll":   {func(c *goalert.Config) { c.PollKey = "eyJwrong" }, "run the set-up"},
		"down":              {func(c *goalert.Config) { c.URL = down.URL }, "cannot be reached"},
		"redirects":         {func(c *goalert.Config) { c.URL = redirecting.URL }, "public URL"},
		"integration key":   {func(c *goalert.Config) { c.Services = []goalert.Service{{ID: s.ID, Key: "wrongkey"}} }, "Generic API"},
		"connection is cut": {func(*goalert.Config) { h.failing(func(string) error { return errLost }) }, "cannot be reached"},
	} {
		cfg := h.cfg
		one.change(&cfg)
		p, err := goalert.New(context.Background(), cfg)
		w.ok(err)
		err = p.Health(t.Context())
		if name == "integration key" {
			k := w.Unique("call")
			w.ok(p.Apply(t.Context(), h.scope, integration.AlertCommand{Number: 1, Kind: integration.AlertCreate, AlertKey: k, Draft: &integration.AlertDraft{Title: "x"}}))
			err = p.Apply(t.Context(), h.scope, integration.AlertCommand{Number: 2, Kind: integration.AlertRoute, AlertKey: k, Teams: []string{s.ID}})
		}
		h.failing(nil)
		if integration.KindOf(err) != integration.KindUnavailable || !strings.Contains(err.Error(), one.remedy) {
			t.Errorf("%s: %v, want %q", name, err, one.remedy)
			continue
		}
		text := fmt.Sprintf("%v %+v %#v", err, err, err)
		if len(err.Error()) > 500 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
		for _, key := range []goalert.Secret{cfg.CallKey, cfg.PollKey, cfg.Services[0].Key} {
			if strings.Contains(text, string(key)) {
				t.Errorf("%s: the error holds a key: %s", name, text)
			}
		}
	}
	if text := fmt.Sprintf("%v %+v", h.cfg.CallKey, h.cfg.Services); strings.Contains(text, w.calls.Token) || strings.Contains(text, string(h.cfg.Services[0].Key)) {
		t.Errorf("a configuration shows its keys: %s", text)
	}
}

func TestNewRefusesAConfigurationThatCannotWork(t *testing.T) {
	t.Parallel()
	_, h, s, _, _ := ordinary(t)
	for name, change := range map[string]func(*goalert.Config){
		"no key":             func(c *goalert.Config) { c.PollKey = "" },
		"one key twice":      func(c *goalert.Config) { c.PollKey = c.CallKey },
		"no services":        func(c *goalert.Config) { c.Services = nil },
		"a service twice":    func(c *goalert.Config) { c.Services = append(c.Services, serviceOf(s)) },
		"no integration key": func(c *goalert.Config) { c.Services = []goalert.Service{{ID: s.ID}} },
		"no URL":             func(c *goalert.Config) { c.URL = "goalert" },
		"a password in it":   func(c *goalert.Config) { c.URL = "https://me:hunter2@goalert.example.com" },
	} {
		cfg := h.cfg
		change(&cfg)
		if _, err := goalert.New(t.Context(), cfg); integration.KindOf(err) != integration.KindInvalid || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
