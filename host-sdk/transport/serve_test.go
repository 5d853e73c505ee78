//go:build unix

package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/internal/testmain"
)

// serveVariable makes the test binary a plugin.
const serveVariable = "TRANSPORT_TEST_SERVE"

func TestMain(m *testing.M) {
	switch os.Getenv(serveVariable) {
	case "":
		os.Exit(testmain.Run(m))
	case "main":
		Main(func(*slog.Logger) (integration.Integration, error) { return scripted{}, nil })
	case "short-grace":
		Serve(scripted{perform: sleepOrEnvironment}, ServeOptions{TermGrace: 300 * time.Millisecond})
		fmt.Fprintln(os.NewFile(2, "stderr"), "served")
		os.Exit(5)
	}
}

func sleepOrEnvironment(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	if string(req.Task.Payload) == "environment" {
		return integration.TaskResult{Payload: []byte(strings.Join(os.Environ(), "\n"))}, nil
	}
	_ = os.WriteFile(req.Task.Name, nil, 0o600)
	d, err := time.ParseDuration(string(req.Task.Payload))
	time.Sleep(d)
	return integration.TaskResult{Payload: []byte("slept")}, err
}

// TestStartedByHand: a person who runs the binary is told what it is.
func TestStartedByHand(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = []string{serveVariable + "=main"}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("error %v, want a %T", err, &exit)
	}
	if got := exit.ExitCode(); got != 1 {
		t.Fatalf("exit.ExitCode() is %v, want %v", got, 1)
	}
	if got := string(out); !strings.Contains(got, "This binary is a plugin") {
		t.Fatalf("%q, want it to contain %q", got, "This binary is a plugin")
	}

	cmd = exec.Command(self, "describe")
	cmd.Env = []string{serveVariable + "=main"}
	out, err = cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := string(out); !strings.Contains(got, `"protocol"`) {
		t.Fatalf("%q, want it to contain %q", got, `"protocol"`)
	}
}

// TestTerminate: calls in progress when SIGTERM comes, and those that begin soon after, end well;
// then the process ends by itself and takes its socket with it. SIGINT is for the host.
func TestTerminate(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "tt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cmd := exec.Command(self)
	cmd.Env = []string{serveVariable + "=short-grace", goplugin.EnvUnixSocketDir + "=" + dir}
	stderr, stderrW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: Handshake, VersionedPlugins: HostPlugins(0), Cmd: cmd, AutoMTLS: true, SkipHostEnv: true,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC}, GRPCDialOptions: DialOptions(),
		StartTimeout: 30 * time.Second, Stderr: stderrW,
	})
	t.Cleanup(client.Kill)
	protocol, err := client.Client()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := protocol.Dispense(PluginName)
	if err != nil {
		t.Fatal(err)
	}
	conn, ok := raw.(*Conn)
	if !ok {
		t.Fatal("not a *Conn")
	}
	if err := conn.Healthy(t.Context()); err != nil {
		t.Fatal(err)
	}

	env, err := conn.Perform(t.Context(), task([]byte("environment")))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(env.Payload); strings.Contains(got, "PLUGIN_CLIENT_CERT") {
		t.Fatalf("%q contains %q", got, "PLUGIN_CLIENT_CERT")
	}
	if got := string(env.Payload); strings.Contains(got, Handshake.MagicCookieKey) {
		t.Fatalf("%q contains %q", got, Handshake.MagicCookieKey)
	}

	begun := dir + "/begun"
	result := make(chan error, 1)
	go func() {
		req := task([]byte("450ms"))
		req.Task.Name = begun
		got, err := conn.Perform(context.Background(), req)
		if err == nil && string(got.Payload) != "slept" {
			err = fmt.Errorf("result %q", got.Payload)
		}
		result <- err
	}()
	eventually(t, "the call has begun", func() bool { _, err := os.Stat(begun); return err == nil })
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process ends", client.Exited)
	if err := stderrW.Close(); err != nil {
		t.Fatal(err)
	}
	var last string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		last = lines.Text()
	}
	if last != "served" {
		t.Fatalf("Serve has returned: last is %q, want %q", last, "served")
	}
	if err := os.Remove(begun); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 0 {
		t.Fatalf("left is %v, want it empty", left)
	}
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
