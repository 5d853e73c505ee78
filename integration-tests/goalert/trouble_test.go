package goalert_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/goalert"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

func TestAFullServiceIsRetriedAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w, h, s, _, _ := ordinary(t)
	for i := range 200 {
		_, err := s.Post(t.Context(), admin.Alert{Summary: "full", Dedup: fmt.Sprint(i)})
		w.ok(err)
	}
	c := h.call(t)
	c.apply(create("Live call"))
	cmd := c.number(route(s.ID))
	err := c.Apply(t.Context(), c.scope, cmd)
	if integration.KindOf(err) != integration.KindUnavailable || !strings.Contains(err.Error(), "unacknowledged alerts") {
		t.Errorf("%v", err)
	}
	if troubles := h.Findings(); len(troubles) != 1 || !strings.Contains(troubles[0], "close some") {
		t.Errorf("troubles %q", troubles)
	}
	_, err = s.Post(t.Context(), admin.Alert{Action: "close", Dedup: "7"})
	w.ok(err)
	w.ok(c.Apply(t.Context(), c.scope, cmd))
	c.snapshot()
	if troubles := h.Findings(); len(troubles) != 0 {
		t.Errorf("troubles %q after it was put right", troubles)
	}
}

func TestAPolicyWithoutStepsIsRetriedAndSaysWhatToDo(t *testing.T) {
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
	if len(h.Findings()) != 1 {
		t.Errorf("troubles %q", h.Findings())
	}
	must[int](w)(w.Admin.AddStep(t.Context(), policy, 60, admin.User(w.Person("Alice Example", "").ID)))
	h.onCall(t, s.ID, 1)
	w.ok(c.Apply(t.Context(), c.scope, cmd))
	if got := c.snapshot(); got.Status != integration.AlertOpen {
		t.Errorf("%+v", got)
	}
}

func TestInMaintenanceNoLayerIsPagedAndEscalatingIsRefusedForGood(t *testing.T) {
	t.Parallel()
	w, h, s, _, _ := ordinary(t)
	w.ok(w.Admin.SetMaintenance(t.Context(), s.ID, time.Now().Add(time.Hour)))
	c := h.open(t, s.ID)
	if got := c.snapshot(); got.Status != integration.AlertOpen || got.Layer != 0 {
		t.Errorf("%+v", got)
	}
	if troubles := h.Findings(); len(troubles) != 1 || !strings.Contains(troubles[0], "maintenance") {
		t.Errorf("troubles %q", troubles)
	}
	err := c.try(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 1})
	if integration.KindOf(err) != integration.KindUnsupported || !strings.Contains(err.Error(), "maintenance") {
		t.Errorf("%v", err)
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
	for name, one := range map[string]struct {
		change func(*goalert.Config)
		remedy string
	}{
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
