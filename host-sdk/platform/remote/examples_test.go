package remote_test

import (
	"bufio"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/platformtest"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/integration-tests/component"
	"github.com/livecallrouting/livecall/internal/freeport"
)

// examples are the example servers by the program that runs them. Each takes its address and where
// to keep its alerts.
var examples = map[string]string{
	"python3": "../../examples/remote-platform/python/platform_server.py",
	"node":    "../../examples/remote-platform/node/platform_server.mjs",
}

// startExample starts an example server; stop ends it.
func startExample(t *testing.T, program, address, kept, hints string) (stop func()) {
	t.Helper()
	// What a test reads belongs to its cached result: a changed example is tested again.
	if _, err := os.Stat(examples[program]); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, examples[program], address, kept)
	cmd.Env = append(os.Environ(), "PLATFORM_TOKEN="+token, "HINTS_SECRET="+whsec(secret), "HINTS_URL="+hints)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(stop)
	if line, _ := bufio.NewReader(out).ReadString('\n'); !strings.HasPrefix(line, "serving ") {
		t.Fatalf("the server says %q", line)
	}
	return stop
}

func TestTheExamplesArePlatforms(t *testing.T) {
	t.Parallel()
	for program := range examples {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			component.Get(t, "test", func() (string, error) { return exec.LookPath(program) })
			testExample(t, program)
		})
	}
}

// testExample shows that an example server passes the suite with its own hints alone, and keeps
// alerts and numbers over a restart.
func testExample(t *testing.T, program string) {
	var handler atomic.Pointer[http.Handler]
	hints := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }))
	t.Cleanup(hints.Close)
	kept := filepath.Join(t.TempDir(), "alerts")
	address := freeport.Address(t)
	stop := startExample(t, program, address, kept, hints.URL)
	adapter, err := remote.New(remote.Config{URL: "http://" + address, Token: token, HintsSecrets: []string{whsec(secret)}, NoOwnHints: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	adapter.SetTimes(30*time.Second, 30*time.Second, 0, 0, 0, 0, 0)
	served := adapter.Hints()
	handler.Store(&served)
	platformtest.Test(t, platformtest.Config{OnceOnly: true, HintWithin: 30 * time.Second, New: func(*testing.T) platformtest.Fixture {
		return platformtest.Fixture{Platform: adapter, Scope: platform.Scope{Integration: "int-1"}, Team: "devops", OtherTeam: "support", IdleTeam: "idle", Users: [2]string{"alice", "bob"}}
	}})
	for _, cmd := range first("CA1") {
		perform(t, adapter, cmd)
	}
	before, err := adapter.Alert(t.Context(), scope, "CA1")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	startExample(t, program, address, kept, hints.URL)
	perform(t, adapter, first("CA1")[2])
	after, err := adapter.Alert(t.Context(), scope, "CA1")
	if err != nil || after.ID != before.ID || after.LastCommand != 3 || len(after.Acknowledgements) != 1 || after.Acknowledgements[0].ID != before.Acknowledgements[0].ID {
		t.Errorf("over a restart:\n%+v\n%+v, %v", before, after, err)
	}
	for _, text := range adapter.Findings() {
		t.Errorf("the example has the finding: %s", text)
	}
}
