//go:build unix

package launcher

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/transport"
	"github.com/livecallrouting/livecall/internal/testmain"
)

// modeVariable makes the test binary a plugin, well- or misbehaved.
const modeVariable = "LAUNCHER_TEST_MODE"

// What the process was started with, whatever os.Stdout and os.Stderr are now. Kept for ever: a
// file that is collected is closed.
var rawStdout, rawStderr = os.NewFile(1, "stdout"), os.NewFile(2, "stderr")

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVariable); mode != "" {
		runFake(mode)
		os.Exit(0)
	}
	os.Exit(testmain.Run(m))
}

// runFake is the main function of the fake plugin.
func runFake(mode string) {
	fake := fakePlugin{id: "fake", version: "1.2.3"}
	switch mode {
	case "good":
	case "version-2.0.0":
		fake.version = "2.0.0"
	case "other-id":
		fake.id = "other"
	case "stdout-first":
		fmt.Println("hello from an init function")
	case "exits":
		fmt.Fprintln(os.Stderr, "no licence file found")
		os.Exit(7)
	case "exits-silently":
		os.Exit(7)
	case "hangs":
		time.Sleep(time.Hour) // a select without cases is a deadlock, which ends the process
	case "protocol-2":
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig:  transport.Handshake,
			VersionedPlugins: map[int]goplugin.PluginSet{2: {transport.PluginName: emptyPlugin{}}},
			GRPCServer:       func(o []grpc.ServerOption) *grpc.Server { return grpc.NewServer(o...) },
		})
		return
	case "other-cookie":
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig: goplugin.HandshakeConfig{MagicCookieKey: "OTHER_COOKIE", MagicCookieValue: "x"},
			GRPCServer:      goplugin.DefaultGRPCServer,
		})
		return
	case "host":
		runHost()
		return
	default:
		fmt.Fprintln(os.Stderr, "unknown mode", mode)
		os.Exit(9)
	}
	transport.Main(func(log *slog.Logger) (integration.Integration, error) {
		fake.log = log
		return fake, nil
	})
}

// emptyPlugin serves nothing.
type emptyPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (emptyPlugin) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }

func (emptyPlugin) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

// fakePlugin does what the path of a webhook, or the name of a task, says.
type fakePlugin struct {
	id, version string
	log         *slog.Logger
}

func (f fakePlugin) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	return integration.Description{
		ID: f.id, Name: "Fake", Version: f.version,
		ProtocolVersion: integration.ProtocolVersion, ProtocolMinor: integration.ProtocolMinor,
	}, nil
}

func (f fakePlugin) OptionsSchema(context.Context, integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	return integration.OptionsSchema{Schema: []byte(`{"type":"object"}`), Format: 1}, nil
}

func (f fakePlugin) ValidateOptions(_ context.Context, req integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	var doc struct {
		Do string `json:"do"`
	}
	_ = json.Unmarshal(req.Options, &doc)
	_, err := f.do(doc.Do, "")
	return integration.ValidateOptionsResponse{}, err
}

func (f fakePlugin) HandleWebhook(_ context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	body, err := f.do(strings.TrimPrefix(req.Path, "/"), string(req.Body))
	return integration.Outcome{Response: &integration.Response{Body: []byte(body)}}, err
}

func (f fakePlugin) HandleAlert(context.Context, integration.AlertRequest) (integration.Outcome, error) {
	return integration.Outcome{}, nil
}

func (f fakePlugin) HandleTask(context.Context, integration.TaskRequest) (integration.Outcome, error) {
	return integration.Outcome{}, nil
}

func (f fakePlugin) Perform(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	result, err := f.do(req.Task.Name, string(req.Task.Payload))
	return integration.TaskResult{Payload: []byte(result)}, err
}

func (f fakePlugin) RunAction(_ context.Context, req integration.ActionRequest) (integration.ActionResult, error) {
	result, err := f.do(req.Name, req.Values["argument"])
	return integration.ActionResult{OK: true, Lines: []integration.ActionLine{{Text: result}}}, err
}

// freeze stops the process. The signal may take its time to reach every thread: the call does not
// go on.
func freeze() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	time.Sleep(time.Hour)
}

// do is everything that can go wrong in a plugin. argument names a file for what shall happen once,
// or a duration.
func (f fakePlugin) do(what, argument string) (string, error) {
	once := func() bool {
		file, err := os.OpenFile(argument, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return false
		}
		_ = file.Close()
		return true
	}
	switch what {
	case "", "pid":
		return strconv.Itoa(os.Getpid()), nil
	case "version":
		return f.version, nil
	case "crash":
		os.Exit(3)
	case "crash-once":
		if once() {
			os.Exit(3)
		}
		return strconv.Itoa(os.Getpid()), nil
	case "count-and-crash":
		file, err := os.OpenFile(argument, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			_, _ = file.WriteString("x")
			_ = file.Close()
		}
		os.Exit(3)
	case "fatal":
		m := map[int]int{}
		go func() {
			for {
				m[1]++
			}
		}()
		for {
			m[2]++
		}
	case "panic":
		panic("a defect")
	case "freeze":
		freeze()
	case "freeze-once":
		if once() {
			freeze()
		}
		return strconv.Itoa(os.Getpid()), nil
	case "sleep":
		span, begun, _ := strings.Cut(argument, " ")
		d, err := time.ParseDuration(span)
		if err != nil {
			return "", integration.Errorf(integration.KindInvalid, "duration %q: %w", span, err)
		}
		if begun != "" {
			if err := os.WriteFile(begun, nil, 0o600); err != nil {
				return "", err
			}
		}
		time.Sleep(d)
		return "slept", nil
	case "environment":
		return strings.Join(os.Environ(), "\n"), nil
	case "first-environment":
		data, err := os.ReadFile("/proc/self/environ")
		return strings.ReplaceAll(string(data), "\x00", "\n"), err
	case "name":
		data, err := os.ReadFile("/proc/self/comm")
		return strings.TrimSpace(string(data)), err
	case "grandchild":
		// Holds standard output and error, and outlives its parent if it can.
		cmd := exec.Command("/bin/sleep", "600")
		cmd.Stdout, cmd.Stderr = rawStdout, rawStderr
		if err := cmd.Start(); err != nil {
			return "", err
		}
		return strconv.Itoa(cmd.Process.Pid), nil
	case "echo":
		return argument, nil
	case "megabytes":
		n, err := strconv.Atoi(argument)
		if err != nil {
			return "", err
		}
		return strings.Repeat("x", n<<20), nil
	case "log":
		f.log.Debug("debug line")
		f.log.Info("info line", "call", "CA1", "n", 7)
		f.log.Warn("warn line")
		f.log.Error("error line", slog.Group("leg", "id", "L1"))
		fmt.Fprintln(os.Stdout, "replaced stdout")
		fmt.Fprintln(os.Stderr, "replaced stderr")
		_, _ = rawStderr.WriteString("{\"@message\": 5, \"@level\": [], \"@timestamp\": {}}\nraw line\n")
		return "logged", nil
	case "flood":
		for _, f := range []*os.File{rawStdout, rawStderr} {
			if _, err := f.WriteString(strings.Repeat("#", 1<<20)); err != nil {
				return "", err
			}
		}
		return "flooded", nil
	case "not-found":
		return "", &integration.Error{Kind: integration.KindNotFound, Message: "no such call", Code: "20404"}
	default:
		return "", integration.Errorf(integration.KindUnsupported, "unknown request %q", what)
	}
	return "", nil
}

var _ integration.Integration = fakePlugin{}
