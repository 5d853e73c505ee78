package platformcheck_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck"
)

// The test binary is the suite's process where suiteVariable is set.
const suiteVariable = "PLATFORMCHECK_SUITE"

func TestMain(m *testing.M) {
	if os.Getenv(suiteVariable) != "" {
		fmt.Fprintln(os.Stderr, platformcheck.RunSuite(os.Stdin))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const (
	token  = "a-token-of-more-than-32-characters"
	secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
)

// freeAddress is an address on which nothing listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	return l.Addr().String()
}

// server is the example in Python, spoiled or not.
type server struct {
	url, hints string
	stop       func()
}

// example starts the example server; each pair of texts is replaced in its source.
func example(t testing.TB, replaced ...string) server {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	text, err := os.ReadFile("../../../../examples/remote-platform/python/platform_server.py")
	if err != nil {
		t.Fatal(err)
	}
	source := string(text)
	for i := 0; i+1 < len(replaced); i += 2 {
		if strings.Count(source, replaced[i]) != 1 {
			t.Fatalf("the example has %d times %q", strings.Count(source, replaced[i]), replaced[i])
		}
		source = strings.Replace(source, replaced[i], replaced[i+1], 1)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "server.py")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	s := server{hints: freeAddress(t)}
	cmd := exec.Command("python3", path, "127.0.0.1:0", filepath.Join(dir, "alerts.db"))
	cmd.Env = append(os.Environ(), "PLATFORM_TOKEN="+token, "HINTS_SECRET="+secret, "HINTS_URL=http://"+s.hints+"/platform/hints")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(s.stop)
	var port int
	line, _ := bufio.NewReader(out).ReadString('\n')
	if _, err := fmt.Sscanf(line, "serving %d", &port); err != nil {
		t.Fatalf("the server says %q", line)
	}
	s.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	return s
}

// config tries everything that the example has.
func (s server) config() platformcheck.Config {
	return platformcheck.Config{
		URL: s.url, Token: token, HintsSecret: secret, HintsListen: s.hints, HintWithin: 30 * time.Second,
		Team: "devops", OtherTeam: "support", IdleTeam: "idle", Users: []string{"alice", "bob"},
		Suite: func(ctx context.Context) *exec.Cmd {
			cmd := exec.CommandContext(ctx, os.Args[0])
			cmd.Env = append(os.Environ(), suiteVariable+"=1")
			return cmd
		},
	}
}

// try runs everything and returns the report and its text.
func try(t testing.TB, cfg platformcheck.Config) (*platformcheck.Report, string) {
	t.Helper()
	report, err := platformcheck.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.Text(&text); err != nil {
		t.Fatal(err)
	}
	return report, text.String()
}

// The example in Python passes, and nothing is left out but what it does not claim.
func TestThePythonExampleIsRight(t *testing.T) {
	t.Parallel()
	report, text := try(t, example(t).config())
	if report.Outcome != platformcheck.Right {
		t.Errorf("the example is %s:\n%s", report.Outcome, text)
	}
	var skipped []string
	for _, step := range report.Steps {
		for _, c := range step.Checks {
			if c.Outcome == platformcheck.Skipped {
				skipped = append(skipped, c.Name)
			}
		}
	}
	if got := strings.Join(skipped, ", "); got != "audiences" {
		t.Errorf("skipped: %s, want audiences, which the example does not claim", got)
	}
}
