//go:build unix

package launcher

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
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
		require.NoError(t, err)
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
	require.NoError(t, err)
	dir := filepath.Join(top, "fake")
	require.NoError(t, os.Mkdir(dir, 0o755))
	copyFile(t, self, filepath.Join(dir, "fake-plugin"))
	source := filepath.Join(t.TempDir(), "manifest.json")
	doc := map[string]any{
		"id": "fake", "name": "Fake", "version": version,
		"protocol":    map[string]any{"versions": []int{integration.ProtocolVersion}, "minor": integration.ProtocolMinor},
		"environment": []string{"FAKE_WANTED"},
		"executables": map[string]any{manifest.Platform(): map[string]any{"path": "fake-plugin", "sha256": ""}},
	}
	data, err := json.Marshal(doc)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(source, data, 0o600))
	_, err = manifest.Seal(source, dir)
	require.NoError(t, err)
	return dir
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	require.NoError(t, err)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}

// socketDir is a short directory of the test's own.
func socketDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "lt")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

type recorder struct {
	mu       sync.Mutex
	statuses []Status
	log      bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
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
		Logger:    slog.New(slog.NewJSONHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug})),
		ExtraEnv:  map[string]string{modeVariable: mode},
		OnChange:  r.onChange,
		Timing:    Timing{Start: 30 * time.Second},
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
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("log:\n%s", r.text())
		}
	})
	return p, r
}

// ask sends a webhook with this path and returns the answer's body.
func ask(t testing.TB, p integration.Integration, path, body string) string {
	t.Helper()
	answer, err := tryAsk(t.Context(), p, path, body)
	require.NoError(t, err)
	return answer
}

func tryAsk(ctx context.Context, p integration.Integration, path, body string) (string, error) {
	out, err := p.HandleWebhook(ctx, integration.WebhookRequest{Method: "POST", Path: "/" + path, Body: []byte(body)})
	if err != nil {
		return "", err
	}
	return string(out.Response.Body), nil
}

func askPID(t testing.TB, p integration.Integration) int {
	t.Helper()
	pid, err := strconv.Atoi(ask(t, p, "pid", ""))
	require.NoError(t, err)
	return pid
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, 5*time.Millisecond, what)
}

func TestLaunchCallStop(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good")
	s := p.Status()
	require.Equal(t, StateReady, s.State)
	require.Equal(t, "fake", s.Plugin)
	require.Equal(t, "1.2.3", s.Version)
	require.Equal(t, s.PID, askPID(t, p))

	_, err := tryAsk(t.Context(), p, "not-found", "")
	require.Equal(t, integration.KindNotFound, integration.KindOf(err))
	require.NotErrorIs(t, err, integration.ErrPluginGone)

	p.Stop(t.Context())
	require.Equal(t, StateStopped, p.Status().State)
	require.Equal(t, []State{StateStarting, StateReady, StateStopping, StateStopped}, r.states())
	_, err = tryAsk(t.Context(), p, "pid", "")
	require.ErrorIs(t, err, integration.ErrPluginGone)
	require.Equal(t, integration.KindUnavailable, integration.KindOf(err))
}
