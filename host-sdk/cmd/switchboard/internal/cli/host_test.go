package cli

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withoutHost are the commands with the flags of serve that have no --host, with the reason.
var withoutHost = map[string]string{
	"serve":          "it is the host",
	"doctor":         "it looks at this machine",
	"config check":   "it reads a file",
	"oncall":         "it reads a file, or asks the platform",
	"backup":         "it copies files",
	"restore":        "it writes files",
	"rekey":          "it opens the database",
	"db copy":        "it opens databases",
	"plugin install": "it changes the plugin folder of this machine",
	"plugin remove":  "it changes the plugin folder of this machine",
}

// asks are the commands with --host: their arguments, and what they ask a host for first.
var asks = map[string]struct{ args, asked string }{
	"status":           {"", "GET /api/v1/status"},
	"alert list":       {"", "GET /api/v1/alerts"},
	"alert show":       {"A1", "GET /api/v1/alerts/A1"},
	"alert ack":        {"A1 --user alice", "POST /api/v1/alerts/A1/acknowledge"},
	"alert resolve":    {"A1 --user alice", "POST /api/v1/alerts/A1/resolve"},
	"alert delete":     {"A1", "DELETE /api/v1/alerts/A1"},
	"alert decline":    {"A1 --user alice", "POST /api/v1/alerts/A1/reject"},
	"note add":         {"CA1 called --user alice", "POST /api/v1/calls/CA1/notes"},
	"note list":        {"CA1", "GET /api/v1/calls/CA1"},
	"note delete":      {"CA1 n1", "DELETE /api/v1/calls/CA1/notes/n1"},
	"login list":       {"", "GET /api/v1/logins"},
	"login end":        {"l1", "DELETE /api/v1/logins/l1"},
	"audit list":       {"", "GET /api/v1/audit"},
	"alert escalate":   {"A1 --user alice", "POST /api/v1/alerts/A1/escalate"},
	"call list":        {"", "GET /api/v1/calls"},
	"call show":        {"CA1", "GET /api/v1/calls/CA1"},
	"call delete":      {"CA1", "DELETE /api/v1/calls/CA1"},
	"integration list": {"", "GET /api/v1/integrations"},
	"integration show": {"int_1", "GET /api/v1/integrations/int_1"},
	"stats":            {"", "GET /api/v1/statistics"},
	"recording delete": {"media:x", "DELETE /api/v1/recordings/media:x"},
	"forget":           {"+12025550143", "POST /api/v1/forget"},
	"override add":     {"--user alice --away --to 2030-01-01", "POST /api/v1/overrides"},
	"override list":    {"", "GET /api/v1/overrides"},
	"override remove":  {"o1", "DELETE /api/v1/overrides/o1"},
	"token create":     {"x --role viewer", "POST /api/v1/tokens"},
	"token list":       {"", "GET /api/v1/tokens"},
	"token revoke":     {"x", "GET /api/v1/tokens"},
	"user test":        {"alice", "POST /api/v1/users/alice/test"},
	"whowouldanswer":   {"--integration int_1", "POST /api/v1/integrations/int_1/actions/who-would-answer"},
	"config push":      {"", "PUT /api/v1/switchboard-file"},
}

// smallFile is a switchboard file without errors.
const smallFile = `users: [{id: alice, name: Alice Example, phones: ["+12025550143"]}]
teams: [{id: devops, name: DevOps, members: [alice], schedule: {timezone: UTC, layers: [{users: [alice]}]}}]
`

