package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// A schedule that takes for ever to read holds up its own alert alone: whoever else writes to the
// database is not kept waiting.
func TestADecisionThatTakesForEverKeepsNobodyFromWriting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	db := openDB(t, filepath.Join(w.dir, "host.db"))
	var asked atomic.Int32
	deciding, release := make(chan struct{}), make(chan struct{})
	file := func() *switchboardfile.File {
		if asked.Add(1) == 2 { // the first question checks the command, the second decides
			close(deciding)
			<-release
		}
		return w.File()
	}
	s, err := alerts.New(t.Context(), alerts.Config{File: file, DB: db, Clock: w.clock, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	applied := make(chan error, 1)
	go func() {
		applied <- s.Apply(context.Background(), scope, integration.AlertCommand{
			Kind: integration.AlertCreate, AlertKey: "slow", Number: 1, Draft: &integration.AlertDraft{Title: "Call"}})
	}()
	<-deciding
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from embedded_log where alert_id = 'none'")
		return err
	})
	if err != nil {
		t.Errorf("a write meanwhile: %v", err)
	}
	close(release)
	if err := <-applied; err != nil {
		t.Error(err)
	}
	if _, err := s.Alert(t.Context(), scope, "slow"); err != nil {
		t.Errorf("the alert afterwards: %v", err)
	}
}

// However many change one alert at the same time, each change is made, once.
func TestChangesOfOneAlertAtTheSameTimeAreAllMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	var changing sync.WaitGroup
	for i := range 40 {
		changing.Go(func() {
			for _, cmd := range []integration.AlertCommand{
				{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Call"}}, {Kind: integration.AlertLog, Text: fmt.Sprint("line ", i)},
			} {
				cmd.AlertKey = key
				if err := w.Apply(context.Background(), scope, cmd); err != nil {
					t.Error(err)
				}
			}
		})
	}
	changing.Wait()
	story := strings.Join(w.story(), "\n")
	for i := range 40 {
		if n := strings.Count(story+"\n", fmt.Sprint(" line ", i, "\n")); n != 1 {
			t.Errorf("line %d is there %d times", i, n)
		}
	}
	if strings.Count(story, "Created") != 1 {
		t.Errorf("the story:\n%s", story)
	}
}

// A database that cannot be written while a page waits: it is tried ever less often, and the log is
// short.
func TestADatabaseThatCannotBeWrittenIsTriedLessAndLess(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	var db *sqldb.DB
	told := make(chan struct{}, 10)
	failing := errors.New("the mail server is down")
	w := newWorld(t, noon, storyFile, func(c *embedded.Config) {
		// Which can be made read-only.
		db = openURL(t, "sqlite:"+filepath.Join(t.TempDir(), "host.db"))
		c.DB, c.Logger = db, slog.New(slog.NewTextHandler(&log, nil))
		c.Notify = func(context.Context, alerts.Page) error { told <- struct{}{}; return failing }
	})
	w.open("devops")
	<-told
	// It is in force at once, but the commit may fail, and with it what somebody else writes in the
	// same one.
	write := func(statement string) error {
		return db.Write(t.Context(), func(tx sqldb.Tx) error {
			_, err := tx.ExecContext(t.Context(), statement)
			return err
		})
	}
	_ = write("pragma query_only(1)")
	if err := write("delete from embedded_notices"); err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Fatalf("the database can still be written, or fails otherwise: %v", err)
	}
	before := strings.Count(log.String(), "level=ERROR")
	for range 600 { // ten minutes
		w.clock.Advance(time.Second)
		time.Sleep(100 * time.Microsecond) // the loops get to run; the limit does not depend on it
	}
	lines := func() int { return strings.Count(log.String(), "level=ERROR") - before }
	if n := lines(); n > 100 {
		t.Errorf("%d lines of errors in ten minutes:\n%.2000s", n, log.String())
	}
	w.until("it is tried", func() bool { return lines() > 0 })
	_ = write("pragma query_only(0)")
}

// A row that cannot be read is tried less and less, and keeps no other alert from its next layer.
func TestAnAlertThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	w := newWorld(t, noon, storyFile, func(c *embedded.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	open := func(key, team string) {
		w.last = 0
		w.do(integration.AlertCommand{Kind: integration.AlertCreate, AlertKey: key, Draft: &integration.AlertDraft{Title: "Call"}})
		w.do(integration.AlertCommand{Kind: integration.AlertRoute, AlertKey: key, Teams: []string{team}})
	}
	open("broken", "devops")
	w.exec("update embedded_alerts set acks = '{' where tenant = '' and integration = 'int-1' and alert_key = 'broken'")
	// Until the pauses of the broken one are at their longest.
	failed := func() int { return strings.Count(log.String(), "its escalation waits") }
	for end := time.Now().Add(time.Minute); failed() < 8; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the broken alert was tried %d times:\n%s", failed(), log.String())
		}
		w.clock.Advance(time.Second)
	}
	// Whose first layer has a minute: its end falls into a pause of the broken one, which are half
	// a minute long and have just begun.
	for range 10 {
		w.clock.Advance(time.Second)
		time.Sleep(time.Millisecond)
	}
	open(key, "support")
	for range 60 {
		w.clock.Advance(time.Second)
		time.Sleep(time.Millisecond) // the runner gets to run; what is wanted does not depend on it
	}
	w.until("the other one is in its second layer, without any more time", func() bool { return w.alert().Layer == 2 })
	w.exec("update embedded_alerts set acks = '[]' where tenant = '' and integration = 'int-1' and alert_key = 'broken'")
	w.clock.Advance(30 * time.Second)
	w.until("the mended one goes on", func() bool { a, err := w.Alert(t.Context(), scope, "broken"); return err == nil && a.Layer == 2 })
}

