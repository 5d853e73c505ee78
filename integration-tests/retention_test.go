package integrationtests

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// keptRows is a kind of old record, and what should be left of it.
type keptRows struct {
	name       string
	n          int
	days       int    // since the call ended
	alert      string // status; "": there is none
	recordings bool
	heard      bool
	left       int // records
	alerts     int // alerts
	sounds     int // recordings that are not deleted
}

// retained are the records of an installation that has been in use for years: 50,000 calls.
var retained = []keptRows{
	{name: "old", n: 39_000, days: 500, alert: "resolved"},
	{name: "heard", n: 1_000, days: 500, alert: "dropped", recordings: true, heard: true},
	{name: "recording", n: 2_000, days: 200, alert: "resolved", recordings: true, heard: true, left: 2_000, alerts: 2_000},
	{name: "unheard", n: 1_000, days: 500, alert: "dropped", recordings: true, left: 1_000, alerts: 1_000, sounds: 1_000},
	{name: "open", n: 500, days: 500, alert: "open", left: 500, alerts: 500},
	{name: "taken", n: 500, days: 500, alert: "acknowledged", left: 500, alerts: 500},
	{name: "young", n: 6_000, days: 60, alert: "resolved", recordings: true, heard: true, left: 6_000, alerts: 6_000, sounds: 6_000},
}

// TestRetentionOf50000CallsBesideCalls starts a host on 50,000 records, of which most are to be
// deleted, and calls it meanwhile: callers are connected, and only what may go is deleted.
func TestRetentionOf50000CallsBesideCalls(t *testing.T) {
	t.Parallel()
	if os.Getenv("LIVECALL_TEST_DATABASE") != "" {
		t.Skip("the records are written into the file of SQLite")
	}
	dir := filepath.Join(t.TempDir(), "data")
	h := start(t, options{"reach": "ring"}, to("devops"), func(c *demo.Config) { c.DataDir = dir })
	if err := h.StopSwitchboard(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "switchboard.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, k := range retained {
		h.records(db, k)
	}
	before, began := h.rows(db), time.Now()
	if err := h.StartSwitchboard(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, meanwhile := map[string]string{}, 0
	var calls []*twiliosim.Call
	for _, k := range retained {
		want[k.name] = fmt.Sprintf("%d calls, %d alerts, %d recordings", k.left, k.alerts, k.sounds)
	}
	for left := before; !maps.Equal(left, want); left = h.rows(db) {
		if time.Since(began) > 5*patience {
			t.Fatalf("what is left after %d calls (-want +got):\n%s", len(calls), cmp.Diff(want, left))
		}
		c := h.waiting()
		calls = append(calls, c)
		h.takes(alice)
		c.ConnectedTo(t, alice)
		if left = h.rows(db); !maps.Equal(left, want) {
			meanwhile++
		}
		h.converses(c)
		c.HangsUp()
		h.over(c, "connected")
	}
	t.Logf("all was deleted after %s at most; %d callers were connected meanwhile", time.Since(began).Round(time.Second), meanwhile)
	if meanwhile == 0 {
		t.Error("no caller was connected while old records were deleted")
	}
	for _, c := range calls {
		var kept call
		h.get("/api/v1/calls/"+c.Sid, &kept)
	}
}

// records writes the records of a kind, as those of calls that ended so long ago, with alerts,
// stories, notes and recordings.
func (h *hotline) records(db *sql.DB, k keptRows) {
	h.t.Helper()
	at := h.Clock.Now().AddDate(0, 0, -k.days).UnixMilli()
	key := k.name + "-" // and a number
	const i = "with recursive i(n) as (select 1 union all select n + 1 from i where n < $1) "
	for _, s := range []struct {
		text string
		args []any
		when bool
	}{
		{i + `insert into calls (integration, integration_name, key, live, started_at, ended_at, updated_at, caller, team, ended, alert_key, alert_id, alert_url, alert_title, view)
			select $2, 'Hotline', $3 || n, 0, $4, $4 + 50000, $4 + 50000, '+12025550191', 'DevOps', 'hung_up', $3 || n, $3 || n, '', 'Incoming call', '{}' from i`, []any{h.ID, key, at}, true},
		{i + `insert into embedded_alerts (id, tenant, integration, alert_key, version, status, title, spoken_title, description, urgency,
			fields, attachments, teams, layer, round, paged, rejected, acks, deadline, last_command, entries, created_at, updated_at)
			select $3 || n, '', $2, $3 || n, 5, $4, 'Incoming call', '', '', 'high', '[]', '[]', '["devops"]', 1, 1, '[]', '[]', '[]', null, 5, 2, $5, $5 from i`, []any{h.ID, key, k.alert, at}, true},
		{i + `insert into embedded_log (alert_id, n, at, actor, message) select $2 || i.n, l.value, $3, '', 'A line' from i, json_each('[1,2]') l`, []any{key, at}, true},
		{i + `insert into call_lines (call, command, at, actor, message)
			select c.id, l.value, $4, '', 'A line' from i join calls c on c.integration = $2 and c.key = $3 || i.n, json_each('[1,2]') l`, []any{h.ID, key, at}, true},
		{i + `insert into call_recordings (call, ref, label, name, content_type, bytes, duration, at, unheard)
			select c.id, 'media:' || c.key, 'Voicemail', 'voicemail.mp3', 'audio/mpeg', 3, 1000, $4, $5 from i join calls c on c.integration = $2 and c.key = $3 || i.n`,
			[]any{h.ID, key, at, map[bool]int{false: 1}[k.heard]}, k.recordings},
		{i + `insert into media (ref, token, name, content_type, bytes, duration, public, created_at, data)
			select 'media:' || $2 || n, 'token-' || $2 || n, 'voicemail.mp3', 'audio/mpeg', 3, 1000, 0, $3, 'abc' from i`, []any{key, at}, k.recordings},
		{i + `insert into call_heard (recording, actor, at)
			select r.id, 'alice', $3 from i join call_recordings r on r.ref = 'media:' || $2 || i.n`, []any{key, at}, k.heard},
	} {
		if !s.when {
			continue
		}
		if _, err := db.ExecContext(h.t.Context(), s.text, append([]any{k.n}, s.args...)...); err != nil {
			h.t.Fatalf("%s: %v\n%s", k.name, err, s.text)
		}
	}
}

// rows says what there is of each kind of record.
func (h *hotline) rows(db *sql.DB) map[string]string {
	h.t.Helper()
	out := map[string]string{}
	for _, k := range retained {
		var calls, alerts, sounds, lines, entries int
		err := db.QueryRowContext(h.t.Context(), `select (select count(*) from calls where key glob $1 and integration = $2),
			(select count(*) from embedded_alerts where alert_key glob $1 and integration = $2),
			(select count(*) from media where ref glob 'media:' || $1),
			(select count(*) from call_lines join calls on calls.id = call where key glob $1 and message = 'A line'),
			(select count(*) from embedded_log where alert_id glob $1 and message = 'A line')`, k.name+"-*", h.ID).Scan(&calls, &alerts, &sounds, &lines, &entries)
		if err != nil {
			h.t.Fatal(err)
		}
		out[k.name] = fmt.Sprintf("%d calls, %d alerts, %d recordings", calls, alerts, sounds)
		if lines < 2*calls || entries != 2*alerts {
			out[k.name] += fmt.Sprintf(", but %d and %d lines", lines, entries)
		}
	}
	return out
}