// Commands that ask a running host are alike: each can be told where it is, with a token, and needs
// nothing of the host on this machine. An address that is none is refused before anything is sent.
func TestCommandsAskTheHostThatIsNamed(t *testing.T) {
	t.Parallel()
	for name, leaf := range leaves(t) {
		var flags []string
		for _, f := range leaf.Flags {
			flags = append(flags, f.Name)
		}
		_, without := withoutHost[name]
		_, with := asks[name]
		if slices.Contains(flags, "data-dir") && without == slices.Contains(flags, "host") || slices.Contains(flags, "host") != with {
			t.Errorf("%s: has --host: %v; the lists of this test say with %v, without %v", name, slices.Contains(flags, "host"), with, without)
		}
	}
	file := filepath.Join(t.TempDir(), "switchboard.yaml")
	if err := os.WriteFile(file, []byte(smallFile), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if Run(t.Context(), []string{"status", "--host", "http://127.0.0.1:1", "--data-dir", t.TempDir()}, &out, &out, Binary{}) != 1 || !strings.Contains(out.String(), "at http://127.0.0.1:1 has an API token of its own: set SWITCHBOARD_API_TOKEN") {
		t.Errorf("without a token: %s", &out)
	}
	out.Reset()
	if Run(t.Context(), []string{"status", "--host", "http://hotline.example.com", "--unencrypted", "--data-dir", t.TempDir()}, &out, &out, Binary{}) != 1 || !strings.Contains(out.String(), "at http://hotline.example.com has an API token of its own") {
		t.Errorf("unencrypted, as was said: %s", &out)
	}
	for name, one := range asks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var asked []string
			host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				asked = append(asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
				mu.Unlock()
				_, _ = io.WriteString(w, "[]")
			}))
			defer host.Close()
			run := func(address string) string {
				var out bytes.Buffer
				args := append(strings.Fields(name+" "+one.args), "--host", address, "--api-token", "a token of the test", "--data-dir", t.TempDir())
				if name == "config push" {
					args = append(args, "--config", file)
				}
				Run(t.Context(), args, &out, &out, Binary{})
				return out.String()
			}
			heard := func() []string {
				mu.Lock()
				defer mu.Unlock()
				return slices.Clone(asked)
			}
			wrongs := []string{"http://somebody:canary@" + host.Listener.Addr().String()}
			if name == "status" { // all have the same flags
				// Of another machine, which the token would reach unencrypted.
				wrongs = append(wrongs, "http://hotline.example.com", "http://192.0.2.1:8080", "hotline", "ftp://"+host.Listener.Addr().String(), host.URL+"/?x=1", "http://", "\x00",
					"somebody:canary@hotline.example.com", "https://somebody:canary%zz@hotline.example.com")
			}
			for _, wrong := range wrongs {
				if said := run(wrong); !strings.Contains(said, "--host") || !strings.Contains(said, "such as https://") && !strings.Contains(said, "everybody on the way could read the API token: use https, or say --unencrypted") || strings.Contains(said, "canary") || len(heard()) != 0 {
					t.Errorf("--host %q says %q, and asks %q", wrong, said, heard())
				}
			}
			said := run(host.URL + "/")
			if diff := cmp.Diff([]string{one.asked + " Bearer a token of the test"}, slices.Collect(slices.Values(heard())), cmp.Transformer("first", func(l []string) string { return strings.Join(l[:min(1, len(l))], "") })); diff != "" {
				t.Errorf("asked (-want +got):\n%s\nand says %s", diff, said)
			}
		})
	}
}

// A host of another version, or whatever else listens at its address, answers in other ways. Then
// each command fails with a sentence that says so, in place of a success that it never was.
func TestAnswersOfAnotherVersionAreNoSuccess(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "switchboard.yaml")
	if err := os.WriteFile(file, []byte(smallFile), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, one := range asks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, answer := range []string{"{}", "null", "[{}]"} {
				host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
				var out, errs bytes.Buffer
				args := append(strings.Fields(name+" "+one.args), "--host", host.URL, "--api-token", "canary of the test", "--data-dir", t.TempDir(), "--config", file)
				status := Run(t.Context(), args, &out, &errs, Binary{})
				host.Close()
				if said := errs.String(); status != 1 || out.Len() > 0 || !strings.Contains(said, "what this command does not understand: see whether a switchboard listens there") || strings.Count(said, "\n") != 1 {
					t.Errorf("%s: status %d, prints %q and says %q", answer, status, &out, said)
				}
			}
		})
	}
}
