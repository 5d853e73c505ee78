//go:build unix

package launcher

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// shared is one folder of the fake plugin for the tests that do not change it.
var shared struct {
	sync.Mutex
	dir string
}

func sharedDir(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.dir == "" {
		top, err := os.MkdirTemp("", "launcher-test")
		if err != nil {
			t.Fatal(err)
		}
		shared.dir = makePluginDir(t, top, "1.2.3")
	}
	return shared.dir
}

// pluginDir makes a sealed folder of the fake plugin with this version.
func pluginDir(t testing.TB, version string) string {
	t.Helper()
	return makePluginDir(t, t.TempDir(), version)
}

func makePluginDir(t testing.TB, top, version string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(top, "fake")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, self, filepath.Join(dir, "fake-plugin"))
	source := filepath.Join(t.TempDir(), "manifest.json")
	doc := map[string]any{
		"id": "fake", "name": "Fake", "version": version,
		"protocol":    map[string]any{"versions": []int{integration.ProtocolVersion}, "minor": integration.ProtocolMinor},
		"environment": []string{"FAKE_WANTED"},
		"executables": map[string]any{manifest.Platform(): map[string]any{"path": "fake-plugin", "sha256": ""}},
	}
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(source, data, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = manifest.Seal(source, dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// socketDir is a directory of the test's own with a short path.
func socketDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// recorder keeps what a plugin's host hears: the log and the statuses.
type recorder struct {
	log testlog.Buffer

	mu       sync.Mutex
	statuses []Status
}

func (r *recorder) onChange(s Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statuses = append(r.statuses, s)
}

func (r *recorder) states() []State {
	r.mu.Lock()
	defer r.mu.Unlock()
	var states []State
	for _, s := range r.statuses {
		states = append(states, s.State)
	}
	return states
}

// config is that of a plugin in a mode; change adjusts it.
func config(t testing.TB, dir, mode string, change ...func(*Config)) (Config, *recorder) {
	t.Helper()
	r := &recorder{}
	cfg := Config{
		Dir:       dir,
		SocketDir: socketDir(t),
		Logger:    slog.New(slog.NewJSONHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		ExtraEnv:  map[string]string{modeVariable: mode},
		OnChange:  r.onChange,
		// A process on a busy machine may be slow, which is for no test to find but one that says
		// so.
		Timing: Timing{Start: time.Minute, Handle: 30 * time.Second, HandleBudget: time.Minute, Probe: 30 * time.Second, Health: 30 * time.Second},
	}
	for _, c := range change {
		c(&cfg)
	}
	return cfg, r
}

// launch launches a plugin in a mode and stops it at the end of the test.
func launch(t testing.TB, dir, mode string, change ...func(*Config)) (*Plugin, *recorder) {
	t.Helper()
	cfg, r := config(t, dir, mode, change...)
	p, err := Launch(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("log:\n%s", r.log.String())
		}
	})
	return p, r
}

// ask sends a webhook with this path and returns the answer's body.
func ask(t testing.TB, p integration.Integration, path, body string) string {
	t.Helper()
	answer, err := tryAsk(t.Context(), p, path, body)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func tryAsk(ctx context.Context, p integration.Integration, path, body string) (string, error) {
	out, err := p.HandleWebhook(ctx, integration.WebhookRequest{Method: "POST", Path: "/" + path, Body: []byte(body)})
	if err != nil {
		return "", err
	}
	return string(out.Response.Body), nil
}

// askBriefly asks a frozen process, and has no time left when it has not answered. On a busy
// machine a short time may be over before it is asked.
func askBriefly(t *testing.T, p integration.Integration) {
	t.Helper()
	for limit := 50 * time.Millisecond; ; limit *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		_, err := tryAsk(ctx, p, "pid", "")
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && integration.KindOf(err) == integration.KindDeadline {
			return
		}
		if !errors.Is(err, integration.ErrPluginGone) || limit > time.Minute {
			t.Fatalf("error %v, want %v", err, context.DeadlineExceeded)
		}
	}
}

func askPID(t testing.TB, p integration.Integration) int {
	t.Helper()
	pid, err := strconv.Atoi(ask(t, p, "pid", ""))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func TestLaunchCallStop(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good")
	s := p.Status()
	if s.State != StateReady {
		t.Fatalf("s.State is %q, want %q", s.State, StateReady)
	}
	if s.Plugin != "fake" {
		t.Fatalf("s.Plugin is %q, want %q", s.Plugin, "fake")
	}
	if s.Version != "1.2.3" {
		t.Fatalf("s.Version is %q, want %q", s.Version, "1.2.3")
	}
	if got := askPID(t, p); got != s.PID {
		t.Fatalf("pid is %v, want %v", got, s.PID)
	}

	_, err := tryAsk(t.Context(), p, "not-found", "")
	if got := integration.KindOf(err); got != integration.KindNotFound {
		t.Fatalf("error kind is %q, want %q", got, integration.KindNotFound)
	}
	if errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, which must not be %v", err, integration.ErrPluginGone)
	}

	p.Stop(t.Context())
	if p.Status().State != StateStopped {
		t.Fatalf("p.Status().State is %q, want %q", p.Status().State, StateStopped)
	}
	if diff := cmp.Diff([]State{StateStarting, StateReady, StateStopping, StateStopped}, r.states()); diff != "" {
		t.Fatalf("r.states() (-want +got):\n%s", diff)
	}
	_, err = tryAsk(t.Context(), p, "pid", "")
	if !errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, want %v", err, integration.ErrPluginGone)
	}
	if got := integration.KindOf(err); got != integration.KindUnavailable {
		t.Fatalf("error kind is %q, want %q", got, integration.KindUnavailable)
	}
}

