package storetest

import (
	"bytes"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

var integrationChecks = []check{
	{"Integration/whole", integrationWhole},
	{"Integration/list", integrationList},
	{"Integration/conflicts", integrationConflicts},
	{"Integration/deleted", integrationDeleted},
	{"Integration/kept for its calls", integrationKept},
	{"Integration/pinned options", integrationPinned},
	{"Integration/findings", integrationFindings},
	{"Setting/first value stays", settings},
}

// sample is an integration in which every field has a value, so that a field which is not stored is
// noticed.
func sample(id, name string) store.Integration {
	return store.Integration{
		ID: id, Plugin: "livecall", Name: name, Enabled: true, Maintenance: true, Urgency: "high",
		Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}, {Kind: integration.DestinationRouter, ID: "by-time"}},
		Options:      []byte(`{"b":1,"a":"s3cr3t", "c":[ ]}`), OptionsFormat: 3, SecretFields: []string{"a"},
		Fallback: integration.FallbackAnswers{
			Wait:      integration.Response{Status: 200, Header: map[string][]string{"Content-Type": {"text/xml"}}, Body: []byte("<wait/>")},
			LastWords: integration.Response{Body: []byte("<bye/>")}, Keep: []string{"Digits"}, For: 5 * time.Minute,
		},
		TokenKey: bytes.Repeat([]byte("k1"), 16),
	}
}

// What is saved is what is read, after a restart too. The token key is the exception: it is made
// once and outlives every save, as addresses that others hold are signed with it.
func integrationWhole(r *run) {
	want := sample(inst, "Hotline")
	revision, err := r.SaveIntegration(r.ctx, want)
	r.ok(err)
	if revision != 1 {
		r.Errorf("the first revision is %d, want 1", revision)
	}
	r.again()
	got, err := r.Integration(r.ctx, inst)
	r.ok(err)
	if got.CreatedAt.IsZero() || !got.UpdatedAt.Equal(got.CreatedAt) {
		r.Errorf("created at %v, updated at %v", got.CreatedAt, got.UpdatedAt)
	}
	want.Revision, want.CreatedAt, want.UpdatedAt = 1, got.CreatedAt, got.UpdatedAt
	r.same("what was saved", got, want)

	changed := got
	changed.Name, changed.Enabled, changed.Maintenance, changed.Urgency = "Other", false, false, ""
	changed.Destinations, changed.Options, changed.OptionsFormat = nil, []byte(`{"a":"new"}`), 4
	changed.TokenKey = bytes.Repeat([]byte("k2"), 16)
	revision, err = r.SaveIntegration(r.ctx, changed)
	r.ok(err)
	again, err := r.Integration(r.ctx, inst)
	r.ok(err)
	if revision != 2 || again.UpdatedAt.Before(again.CreatedAt) || !again.CreatedAt.Equal(got.CreatedAt) {
		r.Errorf("revision %d, created at %v, updated at %v", revision, again.CreatedAt, again.UpdatedAt)
	}
	changed.Revision, changed.UpdatedAt, changed.TokenKey = 2, again.UpdatedAt, want.TokenKey
	r.same("the second revision, with the first one's token key", again, changed)
	for revision, want := range map[int64]store.Integration{1: want, 2: changed} {
		options, format, err := r.IntegrationOptions(r.ctx, inst, revision)
		r.ok(err)
		if !bytes.Equal(options, want.Options) || format != want.OptionsFormat {
			r.Errorf("revision %d: %s of format %d", revision, options, format)
		}
	}

	fresh := sample("int_new", "no key")
	fresh.TokenKey = nil
	_, err = r.SaveIntegration(r.ctx, fresh)
	r.ok(err)
	first, err := r.Integration(r.ctx, "int_new")
	r.ok(err)
	if len(first.TokenKey) != 32 || bytes.Equal(first.TokenKey, make([]byte, 32)) {
		r.Errorf("a new instance without a token key got one of %d bytes", len(first.TokenKey))
	}
}

