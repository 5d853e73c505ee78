package renderers

import (
	"context"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/integration-tests/browser"
	"github.com/livecallrouting/livecall/integration-tests/programs"
)

// answers are what a person enters, in this order.
var answers = []struct {
	key   string
	value any
}{
	{"account_sid", "AC0123456789abcdef0123456789abcdef"},
	{"api_key", "SK0123456789abcdef0123456789abcdef"},
	{"api_secret", "canary0secret1"},
	{"auth_token", "canary0secret2"},
	{"api_region", "dublin.ie1"},
	{"caller_id", "+12025550101"},
	{"welcome", `Welcome to the "Example" hotline, Übermut & all.`},
	{"language", "de-DE"},
	{"force_input", true},
	{"confirm_answer", false},
	{"ring_timeout", 40},
	{"voicemail", true},
	{"voicemail_greeting", "Please leave a message for Alice Example."},
	{"voicemail_emails", []string{"on-call", "ops@example.com"}},
	{"voicemail_max_length", 90},
	{"transcribe", false},
	{"banned_phones", []string{"+12025550199", "anonymous"}},
	{"fallback_url", "https://example.com/fallback"},
}

// conditional are the fields of the answers that are shown only with voicemail.
var conditional = []string{"voicemail_greeting", "voicemail_emails", "voicemail_max_length"}

func TestFormLibraries(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the plugin, starts browsers")
	}
	bundles := t.TempDir()
	bundle(t, Modules(t), bundles)
	plugin := launch(t)
	described, err := plugin.OptionsSchema(t.Context(), integration.OptionsSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, lib := range libraries {
		t.Run(lib.name, func(t *testing.T) {
			t.Parallel()
			page := browser.Open(t)
			page.Look(1000, 900, "light")
			saved := fillNew(t, draw(t, page, lib, bundles, described.Schema, nil), plugin)
			editStored(t, page, lib, bundles, described.Schema, saved, plugin)
			if problems := page.Problems(); len(problems) > 0 {
				t.Errorf("the console complains: %q", problems)
			}
		})
	}
}

// fillNew fills an empty form and gives what a host would store.
func fillNew(t *testing.T, d drawn, plugin integration.Integration) []byte {
	t.Helper()
	var all, shown, secrets []string
	for _, g := range d.form.Groups {
		for _, f := range g.Fields {
			all = append(all, f.Key)
			if !d.lib.hides || f.ShowIf.HoldsIn(d.form, nil) {
				shown = append(shown, f.Key)
			}
			if f.Secret {
				secrets = append(secrets, f.Key)
			}
		}
	}
	if diff := cmp.Diff(shown, d.order()); diff != "" {
		t.Fatalf("fields drawn (-schema's order +page):\n%s", diff)
	}
	for _, key := range secrets {
		var kind string
		if d.Eval("document.querySelector("+quote(d.lib.control(key))+").type", &kind); kind != "password" {
			t.Errorf("%s can be read by whoever passes by: an input of type %q", key, kind)
		}
	}
	d.keep("new")

	// What is missing or wrong does not leave the page.
	d.refuses("account_sid")
	for _, a := range answers {
		d.fill(a.key, a.value)
	}
	d.fill("account_sid", "no account")
	d.refuses("account_sid")
	d.fill("account_sid", answers[0].value)
	if diff := cmp.Diff(all, d.order()); diff != "" {
		t.Errorf("fields drawn with voicemail (-schema's order +page):\n%s", diff)
	}
	for _, key := range all { // now, as JSON Forms shows complaints in place of descriptions
		f, _ := d.form.Field(key)
		for _, want := range []string{f.Title, f.Description} {
			if want == "" || !strings.Contains(d.words(key), want) {
				t.Errorf("%s: %q is missing in %q", key, want, d.words(key))
			}
		}
	}
	d.keep("filled")
	want := map[string]any{}
	for _, a := range answers {
		want[a.key] = a.value
	}
	accepted(t, plugin, d, d.save(), nil, want)

	// A condition that becomes false hides fields, where the library can, and never loses their
	// values.
	d.fill("voicemail", false)
	for _, key := range conditional {
		if d.lib.hides {
			d.WaitGone(d.lib.field(key))
		}
		d.expect(key, want[key])
	}
	want["voicemail"] = false
	accepted(t, plugin, d, d.save(), nil, want)
	d.fill("voicemail", true)
	for _, key := range conditional {
		d.WaitFor(d.lib.field(key))
	}
	want["voicemail"] = true
	return accepted(t, plugin, d, d.save(), nil, want)
}

