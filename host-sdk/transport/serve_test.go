//go:build unix

package transport

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/stretchr/testify/require"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// serveVariable makes the test binary a plugin.
const serveVariable = "TRANSPORT_TEST_SERVE"

func TestMain(m *testing.M) {
	switch os.Getenv(serveVariable) {
	case "":
		os.Exit(m.Run())
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
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = []string{serveVariable + "=main"}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 1, exit.ExitCode())
	require.Contains(t, string(out), "This binary is a plugin")

	cmd = exec.Command(self, "describe")
	cmd.Env = []string{serveVariable + "=main"}
	out, err = cmd.Output()
	require.NoError(t, err)
	require.Contains(t, string(out), `"protocol"`)
}

// TestTerminate: calls in progress when SIGTERM comes, and those that begin soon after, end well; then the process
// ends by itself and takes its socket with it. SIGINT is for the host.
func TestTerminate(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	dir, err := os.MkdirTemp("/tmp", "tt")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cmd := exec.Command(self)
	cmd.Env = []string{serveVariable + "=short-grace", goplugin.EnvUnixSocketDir + "=" + dir}
	stderr, stderrW, err := os.Pipe()
	require.NoError(t, err)
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: Handshake, VersionedPlugins: HostPlugins(), Cmd: cmd, AutoMTLS: true, SkipHostEnv: true,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC}, GRPCDialOptions: DialOptions(),
		StartTimeout: 30 * time.Second, Stderr: stderrW,
	})
	t.Cleanup(client.Kill)
	protocol, err := client.Client()
	require.NoError(t, err)
	raw, err := protocol.Dispense(PluginName)
	require.NoError(t, err)
	conn, ok := raw.(*Conn)
	require.True(t, ok)
	require.NoError(t, conn.Healthy(t.Context()))

	env, err := conn.Perform(t.Context(), task([]byte("environment")))
	require.NoError(t, err)
	require.NotContains(t, string(env.Payload), "PLUGIN_CLIENT_CERT")
	require.NotContains(t, string(env.Payload), Handshake.MagicCookieKey)

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
	require.Eventually(t, func() bool { _, err := os.Stat(begun); return err == nil }, 20*time.Second, time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, <-result)
	require.Eventually(t, client.Exited, 20*time.Second, time.Millisecond)
	require.NoError(t, stderrW.Close())
	var last string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		last = lines.Text()
	}
	require.Equal(t, "served", last, "Serve has returned")
	require.NoError(t, os.Remove(begun))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}