func integrationList(r *run) {
	list, err := r.ListIntegrations(r.ctx)
	r.ok(err)
	if len(list) != 0 {
		r.Errorf("an empty store lists %d", len(list))
	}
	for _, in := range [][2]string{{"c", "Beta"}, {"b", "Alpha"}, {"a", "Beta"}} {
		_, err := r.SaveIntegration(r.ctx, sample(in[0], in[1]))
		r.ok(err)
	}
	list, err = r.ListIntegrations(r.ctx)
	r.ok(err)
	var ids []string
	for _, in := range list {
		ids = append(ids, in.ID)
		one, err := r.Integration(r.ctx, in.ID)
		r.ok(err)
		r.same("listed "+in.ID, in, one)
	}
	r.same("ids by name, then id", ids, []string{"b", "a", "c"})
}

// Saving is compare-and-swap on the revision: of two people who edit the same form, the second is
// told so instead of undoing what the first changed.
func integrationConflicts(r *run) {
	_, err := r.Integration(r.ctx, inst)
	r.kind("read unknown", err, integration.KindNotFound)
	_, _, err = r.IntegrationOptions(r.ctx, inst, 1)
	r.kind("options of unknown", err, integration.KindNotFound)
	r.kind("delete unknown", r.DeleteIntegration(r.ctx, inst), integration.KindNotFound)
	in := sample(inst, "Hotline")
	in.Revision = 1
	_, err = r.SaveIntegration(r.ctx, in)
	r.kind("save a revision of unknown", err, integration.KindNotFound)
	in.Revision = 0
	_, err = r.SaveIntegration(r.ctx, in)
	r.ok(err)
	_, err = r.SaveIntegration(r.ctx, in)
	r.kind("make it again", err, integration.KindConflict)
	in.Revision = 2
	_, err = r.SaveIntegration(r.ctx, in)
	r.kind("save over a revision that is not there", err, integration.KindConflict)
	in.Revision = 1
	_, err = r.SaveIntegration(r.ctx, in)
	r.ok(err)
	in.Name = "late"
	_, err = r.SaveIntegration(r.ctx, in)
	r.kind("save over an old revision", err, integration.KindConflict)
	got, err := r.Integration(r.ctx, inst)
	r.ok(err)
	if got.Name != "Hotline" || got.Revision != 2 {
		r.Errorf("a refused save changed it: %s, revision %d", got.Name, got.Revision)
	}
	if _, _, err = r.IntegrationOptions(r.ctx, inst, 3); integration.KindOf(err) != integration.KindNotFound {
		r.Errorf("a refused save left options behind: %v", err)
	}
	for what, change := range map[string]func(*store.Integration){
		"save without id":              func(in *store.Integration) { in.ID = "" },
		"save over revision -1":        func(in *store.Integration) { in.Revision = -1 },
		"save with a token key of 5 B": func(in *store.Integration) { in.TokenKey = []byte("short") },
	} {
		in := sample("int_new", "x")
		change(&in)
		_, err = r.SaveIntegration(r.ctx, in)
		r.kind(what, err, integration.KindInvalid)
	}
	list, err := r.ListIntegrations(r.ctx)
	r.ok(err)
	if len(list) != 1 {
		r.Errorf("%d integrations are stored, want the first alone", len(list))
	}
}

// A deleted integration is gone for people and still there for its running calls. Its id is never
// given to another, whose calls its sessions would then be.
func integrationDeleted(r *run) {
	_, err := r.SaveIntegration(r.ctx, sample(inst, "Hotline"))
	r.ok(err)
	r.ok(r.SaveFindings(r.ctx, inst, []integration.Finding{{Code: "x", Severity: integration.FindingInfo}}))
	r.commit(store.Commit{Session: &store.Session{Revision: 1, Live: true, ExpiresAt: after(1000)}})
	r.ok(r.DeleteIntegration(r.ctx, inst))
	r.again()
	_, err = r.Integration(r.ctx, inst)
	r.kind("read", err, integration.KindNotFound)
	kept, err := r.KeptIntegration(r.ctx, inst)
	r.ok(err)
	if kept.DeletedAt.IsZero() || len(kept.TokenKey) == 0 || string(kept.Options) != string(sample(inst, "Hotline").Options) {
		r.Errorf("what running calls need of it is %+v", kept)
	}
	r.kind("delete again", r.DeleteIntegration(r.ctx, inst), integration.KindNotFound)
	in := sample(inst, "Hotline")
	in.Revision = 1
	_, err = r.SaveIntegration(r.ctx, in)
	r.kind("save", err, integration.KindNotFound)
	in.Revision = 0
	_, err = r.SaveIntegration(r.ctx, in)
	r.kind("make it again", err, integration.KindConflict)
	list, err := r.ListIntegrations(r.ctx)
	r.ok(err)
	if len(list) != 0 {
		r.Errorf("it is still listed")
	}
	findings, err := r.Findings(r.ctx, inst)
	r.ok(err)
	if len(findings) != 0 {
		r.Errorf("its findings are still there")
	}
	if _, err := r.Session(r.ctx, inst, call); err != nil {
		r.Errorf("its session: %v", err)
	}
	if _, _, err := r.IntegrationOptions(r.ctx, inst, 1); err != nil {
		r.Errorf("options that its session pins: %v", err)
	}
}

