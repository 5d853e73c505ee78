package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAlertAndCallCommands asks the running host, and says so where none runs.
func TestAlertAndCallCommands(t *testing.T) {
	t.Parallel()
	dir := newDir(t, twoWeeks)
	run := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
		cmd.Dir = dir
		cmd.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), runVariable + "=1",
			"SWITCHBOARD_LISTEN=127.0.0.1:0", "SWITCHBOARD_DATA_DIR=" + filepath.Join(dir, "data"), "SWITCHBOARD_PLUGIN_DIR=" + pluginHome,
		}
		out, _ := cmd.CombinedOutput() // the status is looked at below
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Fatalf("%v: status %d, want %d: %s", args, got, want, out)
		}
		return string(out)
	}
	says := func(want int, text string, args ...string) {
		t.Helper()
		if got := run(want, args...); !strings.Contains(got, text) {
			t.Errorf("%v prints %q, want %q in it", args, got, text)
		}
	}
	says(1, "it contains no database yet", "alert", "list")
	says(1, "it contains no database yet", "forget", "+12025550143")
	says(1, `number: "123" has no country code`, "forget", "123")
	p := start(t, dir).ready()
	says(0, "No alert was found.", "alert", "list", "--status", "open", "--search", `100 % "x"`)
	says(0, "[]", "alert", "list", "--json", "--unheard")
	says(0, "No call was found.", "call", "list", "--live", "--ended", "connected")
	says(0, "[]", "call", "list", "--json", "--from", "+1 202-555-0143")
	says(1, `ended "foo" is unknown: use one of connected, hung_up, `, "call", "list", "--ended", "foo")
	says(1, `integration "nope" is unknown: there is none yet`, "alert", "list", "--integration", "nope")
	says(0, "There is no integration: create one", "integration", "list")
	says(1, `there is no integration "nope": switchboard integration list shows all`, "integration", "show", "nope")
	says(1, `there is no integration "nope": switchboard integration list shows all`, "whowouldanswer", "--integration", "nope")
	says(1, "or its record has been deleted: switchboard call list shows all", "call", "show", "nothing")
	says(1, "or its record has been deleted: switchboard call list shows all", "call", "delete", "nothing")
	says(1, "there is no such alert: switchboard alert list shows all", "alert", "escalate", "nothing", "--user", "alice")
	says(1, "there is no such alert: switchboard alert list shows all", "alert", "show", "nothing")
	says(1, "there is no such person", "alert", "ack", "nothing", "--user", "mallory")
	says(1, "there is no such alert: switchboard alert list shows all", "alert", "resolve", "nothing", "--user", "alice")
	says(1, `there is no team "nobody", and no call of this time reached it: use one of `, "stats", "--team", "nobody")
	says(1, "--user", "alert", "ack", "nothing")
	says(1, "team \"nobody\" is unknown", "alert", "list", "--team", "nobody")
	says(1, "since is not before until", "call", "list", "--since", "2026-03-02", "--until", "2026-03-01")
	says(1, "from 1 to 1000", "call", "list", "--limit", "0")
	says(1, `status "lost" is unknown: use one of open, dropped`, "alert", "list", "--status", "lost")
	says(1, "there is no such alert: switchboard alert list shows all", "alert", "delete", "nothing")
	says(1, "<id> is empty: name the alert's id", "alert", "delete", "")
	says(1, `there is no recording "media:nothing": take its ref from the record of its call`, "recording", "delete", "nothing")
	says(1, "<id> is empty: name the recording's ref", "recording", "delete", "")
	says(0, "Nothing was known of this number.\nBackups, logs", "forget", "+12025550143")
	says(0, `"pending": []`, "forget", "--json", "+1 202-555-0143")
	says(1, `number: "202-555-0143" has no country code: write it as +12025550143`, "forget", "202-555-0143")
	p.stop()
	says(1, "switchboard does not run: start it", "forget", "+12025550143")
	says(1, "no switchboard runs with this data directory", "alert", "list")
}
