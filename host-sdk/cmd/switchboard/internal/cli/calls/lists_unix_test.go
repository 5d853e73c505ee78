//go:build unix

package calls_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli"
)

// running is a host that runs on a data directory, answers with what a test says, and notes what it
// is asked for.
type running struct {
	t      *testing.T
	dir    string
	answer string // none: it has nothing to tell
	asked  string // method, address and body of the last request
}

// none is the answer of a host that has done what it was asked for.
const none = ""

func newRunning(t *testing.T) *running {
	t.Helper()
	r := &running{t: t, dir: t.TempDir()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.asked = strings.TrimSpace(q.Method + " " + q.RequestURI + " " + string(body))
		switch {
		case r.answer == none:
			w.WriteHeader(http.StatusNoContent)
		case strings.HasPrefix(r.answer, `{"error"`):
			w.WriteHeader(http.StatusConflict)
		}
		_, _ = io.WriteString(w, r.answer)
	}))
	t.Cleanup(server.Close)
	for name, text := range map[string]string{"switchboard.db": "", "address": server.URL, "api-token": "a token of the test", "lock": ""} {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := os.Open(filepath.Join(r.dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Close() })
	// As the running host does.
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return r
}

// prints runs a command that the host answers so, and compares what it prints and asks for; spaces
// between columns are made one.
func (r *running) prints(answer, asked, want string, args ...string) (notes string) {
	r.t.Helper()
	r.answer, r.asked = answer, ""
	var out, errs bytes.Buffer
	if status := cli.Run(r.t.Context(), append(args, "--data-dir", r.dir), &out, &errs, cli.Binary{}); status != 0 {
		r.t.Fatalf("%q: status %d: %s", args, status, &errs)
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(want), "\n"), lines); diff != "" {
		r.t.Errorf("%q prints (-want +got):\n%s", args, diff)
	}
	if r.asked != asked {
		r.t.Errorf("%q asks for %s, want %s", args, r.asked, asked)
	}
	return errs.String()
}

// local is a time as the commands print it.
func local(hour, minute int) string {
	return time.Date(2026, 1, 5, hour, minute, 0, 0, time.UTC).Local().Format("2006-01-02 15:04 MST")
}

// exact is local with the seconds.
func exact(hour, minute, second int) string {
	return time.Date(2026, 1, 5, hour, minute, second, 0, time.UTC).Local().Format("2006-01-02 15:04:05 MST")
}

const twoAlerts = `[
	{"id": "A1", "status": "acknowledged", "title": "Call", "teams": [{"name": "DevOps"}, {"name": "Sup\u001b[31mport"}], "created_at": "2026-01-05T09:00:00Z",
	 "acknowledgements": [{"user_name": "Alice Example"}, {"user_name": "Bob"}],
	 "call": {"sid": "CA1", "from": "+12025550191", "name": "Joe", "city": "Washington", "ended": "message_left", "waited": 95.4, "unheard": 1}},
	{"id": "A2", "status": "open", "created_at": "2026-01-05T08:30:00Z", "call": {"from": "", "ended": "hung_up", "waited": 0}},
	{"id": "A3", "status": "open", "created_at": "2026-01-05T08:00:00Z", "call": {"from": "+12025550192", "city": "Rome"}},
	{"id": "A4", "status": "queued", "created_at": "2026-01-05T07:00:00Z"}]`

// Each alert is a line that says who called, how long they waited, what became of it and who took
// it.
func TestAlertListPrintsALineForEachAlert(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	want := `ID STATUS CALLER TEAM WAITED CALL TAKEN BY OPENED
A1 acknowledged +1 202-555-0191, Joe, Washington DevOps, Sup[31mport 1 min 35 s message left, not heard Alice Example, Bob ` + local(9, 0) + `
A2 open withheld 0 s hung up - ` + local(8, 30) + `
A3 open +1 202-555-0192, Rome - - - ` + local(8, 0) + `
A4 queued - - - - ` + local(7, 0)
	notes := r.prints(twoAlerts, "GET /api/v1/alerts?limit=50", want, "alert", "list")
	if notes != "" {
		t.Errorf("a list that was not cut off says %q", notes)
	}
	notes = r.prints(twoAlerts, "GET /api/v1/alerts?from=%2B1+202&integration=in&limit=4&q=a+b&since=2026-01-01&status=open&team=devops&unheard=true&until=2026-02-01", want,
		"alert", "list", "--limit", "4", "--status", "open", "--team", "devops", "--from", "+1 202", "--integration", "in", "--search", "a b", "--since", "2026-01-01", "--until", "2026-02-01", "--unheard")
	if !strings.Contains(notes, "These are the newest 4: there may be older ones.") {
		t.Errorf("a list that may be cut off says %q", notes)
	}
	r.prints(`[{"id": "<1>"}]`, "GET /api/v1/alerts?limit=50", "[\n{\n\"id\": \"<1>\"\n}\n]", "alert", "list", "--json")
}