// A deleted integration is kept, with its secrets, for its running calls and for what is left to do
// after them, and no longer.
func integrationKept(r *run) {
	_, err := r.SaveIntegration(r.ctx, sample(inst, "Hotline"))
	r.ok(err)
	_, err = r.SaveIntegration(r.ctx, sample("int_2", "In use"))
	r.ok(err)
	saved, err := r.KeptIntegration(r.ctx, inst)
	r.ok(err)
	if !saved.DeletedAt.IsZero() {
		r.Errorf("an integration in use was deleted at %v", saved.DeletedAt)
	}
	never := saved.UpdatedAt.AddDate(1, 0, 0)
	r.commit(store.Commit{Session: &store.Session{Revision: 1, Live: true, ExpiresAt: never}, Items: []store.Item{timer("recording", 1, base)}})
	r.commit(store.Commit{Integration: inst, Key: integration.IntegrationSessionKey, Items: []store.Item{timer("periodic", 1, base)}})
	r.ok(r.DeleteIntegration(r.ctx, inst))
	kept := func(when string, want bool) {
		r.Helper()
		_, err := r.DeleteExpired(r.ctx, saved.UpdatedAt.AddDate(0, 0, 2))
		r.ok(err)
		_, err = r.KeptIntegration(r.ctx, inst)
		if (err == nil) != want || (err != nil && integration.KindOf(err) != integration.KindNotFound) {
			r.Errorf("%s: kept %v (%v), want %v", when, err == nil, err, want)
		}
		_, _, err = r.IntegrationOptions(r.ctx, inst, 1)
		if (err == nil) != want {
			r.Errorf("%s: options kept %v (%v), want %v", when, err == nil, err, want)
		}
	}
	kept("while a call runs", true)
	r.commit(store.Commit{Version: 1, Session: &store.Session{ExpiresAt: never}})
	kept("while its recording is to be fetched", true)
	items, _, err := r.Claim(r.ctx, store.Claim{Owner: "me", Now: saved.UpdatedAt, Lease: time.Minute})
	r.ok(err)
	if len(items) != 1 || items[0].Name != "recording" {
		r.Fatalf("there is to be done %+v, want the call's timer alone", items)
	}
	r.commit(store.Commit{Version: 2, Done: items[0].ID})
	kept("when nothing is left", false)
	_, err = r.Integration(r.ctx, "int_2")
	r.ok(err)
	_, err = r.Session(r.ctx, inst, call)
	r.ok(err) // its calls stay readable
}