// editStored opens what is stored as a host shows it, without secrets, and changes a little.
func editStored(t *testing.T, page *browser.Page, lib library, bundles string, schema, stored []byte, plugin integration.Integration) {
	t.Helper()
	secrets, err := form.SecretFields(schema)
	if err != nil {
		t.Fatal(err)
	}
	public, err := form.HideSecrets(stored, secrets)
	if err != nil {
		t.Fatal(err)
	}
	d := draw(t, page, lib, bundles, schema, public)
	var html string
	if d.Eval("document.documentElement.outerHTML + JSON.stringify(window.shown)", &html); strings.Contains(html, "canary") {
		t.Error("the page holds a secret")
	}
	var want map[string]any
	if err := json.Unmarshal(stored, &want); err != nil {
		t.Fatal(err)
	}
	accepted(t, plugin, d, d.save(), stored, want) // nothing was changed: nothing is

	d.fill("api_secret", "canary0secret3")
	d.fill("ring_timeout", 55)
	d.fill("caller_id", "")
	d.fill("voicemail_greeting", "Please speak.")
	want["api_secret"], want["ring_timeout"], want["caller_id"], want["voicemail_greeting"] = "canary0secret3", 55, "", "Please speak."
	accepted(t, plugin, d, d.save(), stored, want)
	d.keep("edited")
}

// accepted has the plugin judge a document that a library gave, as a host would, and compares it
// with what a person has entered. It gives what the host would store.
func accepted(t *testing.T, plugin integration.Integration, d drawn, sent, stored []byte, entered map[string]any) []byte {
	t.Helper()
	var secrets []string
	for _, g := range d.form.Groups {
		for _, f := range g.Fields {
			if f.Secret {
				secrets = append(secrets, f.Key)
			}
		}
	}
	document, err := form.MergeSecrets(sent, stored, secrets)
	if err != nil {
		t.Fatalf("%v: %s", err, sent)
	}
	verdict, err := plugin.ValidateOptions(t.Context(), integration.ValidateOptionsRequest{
		Options: document, Instance: integration.Instance{ID: "int_form"}, Destinations: []integration.Destination{{Kind: "team", ID: "devops", Name: "DevOps"}},
		Now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(verdict.Problems) > 0 {
		t.Fatalf("the plugin refuses %+v in\n%s", verdict.Problems, document)
	}
	for _, w := range verdict.Warnings {
		if w.Code == "unknown" {
			t.Errorf("the document has an unknown field: %+v", w)
		}
	}
	// What was entered, and else the defaults: no value that the library has made up.
	got, want := map[string]any{}, map[string]any{}
	for _, g := range d.form.Groups {
		for _, f := range g.Fields {
			if f.Default != nil {
				got[f.Key], want[f.Key] = decoded(t, f.Default), decoded(t, f.Default)
			}
		}
	}
	var fields map[string]any
	if err := json.Unmarshal(verdict.Options, &fields); err != nil {
		t.Fatal(err)
	}
	for key, value := range fields {
		got[key] = value
	}
	for key, value := range entered {
		b, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		want[key] = decoded(t, b)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the document of %s (-entered +stored):\n%s", d.lib.name, diff)
	}
	return verdict.Options
}

func decoded(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func quote(s string) string {
	b, _ := json.Marshal(s) // strings always have a JSON form
	return string(b)
}

// launch builds the plugin and starts it as a host does.
func launch(t *testing.T) *launcher.Plugin {
	t.Helper()
	dir := t.TempDir()
	if err := programs.Plugin(t.Context(), "../..", dir); err != nil {
		t.Fatal(err)
	}
	plugin, err := launcher.Launch(t.Context(), launcher.Config{
		Dir: filepath.Join(dir, "plugins", "livecall"),
		// A slow machine is no defect.
		Timing: launcher.Timing{Start: time.Minute, Handle: 20 * time.Second, HandleBudget: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { plugin.Stop(context.Background()) })
	return plugin
}

// TestLockFileNamesNoPlace keeps everybody's own setting the only place that says where packages
// come from.
func TestLockFileNamesNoPlace(t *testing.T) {
	t.Parallel()
	var lock struct {
		Packages map[string]struct {
			Version, Resolved, Integrity string
		} `json:"packages"`
	}
	if err := json.Unmarshal(lockFile, &lock); err != nil {
		t.Fatal(err)
	}
	if len(lock.Packages) < 10 {
		t.Fatalf("only %d packages", len(lock.Packages))
	}
	for name, p := range lock.Packages {
		if name != "" && (p.Resolved != "" || p.Version == "" || !strings.HasPrefix(p.Integrity, "sha512-")) {
			t.Errorf("%s: %+v: npm install --package-lock-only in this folder", name, p)
		}
	}
	if place := regexp.MustCompile(`[^"]*\.tgz`).Find(slices.Concat(lockFile, packageJSON)); place != nil {
		t.Errorf("%s is the address of a download", place)
	}
}

// TestAxe sees that the accessibility checks of other tests have a working axe-core.
func TestAxe(t *testing.T) {
	t.Parallel()
	axe := Axe(t)
	p := browser.Open(t)
	p.Go(`data:text/html,<html lang="en"><title>Sample</title><main><h1>Sample</h1><input id="nameless"></main></html>`)
	labelMissing := func(line string) bool {
		return strings.HasPrefix(line, "label: ") && strings.Contains(line, "#nameless")
	}
	if got := p.Accessibility(axe); !slices.ContainsFunc(got, labelMissing) {
		t.Errorf("axe-core says %q", got)
	}
	p.Go(`data:text/html,<html lang="en"><title>Sample</title><main><h1>Sample</h1><label>Name <input></label></main></html>`)
	if got := p.Accessibility(axe); len(got) != 0 {
		t.Errorf("axe-core says of a good page %q", got)
	}
}
