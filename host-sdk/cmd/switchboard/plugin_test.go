package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

// shop is where versions of plugins are made, and installed from.
type shop struct {
	t   *testing.T
	dir string // of the host
}

// made returns the folder of a version of a plugin.
func (s shop) made(id, version string) string {
	s.t.Helper()
	top := s.t.TempDir()
	if err := makePlugin(top, id, version, 1); err != nil {
		s.t.Fatal(err)
	}
	return filepath.Join(top, id)
}

// runs a command beside the host, and returns what it says and its exit status.
func (s shop) runs(args ...string) (string, int) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), os.Args[0], args...)
	cmd.Dir = s.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "TMPDIR=" + os.TempDir(), runVariable + "=1", pluginVariable + "=good",
		"SWITCHBOARD_DATA_DIR=" + filepath.Join(s.dir, "data"), "SWITCHBOARD_PLUGIN_DIR=" + filepath.Join(s.dir, "plugins"),
	}
	out, _ := cmd.CombinedOutput() // the status is returned
	return string(out), cmd.ProcessState.ExitCode()
}

// says runs a command that must have this status and say this.
func (s shop) says(status int, want string, args ...string) {
	s.t.Helper()
	if out, got := s.runs(args...); got != status || !strings.Contains(out, want) || strings.Count(out, "\n") != 1 {
		s.t.Errorf("%v: status %d, %q: want status %d and one line that contains %q", args, got, out, status, want)
	}
}

// startWithOwnPlugins starts a host whose plugin folder is its own, with a version of testline in
// it.
func startWithOwnPlugins(t *testing.T, version string) (*process, shop) {
	t.Helper()
	s := shop{t, newDir(t, hosttest.File)}
	s.says(0, "testline "+version+" is installed (before: none); no switchboard runs on this data directory", "plugin", "install", "--unsigned", s.made(hosttest.PluginID, version))
	return start(t, s.dir, "SWITCHBOARD_PLUGIN_DIR="+filepath.Join(s.dir, "plugins")).ready(), s
}

// version is that of a plugin of the running host; "": there is no such plugin.
func (p *process) version(id string) string {
	p.t.Helper()
	_, body := p.send("GET", "/api/v1/plugins", p.token(), "", "")
	_, rest, found := strings.Cut(strings.ReplaceAll(body, " ", ""), `"id":"`+id+`"`)
	if !found {
		return ""
	}
	_, rest, _ = strings.Cut(rest, `"version":"`)
	version, _, _ := strings.Cut(rest, `"`)
	return version
}