// One alert is shown with its history; a line names who did something where its sentence does not.
func TestOneAlertIsShownWithItsHistory(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	const answer = `{"id": "A/1", "status": "open", "title": "Call from +12025550191\u0007", "acknowledgements": [{"user_name": "Bob"}],
		"call": {"from": "+12025550191", "waited": 5}, "log": [
		{"time": "2026-01-05T09:00:07Z", "message": "Created for +12025550100"}, {"time": "2026-01-05T09:01:00Z", "message": "Alice acknowledged it", "actor_name": "Alice"},
		{"time": "2026-01-05T09:02:00Z", "message": "Resolved", "actor_name": "Alice"}]}`
	want := `A/1: open, Call from +1 202-555-0191
caller +1 202-555-0191
waited 5 s
taken by Bob
` + exact(9, 0, 7) + ` Created for +1 202-555-0100
` + exact(9, 1, 0) + ` Alice acknowledged it
` + exact(9, 2, 0) + ` Resolved (Alice)`
	r.prints(answer, "GET /api/v1/alerts/A%2F1", want, "alert", "show", "A/1")
	r.prints(answer, `POST /api/v1/alerts/A%2F1/acknowledge {"user":"alice"}`, want, "alert", "ack", "A/1", "--user", "alice")
	r.prints(answer, `POST /api/v1/alerts/A%2F1/resolve {"user":"alice"}`, want, "alert", "resolve", "A/1", "--user", "alice")
	r.prints(`{"id": "A1", "status": "queued", "title": "Call"}`, "GET /api/v1/alerts/A1", "A1: queued, Call", "alert", "show", "A1")
}

// Each call is a line that says who called, what became of it and how long it lasted.
func TestCallListPrintsALineForEachCall(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	const calls = `[
		{"sid": "CA1", "from": "+12025550191", "state": "ended", "ended": "message_left", "team_name": "DevOps", "started_at": "2026-01-05T09:00:00Z", "ended_at": "2026-01-05T09:01:05.4Z", "unheard": 2},
		{"sid": "CA2", "from": "", "state": "on_hold", "started_at": "2026-01-05T08:00:00Z"},
		{"sid": "CA3", "from": "", "state": "delivering", "started_at": "2026-01-05T07:00:00Z", "ended_at": null,
		 "legs": [{"role": "caller", "ended_at": "2026-01-05T07:00:12Z"}, {"role": "responder", "ended_at": "2026-01-05T07:00:59Z"}]}]`
	want := `CALL FROM TEAM STATE LASTED BEGAN
CA1 +1 202-555-0191 DevOps message left, not heard 1 min 5 s ` + local(9, 0) + `
CA2 withheld on hold - ` + local(8, 0) + `
CA3 withheld delivering 12 s ` + local(7, 0)
	if notes := r.prints(calls, "GET /api/v1/calls?ended=message_left&limit=4&live=true", want, "call", "list", "--limit", "4", "--live", "--ended", "message_left"); notes != "" {
		t.Errorf("a list that was not cut off says %q", notes)
	}
	if notes := r.prints(calls, "GET /api/v1/calls?limit=3", want, "call", "list", "--limit", "3"); !strings.Contains(notes, "newest 3") {
		t.Errorf("a list that may be cut off says %q", notes)
	}
	r.prints(`[]`, "GET /api/v1/calls?limit=50", "[]", "call", "list", "--json")
	r.prints(`[]`, "GET /api/v1/calls?limit=50", "No call was found.", "call", "list")
	r.prints(`[]`, "GET /api/v1/alerts?limit=50", "No alert was found.", "alert", "list")
	r.prints(`[]`, "GET /api/v1/tokens", "No program has a token: switchboard token create makes one.", "token", "list")
}

