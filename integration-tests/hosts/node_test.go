package hosts

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/component"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/internal/testlog"
	"github.com/livecallrouting/livecall/internal/tied"
)

//go:embed node/package.json
var packageJSON []byte

//go:embed node/package-lock.json
var lockFile []byte

//go:embed node/.npmrc
var npmrc []byte

//go:embed node/host.mjs
var nodeHost []byte

// nodeModules gives a folder with node_modules for host.mjs.
func nodeModules() (string, error) {
	for _, program := range []string{"node", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("no %s: apt-get install nodejs openssl", program)
		}
	}
	return component.InstallNPM("livecall-node-host", map[string][]byte{"package.json": packageJSON, "package-lock.json": lockFile, ".npmrc": npmrc})
}

// node is host.mjs as a process.
type node struct {
	t     *testing.T
	lines chan string // of its output; closed at the end
	said  []string
	log   testlog.Buffer
	tell  func(line string)
	end   func() error
}

// startNode starts host.mjs for a simulated Twilio.
func startNode(t *testing.T, modules, twilio string, options map[string]string) *node {
	t.Helper()
	// Node looks for packages beside the file.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "host.mjs"), nodeHost, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(modules, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	proto, err := filepath.Abs("../../host-sdk/proto")
	if err != nil {
		t.Fatal(err)
	}
	document, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, lines: make(chan string)}
	cmd := exec.Command("node", filepath.Join(dir, "host.mjs"), filepath.Join(built, "plugins", "livecall", "livecall"), proto)
	cmd.Env = append(os.Environ(), "LIVECALL_TWILIO_API_URL="+twilio, "HOTLINE_OPTIONS="+string(document))
	cmd.Stderr = &n.log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tied.Start(cmd); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(n.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			n.lines <- s.Text()
		}
	}()
	n.tell = func(line string) {
		if _, err := io.WriteString(stdin, line+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	n.end = func() error {
		_ = stdin.Close()
		for line := range n.lines {
			n.said = append(n.said, line)
		}
		return cmd.Wait()
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // has ended if the test has stopped it
		go func() { _, _ = io.Copy(io.Discard, stdout) }()
		if t.Failed() {
			t.Logf("host.mjs says:\n%s\nand logs:\n%s", strings.Join(n.said, "\n"), &n.log)
		}
	})
	return n
}

// says waits for a line that begins so, and returns the rest of it.
func (n *node) says(begin string) string {
	n.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case line, ok := <-n.lines:
			n.said = append(n.said, line)
			if rest, found := strings.CutPrefix(line, begin); found {
				return rest
			} else if !ok {
				n.t.Fatalf("host.mjs ended without %q", begin)
			}
		case <-limit:
			n.t.Fatalf("host.mjs does not say %q", begin)
		}
	}
}

// TestNodeHostConnectsACaller drives the plugin through gRPC alone: what it is, its form, webhooks,
// alerts, tasks and timers of a whole call, a phone that rings for a test, and its end.
func TestNodeHostConnectsACaller(t *testing.T) {
	t.Parallel()
	modules := component.Get(t, component.NPM, nodeModules)
	sim, err := twiliosim.New(twiliosim.Config{
		PatienceFloor: 20 * time.Second, SpeechPerCharacter: 5 * time.Millisecond, AudioLength: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	twilio := httptest.NewServer(sim)
	t.Cleanup(func() { sim.Close(); twilio.Close() })
	n := startNode(t, modules, twilio.URL, map[string]string{
		"account_sid": twiliosim.DefaultAccountSid, "api_key": twiliosim.DefaultAPIKey, "api_secret": twiliosim.DefaultAPISecret,
		"auth_token": twiliosim.DefaultAuthToken,
	})
	if got := n.says("plugin "); got != "livecall 0.2.0 protocol 1.1" {
		t.Errorf("the plugin is %q", got)
	}
	if got := n.says("healthy "); got != "true" {
		t.Errorf("healthy: %s", got)
	}
	if got := n.says("form "); got != "account_sid api_key api_secret auth_token" {
		t.Errorf("the form begins with %q", got)
	}
	if got := n.says("refused account_sid "); !strings.Contains(got, "must be AC followed by 32 digits") {
		t.Errorf("refused: %q", got)
	}
	endpoint := n.says("endpoint ")
	if _, err := sim.AddNumber(twiliosim.Number{PhoneNumber: number, VoiceURL: endpoint, StatusCallback: endpoint + "/status"}); err != nil {
		t.Fatal(err)
	}
	c, err := sim.Call(caller, number)
	if err != nil {
		t.Fatal(err)
	}
	n.says("alert create")
	n.says("alert route")
	leg := sim.Phone(alice).RingsNext(t)
	leg.Answers()
	leg.Hears(t, "press 1")
	leg.Presses("1")
	if other := c.ConnectedTo(t, alice); other != leg {
		t.Error("the caller is connected to another call than the one that was answered")
	}
	n.says("alert acknowledge alice")
	c.Says("The database is down.")
	leg.Hears(t, "database is down")
	c.HangsUp()
	c.Ended(t)
	leg.Ended(t)
	n.tell("ring alice")
	leg = sim.Phone(alice).RingsNext(t)
	leg.Answers()
	leg.Hears(t, "This is a test call of")
	leg.Presses("1")
	leg.Ended(t)
	if got := n.says("ring "); got != alice+" confirmed" {
		t.Errorf("the test ring: %q", got)
	}
	if err := n.end(); err != nil {
		t.Errorf("host.mjs ended: %v", err)
	}
	if got := n.said[len(n.said)-1]; got != "stopped 0 calls given up" {
		t.Errorf("at the end host.mjs says %q", got)
	}
	for _, line := range []string{"handled HandleWebhook ", "handled HandleAlert ", "handled HandleTask task_done"} {
		if !slices.Contains(n.said, line) {
			t.Errorf("host.mjs never says %q", line)
		}
	}
	sim.Check(t)
}