func TestAPluginIsUpgradedWhileCallsGoOn(t *testing.T) {
	t.Parallel()
	p, s := startWithOwnPlugins(t, "1.2.3")
	id := p.create(p.token())
	old := pluginPID(t, p.log.String())

	// A request is with the old process when the new one is installed.
	goOn, answer := filepath.Join(s.dir, "answer-now"), make(chan string, 1)
	begun := time.Now()
	go func() {
		_, body := p.webhook(id, url.Values{"Call": {"CA01"}, "Slow": {goOn}}.Encode())
		answer <- body
	}()
	p.says("slow webhook begins")
	s.says(0, "testline 2.0.0 is installed (before: 1.2.3); the running switchboard uses it, and calls went on.", "plugin", "install", "--unsigned", s.made(hosttest.PluginID, "2.0.0"))
	if got := p.version(hosttest.PluginID); got != "2.0.0" {
		t.Errorf("the host runs version %q", got)
	}
	if status, body := p.webhook(id, "Call=CA02"); status != 200 || body != "please hold" {
		t.Errorf("a call to the new version: %d %s", status, body)
	}
	if err := os.WriteFile(goOn, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// On a crowded machine the exchange may outlast the 3 s that a plugin has for an attempt (see
	// launcher.Timing): then Twilio was asked to repeat the request. Before that it is not given
	// up.
	const attempt = 3 * time.Second
	if got := <-answer; got != "please hold" && (time.Since(begun) < attempt || !strings.HasPrefix(got, "wait ")) {
		t.Errorf("the request that was with the old version is answered with %q", got)
	}
	requireGone(t, old)

	// It is the one that a restart takes, and the audit names the exchange.
	if _, body := p.send("GET", "/api/v1/audit", p.token(), "", ""); !strings.Contains(body, "plugin.switch") || !strings.Contains(body, "1.2.3 → 2.0.0") {
		t.Errorf("the audit says %s", body)
	}
	if got := p.stop(); got != 0 {
		t.Errorf("exit status %d\n%s", got, p.log)
	}
	p = start(t, s.dir, "SWITCHBOARD_PLUGIN_DIR="+filepath.Join(s.dir, "plugins")).ready()
	if got := p.version(hosttest.PluginID); got != "2.0.0" {
		t.Errorf("after a restart the host runs version %q", got)
	}
}

func TestAPluginThatDoesNotStartReplacesNothing(t *testing.T) {
	t.Parallel()
	p, s := startWithOwnPlugins(t, "1.2.3")
	id := p.create(p.token())
	s.says(1, "this version is broken", "plugin", "install", "--unsigned", s.made(hosttest.PluginID, "2.0.0-broken"))
	s.says(1, "there is no signature", "plugin", "install", s.made(hosttest.PluginID, "2.0.0"))
	if status, body := p.webhook(id, "Call=CA01"); p.version(hosttest.PluginID) != "1.2.3" || status != 200 || body != "please hold" {
		t.Errorf("the host runs version %q and answers %d %s", p.version(hosttest.PluginID), status, body)
	}
	out, _ := s.runs("plugin", "list")
	if entries, err := os.ReadDir(filepath.Join(s.dir, "plugins", ".versions", hosttest.PluginID)); err != nil || len(entries) != 1 || !strings.Contains(out, "1.2.3") {
		t.Errorf("what was refused stays: %v, %v; listed is %s", entries, err, out)
	}
}

// A host whose answer is lost may use the new version: it is not removed under it.
func TestAPluginStaysWhereTheHostGaveNoAnswer(t *testing.T) {
	t.Parallel()
	s := shop{t, newDir(t, hosttest.File)}
	s.says(0, "1.2.3 is installed", "plugin", "install", "--unsigned", s.made(hosttest.PluginID, "1.2.3"))
	host := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(host.Close)
	data := filepath.Join(s.dir, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	release, err := datadir.Lock(data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	for name, text := range map[string]string{"address": host.URL, settings.APITokenFile: "token"} {
		if err := os.WriteFile(filepath.Join(data, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.says(1, "it may use 2.0.0 by now", "plugin", "install", "--unsigned", s.made(hosttest.PluginID, "2.0.0"))
	if entries, err := os.ReadDir(filepath.Join(s.dir, "plugins", ".versions", hosttest.PluginID)); err != nil || len(entries) != 2 {
		t.Errorf("the versions are %v, %v; want both", entries, err)
	}
}

// An older version that cannot read what is stored would leave callers in silence.
func TestADowngradeIsRefusedWhileSomethingNeedsTheNewerVersion(t *testing.T) {
	t.Parallel()
	p, s := startWithOwnPlugins(t, "1.2.3")
	id, older := p.create(p.token()), s.made(hosttest.PluginID, "1.2.4")
	s.says(0, "2.0.0", "plugin", "install", "--unsigned", s.made(hosttest.PluginID, "2.0.0"))
	if status, _ := p.webhook(id, "Call=CA01"); status != 200 {
		t.Fatalf("a call: %d", status)
	}
	s.says(1, "testline 1.2.4 does not read 1 call that goes on, which a newer version has begun (CA01): try again when that is over", "plugin", "install", "--unsigned", older)
	if status, _ := p.webhook(id, "Call=CA01&End=1"); status != 200 {
		t.Fatalf("its end: %d", status)
	}
	newer := p.create(p.token())
	const settings = `testline 1.2.4 does not read the settings that a newer version has stored for the integration "Hotline" (`
	s.says(1, settings+newer+"): keep the newer version", "plugin", "install", "--unsigned", older)
	p.stop()
	s.says(1, settings+newer+"): keep the newer version", "plugin", "install", "--unsigned", older)
	p = start(t, s.dir, "SWITCHBOARD_PLUGIN_DIR="+filepath.Join(s.dir, "plugins")).ready()
	if status, body := p.send("DELETE", "/api/v1/integrations/"+newer, p.token(), "", ""); status != 204 {
		t.Fatalf("deleting: %d %s", status, body)
	}
	s.says(0, "testline 1.2.4 is installed (before: 2.0.0)", "plugin", "install", "--unsigned", older)
	if status, body := p.webhook(id, "Call=CA02"); status != 200 || body != "please hold" {
		t.Errorf("a call to the older version: %d %s", status, body)
	}
}

func TestAPluginIsAddedAndRemovedWhileTheHostRuns(t *testing.T) {
	t.Parallel()
	p, s := startWithOwnPlugins(t, "1.2.3")
	s.says(1, "testline is the only plugin", "plugin", "remove", hosttest.PluginID)
	s.says(0, "otherline 3.0.0 is installed (before: none); the running switchboard uses it", "plugin", "install", "--unsigned", s.made("otherline", "3.0.0"))
	status, body := p.send("POST", "/api/v1/integrations", p.token(), "application/json", strings.Replace(hotline, "testline", "otherline", 1))
	if status != 201 {
		t.Fatalf("an integration of the new plugin: %d %s", status, body)
	}
	_, id, _ := strings.Cut(body, "/integrations/")
	id, _, _ = strings.Cut(id, `"`)
	if status, body := p.webhook(id, "Call=CA01"); status != 200 || body != "please hold" {
		t.Errorf("a call to it: %d %s", status, body)
	}
	s.says(1, `plugin otherline is needed by the integration "Hotline" (`+id+`): delete what needs it first`, "plugin", "remove", "otherline")
	if status, body := p.send("DELETE", "/api/v1/integrations/"+id, p.token(), "", ""); status != 204 {
		t.Fatalf("deleting: %d %s", status, body)
	}
	s.says(1, "plugin otherline is needed by 1 call that goes on (CA01): try again when that is over", "plugin", "remove", "otherline")
	if status, body := p.webhook(id, "Call=CA01&End=1"); status != 200 {
		t.Fatalf("its end: %d %s", status, body)
	}
	running := pluginPID(t, p.log.String())
	s.says(0, "otherline was removed", "plugin", "remove", "otherline")
	requireGone(t, running)
	if got := p.version("otherline"); got != "" {
		t.Errorf("the host still has version %q", got)
	}
	s.says(1, `plugin "otherline" is not installed`, "plugin", "remove", "otherline")
	p.stop()
	s.says(0, "testline was removed", "plugin", "remove", hosttest.PluginID)
}
