package integrationtests

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/integration/integrationtest"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/integration-tests/demo"
)

// startWithOwnPlugins starts a host with a plugin folder of its own, in which the plugin lies as an
// operator puts it there.
func startWithOwnPlugins(t *testing.T, opts options) *hotline {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "plugins")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	installPlugin(t, folder, binaries)
	h := start(t, opts, func(c *demo.Config) { c.PluginDir = folder })
	h.plugins = folder
	return h
}

// signedArchive packs a plugin's folder and signs it, as its publisher does.
func signedArchive(t *testing.T, folder string, key minisign.PrivateKey) string {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	w := tar.NewWriter(zip)
	if err := w.AddFS(os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "plugin.tar.gz")
	for path, data := range map[string][]byte{name: packed.Bytes(), name + ".minisig": minisign.Sign(key, packed.Bytes())} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return name
}

// TestASignedPluginIsInstalledWhileACallerHolds has a caller on hold while the plugin that serves
// the call is exchanged. Music goes on, and the person who takes the call is connected.
func TestASignedPluginIsInstalledWhileACallerHolds(t *testing.T) {
	t.Parallel()
	public, secret, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	h := startWithOwnPlugins(t, acknowledgeFirst)
	archive := signedArchive(t, filepath.Join(binaries, "plugins", "livecall"), secret)
	c := h.onHold()
	before := h.pluginPID()
	if out, err := h.switchboard("plugin", "install", archive); err == nil || !strings.Contains(out, "is not trusted") {
		t.Errorf("an archive of a stranger: %v: %s", err, out)
	}
	if out, err := h.switchboard("plugin", "trust", public.String()); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := h.switchboard("plugin", "install", archive)
	if err != nil || !strings.Contains(out, "the running switchboard uses it, and calls went on") {
		t.Fatalf("%v: %s", err, out)
	}
	h.eventually("another process serves", func() bool { pid := h.pluginPID(); return pid != 0 && pid != before })
	c.Hears(t, "music-")
	a := h.alert("of the caller", func(a alert) bool { return a.Status == "open" })
	h.acknowledge(a.ID, "alice")
	h.takes(alice)
	c.ConnectedTo(t, alice)
	h.converses(c)
	if out, err := h.switchboard("plugin", "install", archive); err != nil {
		t.Errorf("while they talk: %v: %s", err, out)
	}
	c.HangsUp()
	h.over(c, "connected")
	h.clean(h.log)
}

// guideBlocks are the blocks of a page that are marked sh.
var guideBlocks = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// TestTheGuideForPlugins runs every command of docs/write-a-plugin.md, as a reader does, beside a
// host that serves a telephone call all the while; compiling may take longer than a caller holds,
// so they talk with somebody. Then the plugin that came of it must conform.
func TestTheGuideForPlugins(t *testing.T) {
	t.Parallel()
	h := startWithOwnPlugins(t, acknowledgeFirst)
	c := h.onHold()
	h.acknowledge(h.alert("of the caller", func(a alert) bool { return a.Status == "open" }).ID, "alice")
	h.takes(alice)
	c.ConnectedTo(t, alice)
	h.converses(c)
	page, err := os.ReadFile("../docs/write-a-plugin.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	blocks := guideBlocks.FindAllStringSubmatch(string(page), -1)
	for _, m := range blocks {
		script.WriteString(m[1])
	}
	t.Logf("%d blocks", len(blocks))
	if len(blocks) < 4 {
		t.Fatalf("only %d blocks: the guide is not tried", len(blocks))
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script.String())
	cmd.Dir = ".."
	cmd.Env = append(h.environment(), "PATH="+binaries+":"+os.Getenv("PATH"), "TOKEN="+h.Token)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, said)
	}
	for _, want := range []string{"echo 0.1.0 is valid", "echo 0.1.0 is installed (before: none); the running switchboard uses it",
		`{"say":"Good morning. You wrote: help","again":"`, `{"say":"You wrote: is anybody there"`, `{"say":"Goodbye."}`} {
		if !strings.Contains(string(said), want) {
			t.Errorf("the commands do not say %q:\n%s", want, said)
		}
	}
	var chat alert
	h.eventually("the alert of the chat", func() bool {
		for _, a := range h.alerts() {
			if a.Title == "Chat" && a.Status == "resolved" {
				chat = a
			}
		}
		return chat.ID != ""
	}, func() string { return fmt.Sprintf("%+v", h.alerts()) })
	h.inOrder(chat, "is anybody there", "The visitor has left")
	if out, err := h.switchboard("plugin", "remove", "echo"); err == nil || !strings.Contains(out, `is needed by the integration "Chat"`) {
		t.Errorf("removed while it is needed: %v: %s", err, out)
	}
	c.HangsUp()
	h.over(c, "connected")
	conforms(t, "../bin/echo")
}

