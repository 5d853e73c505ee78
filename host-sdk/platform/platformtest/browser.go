package platformtest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// browser is the platform's list of alerts; a platform that shows them elsewhere has none.
func (b *bench) browser(t *testing.T) platform.AlertBrowser {
	t.Helper()
	browser, ok := b.Platform.(platform.AlertBrowser)
	if !ok {
		t.Skip("the platform does not implement platform.AlertBrowser")
	}
	return browser
}

// A list is newest first and filtered as asked. What was set twice is there once, with its last
// value: commands may be run twice.
func testBrowse(t *testing.T, b *bench) {
	browser := b.browser(t)
	older, newer := b.open(t), b.open(t)
	if b.caps.Annotations {
		newer.apply(t, newer.field("Team", "one"))
		newer.apply(t, newer.field("Team", "two"))
		newer.apply(t, newer.attach())
		newer.apply(t, newer.attach())
		newer.apply(t, newer.log("The caller waits"))
	}
	id := newer.snapshot(t).ID
	a, err := browser.GetAlert(b.ctx(t), id)
	if err != nil {
		t.Fatalf("GetAlert: %v", err)
	}
	if a.Key != newer.key || a.Status != integration.AlertOpen || a.Title == "" || a.Urgency != "high" || a.Integration != b.Scope.Integration || a.CreatedAt.IsZero() || len(a.Log) == 0 {
		t.Errorf("GetAlert: %+v", a)
	}
	if b.caps.Escalate && len(a.Paged) == 0 {
		t.Error("GetAlert: nobody is being paged on an open alert")
	}
	if b.caps.Annotations {
		var values []string
		for _, f := range a.Fields {
			if f.Label == "Team" {
				values = append(values, f.Value)
			}
		}
		if !slices.Equal(values, []string{"two"}) {
			t.Errorf("a field that was set to one and then to two has %v", values)
		}
		if len(a.Attachments) != 1 || a.Attachments[0].Label != "Voicemail" || a.Attachments[0].Media.Bytes != 1234 {
			t.Errorf("a medium attached twice: %+v", a.Attachments)
		}
		if !slices.ContainsFunc(a.Log, func(l platform.LogEntry) bool { return l.Message == "The caller waits" && !l.At.IsZero() }) {
			t.Errorf("the log has no line of ours: %+v", a.Log)
		}
	}
	list, _, err := browser.ListAlerts(b.ctx(t), platform.AlertFilter{Integration: b.Scope.Integration, Limit: 1000})
	if err != nil {
		t.Fatalf("ListAlerts: %v", err)
	}
	at := func(key string) int {
		return slices.IndexFunc(list, func(a platform.AlertRecord) bool { return a.Key == key })
	}
	if n, o := at(newer.key), at(older.key); n < 0 || o < 0 || n > o {
		t.Errorf("ListAlerts has the newer alert at %d and the older at %d", n, o)
	}
	newer.apply(t, newer.resolve())
	if a, err = browser.GetAlert(b.ctx(t), id); err != nil || len(a.Paged) != 0 {
		t.Errorf("GetAlert of a resolved alert: %v; %v are still being paged", err, a.Paged)
	}
	list, _, err = browser.ListAlerts(b.ctx(t), platform.AlertFilter{Status: integration.AlertOpen, Integration: b.Scope.Integration, Limit: 1000})
	if err != nil || at(newer.key) >= 0 || at(older.key) < 0 {
		t.Errorf("ListAlerts of open ones, of which one was resolved: %v, %d, %d", err, at(newer.key), at(older.key))
	}
	if list, _, err = browser.ListAlerts(b.ctx(t), platform.AlertFilter{Limit: 1}); err != nil || len(list) != 1 {
		t.Errorf("ListAlerts with limit 1: %d alerts, %v", len(list), err)
	}
	if list, _, err = browser.ListAlerts(b.ctx(t), platform.AlertFilter{Integration: unknown}); err != nil || len(list) != 0 {
		t.Errorf("ListAlerts of an unknown integration: %d alerts, %v", len(list), err)
	}
	_, err = browser.GetAlert(b.ctx(t), unknown)
	wantKind(t, "GetAlert of an unknown alert", err, integration.KindNotFound)
}

