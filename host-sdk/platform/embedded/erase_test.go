package embedded_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// count is how many rows a table has. It opens the database once more: the plans of the product's
// statements are looked at, which this one need not be like.
func (w *world) count(table string) int {
	w.t.Helper()
	db, err := sqldb.Open(w.t.Context(), urlOf(w.t, filepath.Join(w.dir, "host.db")))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	n := 0
	if err := db.Read().QueryRowContext(w.t.Context(), "select count(*) from "+table).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// A deleted alert leaves no row in any table, and one that somebody has to do with is kept.
func TestADeletedAlertLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops", "support")
	for _, status := range []integration.AlertStatus{integration.AlertOpen, integration.AlertAcknowledged} {
		if status == integration.AlertAcknowledged {
			w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "alice"})
		}
		if err := w.EraseAlert(t.Context(), scope, key); integration.KindOf(err) != integration.KindConflict || !strings.Contains(err.Error(), string(status)) {
			t.Errorf("deleting an alert that is %s: %v", status, err)
		}
	}
	w.do(integration.AlertCommand{Kind: integration.AlertResolve})
	err := w.db.Write(t.Context(), func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(t.Context(), `insert into embedded_notices (id, alert_id, event, person, team, way, note, layer, round, at, due, ends, attempts, claimed_by)
			values ('notice', $1, 'resolved', 'alice', '', 'mail', '', 1, 1, 1, 4000000000000, 4000000000000, 0, '')`, w.alert().ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.count("embedded_alert_teams") != 2 || w.count("embedded_log") == 0 || w.count("embedded_notices") == 0 {
		t.Fatal("there is nothing to delete")
	}
	if err := w.EraseAlert(t.Context(), scope, key); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"embedded_alerts", "embedded_alert_teams", "embedded_log", "embedded_pages", "embedded_notices"} {
		if n := w.count(table); n != 0 {
			t.Errorf("%d rows of the alert are left in %s", n, table)
		}
	}
	if err := w.EraseAlert(t.Context(), scope, key); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("deleting it again: %v, want not_found", err)
	}
}

// Old alerts go a few at a time, those that changed last, or that somebody has to do with, not.
func TestOldAlertsGoInPieces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	for _, k := range []string{"CA2", "CA3", "CA4", key} {
		w.do(integration.AlertCommand{Kind: integration.AlertCreate, AlertKey: k, Draft: &integration.AlertDraft{Title: "Call"}})
		w.do(integration.AlertCommand{Kind: integration.AlertRoute, AlertKey: k, Teams: []string{"support"}})
		if k != key {
			w.do(integration.AlertCommand{Kind: integration.AlertResolve, AlertKey: k})
		}
	}
	before := w.clock.Now().Add(time.Second)
	if old, err := w.OldAlerts(t.Context(), noon.Add(-time.Hour), "", 2); err != nil || len(old) != 0 {
		t.Errorf("before all of them: %v, %v", old, err)
	}
	first, err := w.OldAlerts(t.Context(), before, "", 2)
	if err != nil || len(first) != 2 {
		t.Fatalf("the first piece: %v, %v", first, err)
	}
	rest, err := w.OldAlerts(t.Context(), before, first[1].After, 2)
	if err != nil || len(rest) != 1 || rest[0].Scope != scope || slices.Contains([]string{key, first[0].Key, first[1].Key}, rest[0].Key) {
		t.Fatalf("the second piece: %v, %v", rest, err)
	}
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, AlertKey: first[1].Key})
	for i, want := range []int{1, 0} { // one is open again
		if n, err := w.ExpireAlerts(t.Context(), first, before); err != nil || n != want {
			t.Errorf("time %d: %d alerts, %v; want %d", i, n, err, want)
		}
	}
	if _, err := w.Alert(t.Context(), scope, rest[0].Key); err != nil {
		t.Errorf("one that was not named: %v", err)
	}
	if n, err := w.ExpireAlerts(t.Context(), rest, w.clock.Now().Add(-time.Hour)); err != nil || n != 0 {
		t.Errorf("one that has changed since: %d, %v", n, err)
	}
	if s := w.alert().Status; s != integration.AlertOpen {
		t.Errorf("the open alert is %s", s)
	}
}

// A number is replaced in alerts and their logs, also in open ones, and alerts of longer numbers
// keep theirs.
func TestAForgottenNumberIsReplacedInAlerts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	const number = "+493012345"
	w.do(integration.AlertCommand{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Incoming call from " + number, SpokenTitle: "a call",
		Description: "of " + number, Fields: []integration.AlertField{{Label: "Caller", Value: number}, {Label: "Other", Value: number + "6"}}}})
	w.do(integration.AlertCommand{Kind: integration.AlertRoute, Teams: []string{"devops"}})
	w.do(integration.AlertCommand{Kind: integration.AlertLog, Text: number + " called, not " + number + "6"})
	change := shifts.Change{Team: "devops", Layer: 1, User: "bob", From: noon, To: noon.Add(time.Hour), Note: "calls " + number + " back"}
	if _, err := w.Shifts().Add(t.Context(), change, shifts.Actor{Name: "admin", Any: true}); err != nil {
		t.Fatal(err)
	}
	if n, err := w.ForgetText(t.Context(), number, "(forgotten)"); err != nil || n != 5 {
		t.Errorf("%d places, %v; want 5", n, err)
	}
	if list, err := w.Shifts().List(t.Context(), noon); err != nil || len(list) != 1 || list[0].Note != "calls (forgotten) back" {
		t.Errorf("the note of a shift: %+v, %v", list, err)
	}
	a := w.record()
	if a.Title != "Incoming call from (forgotten)" || a.Description != "of (forgotten)" || a.Fields[0].Value != "(forgotten)" || a.Fields[1].Value != number+"6" {
		t.Errorf("the alert: %+v", a)
	}
	if story := strings.Join(w.story(), "\n"); !strings.Contains(story, "(forgotten) called, not +4930123456") {
		t.Errorf("the log: %s", story)
	}
	w.do(integration.AlertCommand{Kind: integration.AlertResolve})
	if s := w.alert().Status; s != integration.AlertResolved {
		t.Errorf("after a later command it is %s", s)
	}
}

// Retention counts from an alert's end: that its recordings are deleted meanwhile does not put it
// off. Of an alert that somebody has to do with, it is a change like any other.
func TestDeletedRecordingsKeepAnAlertForNoLonger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	made := w.record().UpdatedAt
	w.clock.Advance(time.Hour)
	erase := func() {
		t.Helper()
		if err := w.EraseRecordings(t.Context(), scope, key, nil, "What was recorded was deleted."); err != nil {
			t.Fatal(err)
		}
	}
	erase()
	if got := w.record().UpdatedAt; got.Sub(made) < time.Hour {
		t.Errorf("the open alert was changed last at %v, made at %v", got, made)
	}
	w.do(integration.AlertCommand{Kind: integration.AlertResolve})
	end := w.record().UpdatedAt
	w.clock.Advance(90 * 24 * time.Hour)
	erase()
	if got := w.record(); !got.UpdatedAt.Equal(end) || got.Log[len(got.Log)-1].Message != "What was recorded was deleted." {
		t.Errorf("the resolved alert was changed last at %v, resolved at %v: %+v", got.UpdatedAt, end, got.Log)
	}
	if old, err := w.OldAlerts(t.Context(), end, "", 2); err != nil || len(old) != 1 {
		t.Errorf("old alerts: %v, %v", old, err)
	}
}
