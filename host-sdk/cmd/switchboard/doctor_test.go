package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

func TestDoctorSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	p, s := startWithOwnPlugins(t, "1.2.3")
	says := func(status int, want ...string) {
		t.Helper()
		repeated(t, status, want, func() (int, string) {
			out, got := s.runs("doctor")
			return got, out
		})
	}
	says(0, "ok: the switchboard file switchboard.yaml can be used", "ok: plugin testline 1.2.3 is whole", "is running", "ok: store: ",
		"warning: there is no integration", "warning: no telephone carrier can call http://127.0.0.1", "leads to this switchboard")
	p.create(p.token())
	says(0, "ok: integration Hotline (", "the plugin testline has no check of its own")
	if out, status := s.runs("doctor", "--json"); status != 0 || !strings.HasPrefix(out, "[") || !strings.Contains(out, `"level": "ok"`) {
		t.Errorf("status %d: %s", status, out)
	}
	file := filepath.Join(s.dir, "switchboard.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(hosttest.File, "America/New_York", "America/Nowhere", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	p.stop()
	says(1, "error: switchboard.yaml:", "America/Nowhere", "error: no switchboard runs on this data directory: start it with switchboard serve")
	if out, status := s.runs("doctor", "--log-level", "loud"); status != 1 || !strings.Contains(out, "error: settings: log_level") {
		t.Errorf("status %d: %s", status, out)
	}
}

// The host proves by a nonce that its public address leads to it: neither another switchboard nor
// another program at that address can.
func TestDoctorProvesWhereThePublicAddressLeads(t *testing.T) {
	t.Parallel()
	other := start(t, newDir(t, hosttest.File)).ready()
	for name, c := range map[string]struct {
		public string
		status int
		says   string
	}{
		"itself":           {"", 0, "resolves, and leads to this switchboard"},
		"another":          {other.url, 1, "answers another switchboard than this one"},
		"a name of nobody": {"https://no-such-name.invalid", 1, "does not resolve"},
		"a port of nobody": {"http://127.0.0.1:1", 1, "cannot be reached from this machine"},
		"a path of nobody": {other.url + "/api/v1", 0, "so it is not known whether it leads here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newDir(t, hosttest.File)
			var env []string
			if c.public != "" {
				env = []string{"SWITCHBOARD_PUBLIC_URL=" + c.public}
			}
			p := start(t, dir, env...)
			p.says("switchboard is ready at")
			runsUntil(t, dir, env, c.status, []string{c.says}, "doctor")
		})
	}
}

// Mail server and channels are asked whether they answer; only --send sends.
func TestDoctorTriesMailAndChannels(t *testing.T) {
	t.Parallel()
	inbox := startMail(t)
	var posted atomic.Int64
	chat := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { posted.Add(1) }))
	t.Cleanup(chat.Close)
	host := strings.TrimPrefix(chat.URL, "http://")
	file := strings.Replace(hosttest.File, "    name: DevOps\n", "    name: DevOps\n    channels: [\"generic+http://"+host+"/canary\"]\n", 1)
	file = strings.Replace(file, `phones: ["+12025550144"]`, `phones: ["+12025550144"], notify: ["ntfy://127.0.0.1:1/canary-topic"]`, 1)
	dir := newDir(t, file)
	env := []string{"SWITCHBOARD_SMTP_URL=" + inbox.URL()}
	looked := []string{"takes the connection and the sign-in", "team devops, webhook (127.0.0.1): 127.0.0.1 can be reached",
		"warning: user bob, ntfy (127.0.0.1): 127.0.0.1 cannot be reached from this machine (connect: connection refused)", "MiB left"}
	says(t, dir, env, 1, append(looked, "contains no database yet"), "doctor") // by itself
	p := start(t, dir, env...).ready()
	// By the running host.
	runsUntil(t, dir, env, 0, append(looked, "the clock of this machine"), "doctor")
	if posted.Load() != 0 || len(inbox.Mails()) != 0 {
		t.Fatalf("without --send %d posts and the mails %q", posted.Load(), inbox.Texts())
	}
	says(t, dir, env, 0, []string{"a test mail to hotline@example.com is on its way", "team devops, webhook (127.0.0.1): the test was accepted"}, "doctor", "--send")
	if got := strings.Join(inbox.Texts(), "\n"); posted.Load() != 1 || !strings.Contains(got, "Subject: A test of switchboard") {
		t.Errorf("with --send %d posts and the mail %q", posted.Load(), got)
	}
	p.stop()
	_ = inbox.Close()
	says(t, dir, env, 1, []string{"error: mail server smtp://" + inbox.Address, "connection refused"}, "doctor")
	says(t, dir, append(env, "SWITCHBOARD_SECRET_KEY="+seal.NewKey()), 1, []string{"is not the one here: put it back from your backup"}, "doctor")
}