func performing(what, argument string) integration.PerformRequest {
	return integration.PerformRequest{Task: integration.Task{Name: what, Payload: []byte(argument)}}
}

// suspecting looks only for a moment whether a process that is slow is alive.
func suspecting(c *Config) { c.Timing.Probe = 500 * time.Millisecond }

func quick(c *Config) {
	c.Timing.FirstBackoff = time.Millisecond
	c.Timing.MaxBackoff = 5 * time.Millisecond
	c.Timing.Budget = 1000
}

// TestBigMessages: 5 MiB pass in both directions, more than 16 MiB are refused without harm.
func TestBigMessages(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Timing.Handle = 30 * time.Second })
	pid := p.Status().PID
	five := strings.Repeat("y", 5<<20)
	out, err := p.Perform(t.Context(), performing("echo", five))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(out.Payload); got != len(five) {
		t.Fatalf("len(out.Payload) is %v, want %v", got, len(five))
	}
	for what, req := range map[string]integration.PerformRequest{
		"request": performing("echo", strings.Repeat("z", integration.MaxMessageBytes)),
		"answer":  performing("megabytes", "16"),
	} {
		_, err = p.Perform(t.Context(), req)
		if got := integration.KindOf(err); got != integration.KindInvalid {
			t.Fatalf("%v: error kind is %q, want %q", what, got, integration.KindInvalid)
		}
		if err == nil || !strings.Contains(err.Error(), "limit of 16777216 bytes") {
			t.Fatalf("%v: error %v, want one that contains %q", what, err, "limit of 16777216 bytes")
		}
		if errors.Is(err, integration.ErrPluginGone) {
			t.Fatalf("error %v, which must not be %v", err, integration.ErrPluginGone)
		}
	}
	if got := askPID(t, p); got != pid {
		t.Fatalf("pid is %v, want %v", got, pid)
	}
}

// TestOnChangeMayAsk: the callback may use the plugin.
func TestOnChangeMayAsk(t *testing.T) {
	t.Parallel()
	var p atomic.Pointer[Plugin]
	var asked atomic.Int32
	q, _ := launch(t, sharedDir(t), "good", quick, func(c *Config) {
		c.OnChange = func(Status) {
			if p := p.Load(); p != nil {
				p.Status()
				if _, err := p.Describe(context.Background(), integration.DescribeRequest{}); err == nil {
					asked.Add(1)
				}
			}
		}
	})
	p.Store(q)
	if err := syscall.Kill(q.Status().PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "asked", func() bool { return asked.Load() > 0 })
}