// The cursor of a list leads through all alerts of a filter, each once; a search finds what people
// remember; each is refused a cursor that is none.
func testBrowsePages(t *testing.T, b *bench) {
	browser := b.browser(t)
	before, err := browser.CountAlerts(b.ctx(t), integration.AlertOpen, integration.AlertQueued)
	if err != nil {
		t.Fatalf("CountAlerts: %v", err)
	}
	began := b.Now()
	first, second, other, oven := b.open(t), b.open(t), b.session(), b.session()
	other.apply(t, other.create())
	other.apply(t, other.route(b.OtherTeam, b.Team))
	oven.apply(t, integration.AlertCommand{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "About the Éclair oven", Urgency: "high",
		Fields: []integration.AlertField{{Label: "Key", Value: oven.key}}}})
	oven.apply(t, oven.route(b.Team))
	if n, err := browser.CountAlerts(b.ctx(t), integration.AlertOpen, integration.AlertQueued); err != nil || n < before+4 {
		t.Errorf("CountAlerts: %d alerts, before four were made %d (%v)", n, before, err)
	}
	keys := func(f platform.AlertFilter) []string {
		t.Helper()
		f.Integration, f.From = b.Scope.Integration, began.Add(-time.Second)
		var all []string
		for range 10_000 {
			list, next, err := browser.ListAlerts(b.ctx(t), f)
			if err != nil {
				t.Fatalf("ListAlerts(%+v): %v", f, err)
			}
			for _, a := range list {
				if slices.Contains([]string{first.key, second.key, other.key, oven.key}, a.Key) {
					all = append(all, a.Key)
				}
			}
			if f.After = next; next == "" {
				return all
			}
		}
		t.Fatalf("ListAlerts(%+v) has no last page", f)
		return nil
	}
	for _, c := range []struct {
		filter platform.AlertFilter
		want   []string
	}{
		{platform.AlertFilter{Limit: 1}, []string{oven.key, other.key, second.key, first.key}},
		{platform.AlertFilter{Limit: 2, Team: b.Team}, []string{oven.key, other.key, second.key, first.key}},
		{platform.AlertFilter{Limit: 1, Team: b.OtherTeam}, []string{other.key}},
		{platform.AlertFilter{Limit: 1, Team: b.Team, Status: integration.AlertOpen}, []string{oven.key, other.key, second.key, first.key}},
		{platform.AlertFilter{Team: b.Team, Status: integration.AlertQueued}, nil},
		{platform.AlertFilter{Team: unknown}, nil},
		{platform.AlertFilter{Limit: 1, Text: "éclair " + strings.ToUpper(oven.key)}, []string{oven.key}},
		{platform.AlertFilter{Limit: 1, Text: "(202) 555-0143", Team: b.OtherTeam}, []string{other.key}},
		{platform.AlertFilter{Text: "éclair%"}, nil},
		{platform.AlertFilter{Until: began.Add(-time.Second)}, nil},
	} {
		if got := keys(c.filter); !slices.Equal(got, c.want) {
			t.Errorf("ListAlerts(%+v), page by page: %v, want %v", c.filter, got, c.want)
		}
	}
	for _, cursor := range []string{"x", "1.2", "1." + unknown, "'"} {
		_, _, err := browser.ListAlerts(b.ctx(t), platform.AlertFilter{After: cursor})
		wantKind(t, "ListAlerts with the cursor "+cursor, err, integration.KindInvalid)
	}
}

