package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/grpc"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/host-sdk/transport"
	"github.com/livecallrouting/livecall/internal/testmain"
)

// The test binary is switchboard where runVariable is set, else a plugin where pluginVariable is.
// The manifest hands only the second on, so that a plugin started by a switchboard is a plugin.
const (
	runVariable    = "SWITCHBOARD_TEST_RUN"
	pluginVariable = "TESTLINE_PLUGIN"
)

// pluginHome holds the folder of plugins that tests share.
var pluginHome string

func TestMain(m *testing.M) {
	if os.Getenv(runVariable) != "" {
		os.Exit(run(os.Args[1:]))
	}
	// A script sets it for plugins.
	if mode := os.Getenv(pluginVariable); mode != "" && filepath.Base(os.Args[0]) != program {
		runPlugin(mode)
		os.Exit(0)
	}
	if filepath.Base(os.Args[0]) != program { // which testscript calls the test binary
		if err := testmain.Begin(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		testmain.Together(4) // scripts wait for the programs that they start
	}
	testscript.Main(withPlugins{m}, map[string]func(){
		program: func() { os.Exit(run(os.Args[1:])) },
	})
}

// program is the name under which test scripts run switchboard.
const program = "switchboard"

// withPlugins makes the shared plugin folder around the tests.
type withPlugins struct{ m *testing.M }

// Run implements testscript.TestingM.
func (w withPlugins) Run() int {
	home, err := os.MkdirTemp("", "switchboard-test-")
	if err == nil {
		pluginHome = filepath.Join(home, "plugins")
		err = makePlugin(pluginHome, hosttest.PluginID, "1.2.3", 1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := w.m.Run()
	if err := testmain.End(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// makePlugin makes <dir>/<id> out of the test binary.
func makePlugin(dir, id, version string, protocol int) error {
	folder := filepath.Join(dir, id)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program, err := os.ReadFile(self) //nolint:gosec // the test binary itself
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "testline"), program, 0o700); err != nil { //nolint:gosec // it is to be run
		return err
	}
	source := filepath.Join(dir, "source.json")
	text := fmt.Sprintf(`{"id": %q, "name": "Test line", "version": %q, "protocol": {"versions": [%d], "minor": %d},
		"environment": [%q], "executables": {"%s-%s": {"path": "testline", "sha256": ""}}}`,
		id, version, protocol, integration.ProtocolMinor, pluginVariable, runtime.GOOS, runtime.GOARCH)
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		return err
	}
	_, err = manifest.Seal(source, folder)
	return err
}

func runPlugin(mode string) {
	switch mode {
	case "exits":
		fmt.Fprintln(os.Stderr, "no licence file found")
		os.Exit(7)
	case "protocol-2":
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig:  transport.Handshake,
			VersionedPlugins: map[int]goplugin.PluginSet{2: {}},
			GRPCServer:       func(o []grpc.ServerOption) *grpc.Server { return grpc.NewServer(o...) },
		})
		return
	}
	// It is whatever plugin the manifest beside it says: one executable is many plugins.
	m, err := readOwnManifest()
	if err != nil || strings.HasSuffix(m.Version, "-broken") {
		fmt.Fprintln(os.Stderr, "this version is broken", err)
		os.Exit(7)
	}
	format, _ := strconv.Atoi(m.Version[:1])
	transport.Main(func(log *slog.Logger) (integration.Integration, error) {
		return hosttest.Plugin{ID: m.ID, Version: m.Version, Format: format, Slow: func(untilFile string) {
			log.Info("slow webhook begins")
			for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
				if _, err := os.Stat(untilFile); err == nil {
					return
				}
			}
		}}, nil
	})
}

// readOwnManifest reads the manifest in the working directory, where a host starts its plugin.
func readOwnManifest() (manifest.Manifest, error) {
	text, err := os.ReadFile(manifest.FileName)
	if err != nil {
		return manifest.Manifest{}, err
	}
	return manifest.Parse(text)
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PLUGINS", pluginHome)
			env.Setenv("SHORT", os.TempDir()) // sockets do not fit into the script's own folder
			sample, err := os.ReadFile("sample.yaml")
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "sample.yaml"), sample, 0o600)
		},
	})
}