// One call is shown with its phones, what was recorded and who has heard it, the story and notes.
func TestOneCallIsShownWithItsStory(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	const answer = `{"sid": "CA/1", "from": "+12025550191", "to": "+12025550100", "state": "ended", "ended": "message_left", "team_name": "DevOps", "unheard": 1,
		"started_at": "2026-01-05T09:00:00Z", "ended_at": "2026-01-05T09:01:05Z", "alert": {"id": "A1"},
		"legs": [{"role": "caller", "ended_at": "2026-01-05T09:01:02Z"}, {"role": "responder", "name": "Alice Example", "phone": "+12025550143", "state": "ended", "reason": "no_answer"},
		 {"role": "responder", "name": "Bob", "phone": "+12025550144", "state": "ringing"}],
		"recordings": [{"label": "Message", "ref": "media:a", "duration": 12.4, "heard": []}, {"label": "Message", "ref": "media:b", "heard": [{"user_name": "Alice Example"}, {"user_name": "Bob"}]},
		 {"label": "Message", "ref": "media:c", "duration": 3, "heard": [], "deleted_at": "2026-01-06T09:00:00Z"}],
		"story": [{"time": "2026-01-05T09:00:07Z", "message": "The call came from +12025550191"}, {"time": "2026-01-05T09:01:00Z", "message": "Resolved\u0007", "actor_name": "Alice"}],
		"notes": [{"time": "2026-01-05T09:02:00Z", "user_name": "Bob", "text": "Called back"}]}`
	r.prints(answer, "GET /api/v1/calls/CA%2F1", `CA/1: message left, not heard
from +1 202-555-0191
to +1 202-555-0100
team DevOps
began `+local(9, 0)+`
lasted 1 min 2 s
alert A1
phone Alice Example, +1 202-555-0143, no answer
phone Bob, +1 202-555-0144, ringing
recording Message of 12 s, not heard: media:a
recording Message, heard by Alice Example, Bob: media:b
recording Message of 3 s, deleted
`+exact(9, 0, 7)+` The call came from +1 202-555-0191
`+exact(9, 1, 0)+` Resolved (Alice)
`+exact(9, 2, 0)+` Bob noted: Called back`, "call", "show", "CA/1")
	r.prints(`{"sid": "CA1", "state": "on_hold", "started_at": "2026-01-05T09:00:00Z"}`, "GET /api/v1/calls/CA1", "CA1: on hold\nfrom withheld\nbegan "+local(9, 0), "call", "show", "CA1")
}

// Integrations are listed with the ids that other commands take, and shown with what is wrong.
func TestIntegrationsAreListedAndShown(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	const one = `{"id": "int_1", "plugin": "livecall", "name": "Hot\u001bline", "enabled": true, "endpoint_url": "https://example.com/i", "numbers": ["+12025550100", "+12025550101"],
		"destinations": [{"id": "devops"}, {"id": "night"}], "findings": [{"severity": "warning", "message": "Nobody called from +12025550191"}]}`
	r.prints("["+one+`, {"id": "int_2", "name": "Old", "enabled": false}, {"id": "int_3", "name": "New", "enabled": true, "maintenance": true}]`, "GET /api/v1/integrations", `ID NAME STATE NUMBERS TEAMS FINDINGS
int_1 Hotline enabled +1 202-555-0100, +1 202-555-0101 devops, night 1
int_2 Old disabled - - 0
int_3 New maintenance - - 0`, "integration", "list")
	r.prints(one, "GET /api/v1/integrations/int_1", `int_1: Hotline, enabled
plugin livecall
numbers +1 202-555-0100, +1 202-555-0101
teams devops, night
address https://example.com/i
warning Nobody called from +1 202-555-0191`, "integration", "show", "int_1")
	r.prints(`[]`, "GET /api/v1/integrations", "There is no integration: create one on the page Integrations.", "integration", "list")
	r.prints(`[]`, "GET /api/v1/integrations", "[]", "integration", "list", "--json")
}
