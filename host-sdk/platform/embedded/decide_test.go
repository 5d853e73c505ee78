package embedded_test

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// decided decides a command and writes its change as a store does; false: the alert was not as it
// was when the change was decided.
func (w *world) decided(cmd integration.AlertCommand) (platform.AlertChange, bool) {
	w.t.Helper()
	change, err := w.Decide(w.t.Context(), scope, []integration.AlertCommand{cmd})
	if err != nil {
		w.t.Fatal(err)
	}
	return change, w.writes(change)
}

// writes reports whether a change could be written.
func (w *world) writes(change platform.AlertChange) bool {
	w.t.Helper()
	as := true
	err := w.db.Write(w.t.Context(), func(tx sqldb.Tx) error {
		for _, s := range change.Statements {
			done, err := tx.ExecContext(w.t.Context(), s.Text, s.Args...)
			if err != nil {
				return err
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 && s.Must {
				as = false
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if as {
		change.Written()
	}
	return as
}

// exec changes rows as nobody does who reads or writes through the platform.
func (w *world) exec(text string) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx sqldb.Tx) error { _, err := tx.ExecContext(w.t.Context(), text); return err })
	if err != nil {
		w.t.Fatal(err)
	}
}

// ours selects the alert of these tests.
const ours = "tenant = '' and integration = 'int-1' and alert_key = 'CA1'"

func logOf(number int64, text string) integration.AlertCommand {
	return integration.AlertCommand{Number: number, Kind: integration.AlertLog, AlertKey: key, Text: text}
}

func TestCommandsOfACallAreDecidedWithoutReadingItsAlert(t *testing.T) {
	t.Parallel()
	for name, alone := range map[string]bool{"alone": true, "with others": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, noon, storyFile, func(c *embedded.Config) { c.Alone = alone })
			create := integration.AlertCommand{Number: 1, Kind: integration.AlertCreate, AlertKey: key, Draft: &integration.AlertDraft{Title: "Call"}}
			if _, written := w.decided(create); !written {
				t.Fatal("the alert was not made")
			}
			// Nobody else writes this, so whoever reads the alert sees it.
			w.exec("update embedded_alerts set status = 'acknowledged' where " + ours)
			change, written := w.decided(logOf(2, "two"))
			if read := change.Snapshot.Status == integration.AlertAcknowledged; !written || read == alone {
				t.Errorf("written %v, the alert was read %v", written, read)
			}
			// A change of somebody else is not overwritten, and the commands that Apply gets then
			// are decided on it. The next are decided from memory again.
			w.exec("update embedded_alerts set version = version + 1, urgency = 'high' where " + ours)
			if _, written := w.decided(logOf(3, "three")); written == alone {
				t.Errorf("decided on a copy that was too old, and written: %v", written)
			}
			if err := w.Apply(t.Context(), scope, logOf(3, "three")); err != nil {
				t.Fatal(err)
			}
			change, written = w.decided(logOf(4, "four"))
			if !written || change.Snapshot.LastCommand != 4 {
				t.Errorf("written %v, last command %d", written, change.Snapshot.LastCommand)
			}
			// What another process has done of it already is known after Apply has seen it.
			w.exec("update embedded_alerts set version = version + 1, last_command = 5 where " + ours)
			if err := w.Apply(t.Context(), scope, logOf(5, "five")); err != nil {
				t.Fatal(err)
			}
			if _, written := w.decided(logOf(6, "six")); !written {
				t.Error("a change after that was not written")
			}
			// The alert of a session that is made anew is there.
			if _, written := w.decided(create); written {
				t.Error("an alert was made twice")
			}
		})
	}
}

func TestACopyOfAnAlertIsNotChangedByDecisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile, func(c *embedded.Config) { c.Alone = true })
	field := func(number int64, value string) integration.AlertCommand {
		return integration.AlertCommand{Number: number, Kind: integration.AlertAddField, AlertKey: key, Field: &integration.AlertField{Label: "Caller", Value: value}}
	}
	w.decided(integration.AlertCommand{Number: 1, Kind: integration.AlertCreate, AlertKey: key, Draft: &integration.AlertDraft{
		Title: "Call", Fields: []integration.AlertField{{Label: "Caller", Value: "first"}}}})
	if _, err := w.Decide(t.Context(), scope, []integration.AlertCommand{field(2, "never written")}); err != nil {
		t.Fatal(err)
	}
	if _, written := w.decided(logOf(2, "two")); !written {
		t.Fatal("the line was not written")
	}
	var got string
	if err := w.db.Read().QueryRowContext(t.Context(), "select fields from embedded_alerts where "+ours).Scan(&got); err != nil {
		t.Fatal(err)
	}
	if got != `[{"label":"Caller","value":"first","format":""}]` {
		t.Errorf("fields %s", got)
	}
}