// What a person does on a page follows other rules than a command: where it cannot be done, the
// person is told, in a sentence. Doing the same again is no conflict with oneself.
func testAct(t *testing.T, b *bench) {
	browser := b.browser(t)
	s := b.open(t)
	id := s.snapshot(t).ID
	_, err := browser.Act(b.ctx(t), unknown, platform.ActAcknowledge, b.Users[0])
	wantKind(t, "Act on an unknown alert", err, integration.KindNotFound)
	_, err = browser.Act(b.ctx(t), id, platform.ActAcknowledge, unknown)
	wantKind(t, "Act by an unknown person", err, integration.KindNotFound)

	a, err := browser.GetAlert(b.ctx(t), id)
	if err != nil {
		t.Fatalf("GetAlert: %v", err)
	}
	for _, user := range a.Paged { // when everybody of layer 1 cannot, layer 2 is paged
		if a, err = browser.Act(b.ctx(t), id, platform.ActReject, user); err != nil {
			t.Fatalf("Act(reject) by %s: %v", user, err)
		}
	}
	if b.caps.Escalate && a.Layer != 2 {
		t.Errorf("after everybody of layer 1 rejected layer %d is paged, want 2", a.Layer)
	}
	if len(a.Paged) > 1 {
		first, err := browser.Act(b.ctx(t), id, platform.ActReject, a.Paged[0])
		if err != nil {
			t.Fatalf("Act(reject) by %s: %v", a.Paged[0], err)
		}
		again, err := browser.Act(b.ctx(t), id, platform.ActReject, a.Paged[0])
		if err != nil || len(again.Log) != len(first.Log) || again.Layer != first.Layer {
			t.Errorf("Act(reject) by the same person again: %v; the log has %d lines, had %d", err, len(again.Log), len(first.Log))
		}
		if slices.Contains(again.Paged, a.Paged[0]) {
			t.Errorf("%s rejected and is still paged", a.Paged[0])
		}
	}
	if a, err = browser.Act(b.ctx(t), id, platform.ActAcknowledge, b.Users[0]); err != nil || a.Status != integration.AlertAcknowledged {
		t.Fatalf("Act(acknowledge): %s, %v", a.Status, err)
	}
	if again, err := browser.Act(b.ctx(t), id, platform.ActAcknowledge, b.Users[0]); err != nil || len(again.Log) != len(a.Log) {
		t.Errorf("Act(acknowledge) by the same person again: %v; the log has %d lines, had %d", err, len(again.Log), len(a.Log))
	}
	for _, action := range []platform.AlertAction{platform.ActAcknowledge, platform.ActReject, platform.ActEscalate} {
		_, err = browser.Act(b.ctx(t), id, action, b.Users[1])
		wantConflict(t, string(action)+" of an acknowledged alert by somebody else", err)
	}
	if a, err = browser.Act(b.ctx(t), id, platform.ActResolve, b.Users[1]); err != nil || a.Status != integration.AlertResolved {
		t.Fatalf("Act(resolve): %s, %v", a.Status, err)
	}
	for _, action := range []platform.AlertAction{platform.ActAcknowledge, platform.ActReject, platform.ActEscalate} {
		_, err = browser.Act(b.ctx(t), id, action, b.Users[0])
		wantConflict(t, string(action)+" of a resolved alert", err)
	}
}

// wantConflict also wants a message that can be shown to the person.
func wantConflict(t *testing.T, what string, err error) {
	t.Helper()
	wantKind(t, what, err, integration.KindConflict)
	var known *integration.Error
	if errors.As(err, &known) && (known.Message == "" || strings.Contains(strings.ToLower(known.Message), "sql")) {
		t.Errorf("%s: %q is no message for people", what, known.Message)
	}
}

// testRace has two people acknowledge at once: exactly one wins, the other is told who.
func testRace(t *testing.T, b *bench) {
	browser := b.browser(t)
	for range 10 {
		s := b.open(t)
		id := s.snapshot(t).ID
		ctx := b.ctx(t)
		errs := make([]error, 2)
		together(2, func(i int) { _, errs[i] = browser.Act(ctx, id, platform.ActAcknowledge, b.Users[i]) })
		won := 0
		for i, err := range errs {
			if err == nil {
				won++
				a := s.want(t, "acknowledging", integration.AlertAcknowledged)
				if len(a.Acknowledgements) != 1 || (b.caps.AcknowledgedByUser && a.Acknowledgements[0].User != b.Users[i]) {
					t.Errorf("person %d won, the acknowledgements are %+v", i+1, a.Acknowledgements)
				}
				continue
			}
			wantConflict(t, "acknowledging second", err)
		}
		if won != 1 {
			t.Fatalf("%d of two people acknowledged: %v", won, errs)
		}
	}
}
