package integrationtests

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// switchboard runs a command of switchboard as the admin of this host would, and returns what it
// prints.
func (h *hotline) switchboard(args ...string) (string, error) {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), binaries+"/switchboard", args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.DataDir, "SWITCHBOARD_DATA_DIR=" + h.DataDir, "SWITCHBOARD_API_TOKEN=" + h.Token}
	if h.plugins != "" {
		cmd.Env = append(cmd.Env, "SWITCHBOARD_PLUGIN_DIR="+h.plugins)
	}
	if h.database != "" {
		cmd.Env = append(cmd.Env, "SWITCHBOARD_DATABASE_URL="+h.database, "SWITCHBOARD_SECRET_KEY="+h.secretKey, "SWITCHBOARD_PUBLIC_URL="+h.URL)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// columnsWith names the columns of all tables of the database on PostgreSQL that contain a text, in
// whatever type.
func (h *hotline) columnsWith(text string) []string {
	h.t.Helper()
	ctx := h.t.Context()
	db, err := sqldb.Open(ctx, h.database)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	// What is readable in bytes stays so when they are escaped.
	questions := h.strings(db, `select format('select %L from %I t where position($1 in %s) > 0 limit 1', table_name || '.' || column_name, table_name,
			format(case data_type when 'bytea' then 'encode(t.%I, ''escape'')' else 't.%I::text' end, column_name))
		from information_schema.columns where table_schema = current_schema() order by table_name, column_name`)
	if len(questions) == 0 {
		h.t.Fatal("the database has no columns")
	}
	var in []string
	for _, query := range questions {
		in = append(in, h.strings(db, query, text)...)
	}
	return in
}

// strings reads the first column of what a query finds.
func (h *hotline) strings(db *sqldb.DB, query string, args ...any) (found []string) {
	h.t.Helper()
	rows, err := db.Read().QueryContext(h.t.Context(), query, args...)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			h.t.Fatal(err)
		}
		found = append(found, text)
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return found
}

// placesWith names the files of the data directory, and the columns of a database elsewhere, that
// contain a text.
func (h *hotline) placesWith(text string) []string {
	h.t.Helper()
	if h.database != "" {
		return append(h.columnsWith(text), h.filesWith(text)...)
	}
	return h.filesWith(text)
}

// filesWith names the files of the data directory that contain a text.
func (h *hotline) filesWith(text string) []string {
	h.t.Helper()
	files, err := filepath.Glob(filepath.Join(h.DataDir, "*"))
	if err != nil {
		h.t.Fatal(err)
	}
	var in []string
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil && bytes.Contains(data, []byte(text)) {
			in = append(in, filepath.Base(f))
		}
	}
	return in
}

// TestFeatureForgottenCallerIsNowhere forgets a caller who has left a message, while Twilio is out
// of order: refused as long as the call is live or its alert open; then nothing here names the
// number, the command says what is still at Twilio, and it is deleted there as soon as Twilio
// answers. Another caller, who waits meanwhile, is connected.
func TestFeatureForgottenCallerIsNowhere(t *testing.T) {
	t.Parallel()
	h := start(t, with(voicemail, "max_wait_time", 90, "transcribe", true), to("devops"))
	forget := func(want string) {
		t.Helper()
		if out, err := h.switchboard("forget", caller); err == nil || !strings.Contains(out, want) {
			t.Errorf("forget: %v: %s, want a refusal with %q", err, out, want)
		}
	}
	c := h.waiting()
	forget("a call from this number is in progress")
	h.leavesMessage(c)
	c.Ended(t)
	h.over(c, "message_left")
	a := h.alert("with what was said", func(a alert) bool { return len(a.Attachments) == 1 && a.field("Voicemail Transcription") != "" })
	forget("nothing was forgotten")
	if err := h.act(a.ID, "resolve", "alice"); err != nil {
		t.Fatal(err)
	}
	h.stored(c, "it has ended", func(c storedCall) bool { return !c.Live && len(c.Recordings) == 1 })
	if len(h.placesWith(caller[1:])) == 0 {
		t.Fatal("the number is nowhere before it is forgotten")
	}

	// Somebody else waits meanwhile, and is none the worse for it.
	other := h.dialFrom("+12025550198")
	other.Hears(t, "music-")
	down := h.disturb(twiliosim.Fault{On: twiliosim.OnREST, Match: `/(Recordings|Calls)`, Do: twiliosim.FaultStatus, Status: 503, Count: -1})
	out, err := h.switchboard("forget", caller)
	if err != nil {
		t.Fatalf("forget: %v: %s", err, out)
	}
	for _, want := range []string{"recordings                 1\n", "alerts                     1\n", "Not deleted at the telephone service yet: call " + c.Sid, "503"} {
		if !strings.Contains(out, want) {
			t.Errorf("forget prints %q, want %q in it", out, want)
		}
	}
	if in := h.placesWith(caller[1:]); len(in) != 0 {
		t.Errorf("the number is still in %v", in)
	}
	list := h.alerts()
	if len(list) != 1 || list[0].Status != "open" {
		t.Fatalf("alerts when one of two callers is forgotten: %+v", list)
	}
	other.Hears(t, "music-")
	if h.findings()["host-not-erased"] != "warning" {
		t.Errorf("the findings while Twilio is out of order: %v", h.findings())
	}
	h.Sim.ClearFault(down)
	h.acknowledge(list[0].ID, "alice")
	h.takes(alice)
	other.ConnectedTo(t, alice)
	h.eventually("nothing is left to be deleted", func() bool {
		var waits []struct{ Call string }
		h.get("/api/v1/erasures", &waits)
		return len(waits) == 0
	})
	h.eventually("the finding goes", func() bool { return h.findings()["host-not-erased"] != "warning" })
	if n, m := h.deletedAtTwilio("/Recordings/RE"), h.deletedAtTwilio("/Calls/"+c.Sid); n != 1 || m != 1 {
		t.Errorf("%d recordings and %d records of the call were deleted at Twilio, want 1 and 1", n, m)
	}
	if out, err := h.switchboard("forget", "--json", "+1 202-555-0199"); err != nil || !strings.Contains(out, `"calls": 0`) {
		t.Errorf("forget again: %v: %s", err, out)
	}
}
