package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/component"
	"github.com/livecallrouting/livecall/internal/tied"
)

// platformExample starts the example platform in Python and returns its base URL.
func platformExample(t *testing.T, token string) string {
	t.Helper()
	python := component.Get(t, "test", func() (string, error) { return exec.LookPath("python3") })
	cmd := exec.Command(python, "../../examples/remote-platform/python/platform_server.py", "127.0.0.1:0", filepath.Join(t.TempDir(), "alerts.db"))
	cmd.Env = append(os.Environ(), "PLATFORM_TOKEN="+token, "HINTS_SECRET=whsec_"+strings.Repeat("MDEy", 8), "HINTS_URL=http://127.0.0.1:9/platform/hints")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = tied.Start(cmd)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	port := 0
	line, _ := bufio.NewReader(out).ReadString('\n')
	if _, err := fmt.Sscanf(line, "serving %d", &port); err != nil {
		t.Fatalf("the server says %q", line)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

// The status is 0, 1 or 2 for right, wrong and not tested; the suite runs in a process of the same
// program; the report for programs is beside the one for people.
func TestPlatformTestEndsWithItsThreeStatuses(t *testing.T) {
	t.Parallel()
	const token = "a-token-of-more-than-32-characters"
	url, dir := platformExample(t, token), t.TempDir()
	tokenFile, wrongFile, reportFile := filepath.Join(dir, "token"), filepath.Join(dir, "wrong"), filepath.Join(dir, "report.json")
	for path, text := range map[string]string{tokenFile: token, wrongFile: strings.Repeat("wrong", 8)} {
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flags := []string{"--token-file", tokenFile, "--team", "devops", "--other-team", "support", "--user", "alice", "--user", "bob", "--json", reportFile}
	for _, c := range []struct {
		name   string
		flags  []string
		status int
		says   string
	}{
		{"right", append([]string{"--run", "behaviour: reopen", "--run", "protocol: "}, flags...), 0, "ok          reopen an acknowledgement"},
		{"wrong", append([]string{"--run", "behaviour: routers", "--token-file", wrongFile}, flags[2:]...), 1, "The token is refused (401"},
		{"not tested", append([]string{"--run", "hints: "}, flags...), 2, "nobody listens: name an address with --hints-listen"},
		{"a wrong flag", []string{"--teams", "x"}, 2, "unknown flag --teams, did you mean"},
	} {
		cmd := exec.Command(os.Args[0], append([]string{"platform", "test", url}, c.flags...)...)
		cmd.Env = append(os.Environ(), runVariable+"=1")
		out, _ := cmd.CombinedOutput() // the status is looked at below
		if got := cmd.ProcessState.ExitCode(); got != c.status || !strings.Contains(string(out), c.says) && !strings.Contains(strings.Join(strings.Fields(string(out)), " "), c.says) {
			t.Errorf("%s: the status is %d, want %d and %q:\n%s", c.name, got, c.status, c.says, out)
		}
		if strings.Contains(string(out), token) {
			t.Errorf("%s: the token is in the output:\n%s", c.name, out)
		}
		if c.name == "right" {
			var report struct {
				Outcome   string
				Endpoints []struct {
					Operation string
					Requests  int
				}
			}
			text, err := os.ReadFile(reportFile)
			if err == nil {
				err = json.Unmarshal(text, &report)
			}
			if err != nil || report.Outcome != "right" || len(report.Endpoints) < 4 {
				t.Errorf("the report for programs is %+v, %v", report, err)
			}
		}
	}
}