// conforms runs the contract's suite on the launched example.
func conforms(t *testing.T, dir string) {
	t.Helper()
	p, err := launcher.Launch(context.Background(), launcher.Config{
		Dir: dir, Logger: slog.New(slog.DiscardHandler),
		// A slow machine is no defect.
		Timing: launcher.Timing{Start: time.Minute, Handle: 20 * time.Second, HandleBudget: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	options := []byte(`{"key": "0123456789abcdef"}`)
	const endpoint = "https://hotline.example.com/integrations/int_1"
	integrationtest.TestIntegration(t, integrationtest.Config{
		New:     func(testing.TB) integration.Integration { return p },
		Options: options,
		Webhook: integration.WebhookRequest{
			Method: "POST", URL: endpoint, Path: "/", Body: []byte("Conversation=C1&Text=help"),
			Header: map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Chat-Key": {"0123456789abcdef"}},
			Facts: integration.Facts{
				Now: time.Date(2026, 3, 8, 3, 0, 0, 0, time.UTC), SessionKey: "C1",
				Instance: integration.Instance{
					ID: "int_1", Revision: 1, Options: options, OptionsFormat: 1, EndpointURL: endpoint,
					TokenKey: bytes.Repeat([]byte{7}, 32), State: integration.HostActive, ProtocolMinor: integration.ProtocolMinor,
				},
				Destinations: []integration.Destination{{Kind: integration.DestinationTeam, ID: "devops", Name: "DevOps"}},
			},
		},
	})
}

// TestTheHostKnowsNoPluginByItsID keeps the ids of the plugins out of the host's code: whatever it
// does for one, it does for any. The project's name is also that of its metrics and spans, of what
// it calls its own in PostgreSQL, and a word of examples.
func TestTheHostKnowsNoPluginByItsID(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, path := range []string{"../manifest.json", "../host-sdk/examples/echo-plugin/manifest.json"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var m struct{ ID string }
		if err := json.Unmarshal(text, &m); err != nil || m.ID == "" {
			t.Fatalf("%s: %v", path, err)
		}
		ids[m.ID] = true
	}
	files := 0
	err := filepath.WalkDir("../host-sdk", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "../host-sdk/examples") || strings.HasPrefix(path, "../host-sdk/store/") {
			return err
		}
		files++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, where := range pluginIDs(file, ids) {
			t.Errorf("%s names a plugin by its id", set.Position(where))
		}
		return nil
	})
	if err != nil || files < 100 {
		t.Errorf("looked at %d files, %v", files, err)
	}
	// The test itself can fail.
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x; var a = p == "livecall" || dir == "plugins/echo"`, 0)
	if err != nil || len(pluginIDs(file, ids)) != 2 {
		t.Errorf("of two ids %d are found, %v", len(pluginIDs(file, ids)), err)
	}
}

// pluginIDs finds strings that are the id of a plugin, or a path that ends with one.
func pluginIDs(file *ast.File, ids map[string]bool) (found []token.Pos) {
	exempt := map[ast.Node]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			exempt[n.Path] = true
		case *ast.KeyValueExpr: // of a metric
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Namespace" {
				exempt[n.Value] = true
			}
		case *ast.CallExpr: // of a span
			if fn, ok := n.Fun.(*ast.SelectorExpr); ok && fn.Sel.Name == "Tracer" {
				exempt[n.Args[0]] = true
			}
		case *ast.BasicLit:
			text, err := strconv.Unquote(n.Value)
			if err == nil && !exempt[n] && n.Kind == token.STRING && ids[filepath.Base(text)] {
				found = append(found, n.Pos())
			}
		}
		return true
	})
	return found
}

// environment is that of commands beside the host.
func (h *hotline) environment() []string {
	return append(os.Environ(), "SWITCHBOARD_DATA_DIR="+h.DataDir, "SWITCHBOARD_API_TOKEN="+h.Token, "SWITCHBOARD_PUBLIC_URL="+h.URL, "SWITCHBOARD_PLUGIN_DIR="+h.plugins)
}