// After a change of the file one hint stands for all alerts: there may be any number of open ones,
// and few of them are those of calls in progress.
func TestAReloadGivesOneHintForAllAlerts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	for i := range 50 {
		w.last = 0
		w.do(integration.AlertCommand{Kind: integration.AlertCreate, AlertKey: fmt.Sprint("CA", i), Draft: &integration.AlertDraft{Title: "Call"}})
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hints := make(chan platform.Hint, 1000)
	var watching sync.WaitGroup
	watching.Go(func() { _ = w.Watch(ctx, func(h platform.Hint) { hints <- h }) })
	defer watching.Wait()
	defer cancel()
	for heard := false; !heard; { // Watch does not say when it has begun
		w.HintAll()
		select {
		case <-hints:
			heard = true
		case <-time.After(time.Millisecond):
		}
	}
	write(t, w.path(), strings.Replace(storyFile, "name: DevOps", "name: Developers", 1))
	if err := w.source.Reload(ctx); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what was left of the first loop, and that of the reload
		select {
		case h := <-hints:
			if h != (platform.Hint{}) {
				t.Errorf("hint %+v", h)
			}
		case <-time.After(100 * time.Millisecond):
		}
	}
	if n := len(hints); n > 0 {
		t.Errorf("%d more hints", n)
	}
}

// The people of a layer that is gone from the file cannot be asked for any more: the next ones are
// paged at once, and not when the layer's time would have been over.
func TestAnAlertLeavesALayerThatIsGoneFromTheFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.secondLayer()
	if a := w.alert(); a.Layer != 2 || a.Round != 1 {
		t.Fatalf("the alert is in layer %d of round %d", a.Layer, a.Round)
	}
	// Not so if nobody would be paged then.
	write(t, w.path(), strings.NewReplacer(", {users: [bob, carol]}]", "]", "{timeout: 5m}, {timeout: 10m}], repeat: 1", "{timeout: 5m}]").Replace(storyFile))
	if err := w.source.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.do(integration.AlertCommand{Kind: integration.AlertLog, Text: "Nothing has changed."})
	if a := w.alert(); a.Status != integration.AlertOpen || a.Layer != 2 {
		t.Errorf("the alert is %s in layer %d, although nobody else could be paged", a.Status, a.Layer)
	}
	write(t, w.path(), strings.NewReplacer(", {users: [bob, carol]}]", "]", "{timeout: 5m}, {timeout: 10m}]", "{timeout: 5m}]").Replace(storyFile))
	if err := w.source.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.until("the first layer is paged again", func() bool { a := w.alert(); return a.Layer == 1 && a.Round == 2 })
	if story := strings.Join(w.story(), "\n"); !strings.Contains(story, "Layer 2 is no longer in the file; round 2, waiting for layer 1") {
		t.Errorf("the history says\n%s", story)
	}
}

// Who was paged and has left the file cannot take the alert: those are paged who have the layer
// now, and the next layer's people where nobody has it who has not declined.
func TestAnAlertLeavesPeopleWhoAreGoneFromTheFile(t *testing.T) {
	t.Parallel()
	alice := `  - {id: alice, name: Alice Example, email: alice@example.com, phones: ["+12025550143"]}` + "\n"
	bob := `  - {id: bob, name: Bob Example, email: bob@example.com, phones: ["+12025550144"]}` + "\n"
	without := func(change ...string) string {
		file := strings.NewReplacer(change...).Replace(storyFile)
		return file[:strings.Index(file, "  - id: support")]
	}
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	reload := func(file string) {
		t.Helper()
		write(t, w.path(), file)
		if err := w.source.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	reload(without(alice, "", "admins: [alice]", "admins: [carol]", "{users: [alice]}", "{users: [dave]}"))
	w.until("Dave is paged in place of Alice", w.storyHas("Nobody is left of those who were paged in layer 1; waiting for layer 1: Dave Example"))
	w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 1})
	if err := w.act(platform.ActReject, "carol"); err != nil {
		t.Fatal(err)
	}
	reload(without(bob, "", "members: [dave, bob]", "members: [dave]", "users: [bob, carol]", "users: [carol]"))
	w.until("the next round begins", w.storyHas("Nobody is left of those who were paged in layer 2; round 2, waiting for layer 1: Alice Example"))
	// One who is left keeps the layer's time.
	reload(storyFile)
	w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 2})
	reload(without(bob, "", "members: [dave, bob]", "members: [dave]", "users: [bob, carol]", "users: [carol]"))
	w.do(integration.AlertCommand{Kind: integration.AlertLog, Text: "Nothing has changed."})
	if a := w.alert(); a.Layer != 2 || a.Status != integration.AlertOpen {
		t.Errorf("the alert is %s in layer %d, although Carol may still take it", a.Status, a.Layer)
	}
}
