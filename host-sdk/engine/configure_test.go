package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

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

func TestConfigureRefusesFieldByField(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.validate = func(integration.ValidateOptionsRequest) integration.ValidateOptionsResponse {
		return integration.ValidateOptionsResponse{Problems: []integration.Problem{{Path: "greeting", Code: "required", Message: "Greeting is missing"}}}
	}
	team := []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}}
	for _, tc := range []struct {
		name  string
		draft engine.Draft
		want  []string
	}{
		{"nothing given", engine.Draft{}, []string{"name", "plugin", "destinations"}},
		{"unknown words", engine.Draft{Name: "x", Plugin: "y", Urgency: "panic", Destinations: []platform.Ref{{Kind: "moon", ID: "z"}}}, []string{"urgency", "plugin", "destinations/0"}},
		{"unknown team beside the plugin's own problem", engine.Draft{Name: "x", Plugin: "fake", Destinations: append(team, platform.Ref{Kind: "team", ID: "nowhere"})}, []string{"destinations/1", "greeting"}},
		{"no name beside the plugin's own problem", engine.Draft{Plugin: "fake", Destinations: team}, []string{"name", "greeting"}},
		{"no JSON", engine.Draft{Name: "x", Plugin: "fake", Destinations: team, Options: []byte("{")}, []string{"options"}},
		{"no object", engine.Draft{Name: "x", Plugin: "fake", Destinations: team, Options: []byte("[1]")}, []string{"options"}},
	} {
		_, _, err := h.Configure(context.Background(), "", 0, tc.draft)
		var refused *engine.ProblemsError
		if !asProblems(err, &refused) {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		var paths []string
		for _, p := range refused.Problems {
			paths = append(paths, p.Path)
		}
		if strings.Join(paths, " ") != strings.Join(tc.want, " ") {
			t.Errorf("%s: problems at %v, want %v", tc.name, paths, tc.want)
		}
	}
	if list, _ := h.store.ListIntegrations(context.Background()); len(list) != 1 {
		t.Errorf("%d integrations after refused drafts, want the one there was", len(list))
	}
	if _, _, err := h.Configure(context.Background(), h.id, 7, engine.Draft{}); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("a revision that is not the newest: %v", err)
	}
}