// A running call keeps the options it began with. Its revision stays readable until the last
// session that pins it has expired, however often the form is saved meanwhile.
func integrationPinned(r *run) {
	in := sample(inst, "Hotline")
	for revision := range int64(4) {
		in.Revision = revision
		_, err := r.SaveIntegration(r.ctx, in)
		r.ok(err)
	}
	saved, err := r.Integration(r.ctx, inst)
	r.ok(err)
	late := saved.UpdatedAt.Add(48 * time.Hour)
	// Sessions pin 1 and 2; the first expires.
	r.commit(store.Commit{Session: &store.Session{Revision: 1, ExpiresAt: saved.UpdatedAt.Add(time.Hour)}})
	r.commit(store.Commit{Integration: inst, Key: "CA2", Session: &store.Session{Revision: 2, ExpiresAt: late.Add(time.Hour)}})
	// A later commit cannot move the pin.
	r.commit(store.Commit{Integration: inst, Key: "CA2", Version: 1, Session: &store.Session{Revision: 4, ExpiresAt: late.Add(time.Hour)}})
	there := func(when string, want ...bool) {
		r.Helper()
		for i, w := range want {
			_, _, err := r.IntegrationOptions(r.ctx, inst, int64(i+1))
			if (err == nil) != w || (err != nil && integration.KindOf(err) != integration.KindNotFound) {
				r.Errorf("%s: revision %d readable: %v (%v), want %v", when, i+1, err == nil, err, w)
			}
		}
	}
	_, err = r.DeleteExpired(r.ctx, saved.UpdatedAt)
	r.ok(err)
	there("before anything expires", true, true, true, true)
	n, err := r.DeleteExpired(r.ctx, late)
	r.ok(err)
	if n != 1 {
		r.Errorf("%d sessions expired, want 1", n)
	}
	_, _, err = r.IntegrationOptions(r.ctx, inst, 2)
	if err != nil {
		r.Errorf("the pinned revision: %v", err)
	}
	_, _, err = r.IntegrationOptions(r.ctx, inst, 4)
	if err != nil {
		r.Errorf("the newest revision: %v", err)
	}
	s, err := r.Session(r.ctx, inst, "CA2")
	r.ok(err)
	if s.Revision != 2 {
		r.Errorf("the session's revision moved from 2 to %d", s.Revision)
	}
}

// A finding is known by its code: a new one replaces the old one, and one that is clear removes it.
func integrationFindings(r *run) {
	warn := func(code, message string) integration.Finding {
		return integration.Finding{Code: code, Severity: integration.FindingWarning, Message: message, Field: "auth_token", At: base}
	}
	r.ok(r.SaveFindings(r.ctx, inst, nil))
	r.ok(r.SaveFindings(r.ctx, inst, []integration.Finding{warn("b", "1"), warn("a", "1"), warn("c", "1")}))
	r.ok(r.SaveFindings(r.ctx, "int_2", []integration.Finding{warn("other", "1")}))
	r.commit(store.Commit{Findings: []integration.Finding{
		warn("b", "2"), {Code: "c", Severity: integration.FindingClear}, {Code: "never", Severity: integration.FindingClear},
	}})
	r.again()
	got, err := r.Findings(r.ctx, inst)
	r.ok(err)
	r.same("findings by code", got, []integration.Finding{warn("a", "1"), warn("b", "2")})
	r.ok(r.SaveFindings(r.ctx, "int_2", []integration.Finding{warn("b", "3")}))
	counts, err := r.CountFindings(r.ctx)
	r.ok(err)
	r.same("findings of all integrations", counts, []store.FindingCount{
		{Code: "a", Severity: integration.FindingWarning, Integrations: 1}, {Code: "b", Severity: integration.FindingWarning, Integrations: 2},
		{Code: "other", Severity: integration.FindingWarning, Integrations: 1},
	})
}

// The first value of a setting wins, also between processes that start at the same moment: keys and
// names are made in this way, and two processes must agree on them.
func settings(r *run) {
	_, err := r.Setting(r.ctx, "x")
	r.kind("absent", err, integration.KindNotFound)
	var wg sync.WaitGroup
	values := make([]string, 8)
	for i := range values {
		wg.Add(1)
		go func() {
			defer wg.Done()
			v, err := r.InitSetting(r.ctx, "x", string(rune('a'+i)))
			if err != nil {
				r.Error(err)
			}
			values[i] = v
		}()
	}
	wg.Wait()
	r.again()
	got, err := r.Setting(r.ctx, "x")
	r.ok(err)
	for _, v := range values {
		if v != got || v == "" {
			r.Errorf("one caller was told %q, in force is %q", v, got)
		}
	}
	v, err := r.InitSetting(r.ctx, "y", "")
	r.ok(err)
	if again, err := r.InitSetting(r.ctx, "y", "later"); err != nil || v != "" || again != "" {
		r.Errorf("an empty value counts as a value: %q, then %q (%v)", v, again, err)
	}
	r.ok(r.SetSetting(r.ctx, "x", "replaced"))
	r.ok(r.SetSetting(r.ctx, "z", "new"))
	r.again()
	for name, want := range map[string]string{"x": "replaced", "z": "new"} {
		if got, err := r.Setting(r.ctx, name); err != nil || got != want {
			r.Errorf("setting %s is %q (%v), want %q", name, got, err, want)
		}
	}
	r.ok(r.Ping(r.ctx))
}
