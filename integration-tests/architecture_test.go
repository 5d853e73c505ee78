package integrationtests

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/livecallrouting/livecall"

type goPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Standard   bool
	Module     *struct{ Path string }
}

// packages lists every package of the module with its direct imports and all its dependencies.
func packages(t *testing.T) map[string]goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps,Standard,Module", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]goPackage{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// pluginParts says which parts of the plugin a part may import. Only app, which is not listed, may
// import any.
var pluginParts = map[string][]string{
	"prompts": nil, "twiml": nil, "twilio": nil, "music": nil,
	// The call flow, from what it is made of to what uses it.
	"callflow/reply": nil, "callflow/effect": nil,
	"callflow/call":      {"callflow/reply"},
	"callflow/config":    {"callflow/reply"},
	"callflow/event":     {"callflow/call"},
	"callflow/wording":   {"callflow/call"},
	"callflow/draft":     {"callflow/call", "callflow/effect", "callflow/wording"},
	"callflow":           {"callflow/call", "callflow/config", "callflow/draft", "callflow/effect", "callflow/event", "callflow/reply", "callflow/wording"},
	"callflow/rehearsal": {"callflow", "callflow/call", "callflow/config", "callflow/effect", "callflow/event", "callflow/reply"},
	"options":            {"callflow/config"},
	"endpoint":           {"callflow", "callflow/config", "callflow/event", "callflow/reply", "music", "options", "twilio", "twiml"},
	"render":             {"callflow/event", "callflow/reply", "endpoint", "options", "prompts", "twiml"},
	"actions": {"callflow/call", "callflow/config", "callflow/draft", "callflow/effect", "callflow/rehearsal", "callflow/reply",
		"endpoint", "options", "render", "soundcheck", "twilio", "twiml"},
	"soundcheck": {"options"},
}

// generatesOrTests are packages beside the plugin's parts, such as optionsdoc and twimltest.
var generatesOrTests = regexp.MustCompile(`(doc|test)$`)

// TestDependencyRule holds docs/architecture.md's rule against what the packages really import, all
// the way down.
func TestDependencyRule(t *testing.T) {
	t.Parallel()
	all := packages(t)
	ours := func(p string) string { return strings.TrimPrefix(strings.TrimPrefix(p, module), "/") }
	within := func(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }
	seen := map[string]bool{}
	for path, p := range all {
		if p.Standard || !strings.HasPrefix(path, module) {
			continue
		}
		me := ours(path)
		seen[me] = true
		part, inside := strings.CutPrefix(me, "plugin/internal/")
		uses, listed := pluginParts[part]
		if inside && !listed && part != "app" && !generatesOrTests.MatchString(part) {
			t.Errorf("%s is not in pluginParts: say which parts of the plugin it may import", me)
		}
		deny := func(dep, why string) { t.Errorf("%s must not import %s: %s", me, dep, why) }
		for _, dep := range p.Deps {
			d, own := all[dep], strings.HasPrefix(dep, module)
			target := ours(dep)
			switch {
			case slices.Contains([]string{"host-sdk/integration", "schema"}, me) && !d.Standard:
				deny(dep, "standard library only")
			case within(me, "plugin/internal/callflow") && me != "plugin/internal/callflow/diagramdoc" && !d.Standard && target != "host-sdk/integration" && !within(target, "plugin/internal/callflow"):
				deny(dep, "the call is decided with the standard library and the contract's values only")
			case slices.Contains([]string{"host-sdk/integration/integrationtest", "host-sdk/platform/platformtest", "host-sdk/store/storetest"}, me) && !d.Standard && !own:
				deny(dep, "conformance suites: standard library and the contract only")
			case within(me, "plugin") && own && slices.ContainsFunc([]string{"host-sdk/engine", "host-sdk/store", "host-sdk/platform", "host-sdk/launcher", "host-sdk/webhook"}, func(root string) bool { return within(target, root) }):
				deny(dep, "the plugin knows the contract and the transport, not the host")
			case within(me, "host-sdk") && own && within(target, "plugin"):
				deny(dep, "the host knows no plugin")
			case me == "host-sdk/webhook" && own && within(target, "host-sdk/engine"):
				deny(dep, "webhook hands the contract's request to an interface of its own")
			case within(me, "host-sdk") && strings.HasPrefix(dep, "github.com/twilio/"):
				deny(dep, "the host knows no Twilio")
			case !within(me, "integration-tests") && own && within(target, "integration-tests"):
				deny(dep, "product code does not use test code")
			case within(me, "host-sdk/form") && own && (within(target, "host-sdk/engine") || within(target, "host-sdk/store")):
				deny(dep, "forms are bytes in and bytes out")
			case within(target, "host-sdk/cmd/switchboard/internal/hosttest"):
				deny(dep, "hosttest is for _test files alone") // which are not among these packages
			case dep == "github.com/twilio/twilio-go":
				deny(dep, "the root package compiles every product of Twilio; use client and rest/api/v2010")
			}
		}
		for _, dep := range p.Imports {
			target := ours(dep)
			if strings.Contains(dep, module+"/host-sdk/internal/pb") && !within(me, "host-sdk/internal/wire") && !within(me, "host-sdk/internal/pb") {
				deny(dep, "generated code is imported by internal/wire alone")
			}
			if listed && within(target, "plugin/internal") && !slices.Contains(uses, strings.TrimPrefix(target, "plugin/internal/")) {
				deny(dep, "see pluginParts: only app joins all of the plugin's parts")
			}
		}
	}
	looked := []string{"host-sdk/integration", "host-sdk/engine", "plugin/internal/app", "schema"}
	for part := range pluginParts {
		looked = append(looked, "plugin/internal/"+part)
	}
	for _, must := range looked {
		if !seen[must] {
			t.Errorf("package %s was not looked at: the rule is not checked", must)
		}
	}
}

// TestHostNamesNoTwilio keeps the foreign service's words out of the host's code: another plugin
// must fit as well.
func TestHostNamesNoTwilio(t *testing.T) {
	t.Parallel()
	word := regexp.MustCompile(`(?i)twilio|twiml|\b(CallSid|AccountSid|QueueSid|RecordingSid|Enqueue|Gather|DialCallStatus)\b`)
	files := 0
	err := filepath.WalkDir("../host-sdk", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "platform/goalert") {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		for i, line := range strings.Split(string(text), "\n") {
			if m := word.FindString(line); m != "" {
				t.Errorf("%s:%d names %q", path, i+1, m)
			}
		}
		return err
	})
	if err != nil || files < 20 {
		t.Errorf("looked at %d files, %v", files, err)
	}
}

// TestPackagesWithoutTheRaceDetectorStartNoGoroutines: make test-go leaves it out where the
// Makefile's PURE says so.
func TestPackagesWithoutTheRaceDetectorStartNoGoroutines(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "PURE     := $(addprefix ./,")
	list, _, found := strings.Cut(list, ")")
	packages := strings.Fields(strings.ReplaceAll(list, "\\", ""))
	if !found || len(packages) < 10 {
		t.Fatalf("PURE is not in the Makefile as it was: %q", packages)
	}
	for _, name := range packages {
		root := filepath.Join("..", filepath.FromSlash(strings.TrimSuffix(name, "/...")))
		files := 0
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files++
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if _, starts := n.(*ast.GoStmt); starts {
					t.Errorf("%s starts a goroutine: take its package out of PURE", path)
				}
				return true
			})
			return nil
		})
		if err != nil || files == 0 {
			t.Errorf("%s: %d files, %v", name, files, err)
		}
	}
}

// TestComponentsHaveATarget sees that tests which need Chromium or npm are among those that make
// test-browser and make test-npm run: make check passes over them.
func TestComponentsHaveATarget(t *testing.T) {
	t.Parallel()
	needs := regexp.MustCompile(`(?:browser\.Open|renderers\.Axe|newStory|draw|Axe|Modules|oaicheck\.ForTest)\(|component\.NPM`)
	begins := regexp.MustCompile(`^func (Test\w+)\(t \*testing\.T\)`)
	found := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") || path == "architecture_test.go" {
			return err
		}
		text, err := os.ReadFile(path)
		test, dir := "", filepath.ToSlash(filepath.Dir(path))
		for i, line := range strings.Split(string(text), "\n") {
			if m := begins.FindStringSubmatch(line); m != nil {
				test = m[1]
			} else if strings.HasPrefix(line, "func ") {
				test = "" // of no test's own
			}
			if test == "" || !needs.MatchString(line) {
				continue
			}
			found++
			run := dir == "browser" || dir == "renderers" || dir == "." && strings.HasPrefix(test, "TestStory") ||
				strings.HasPrefix(dir, "twiliosim") && strings.HasPrefix(test, "TestOpenAPI") || dir == "hosts" && strings.HasPrefix(test, "TestNode")
			if !run {
				t.Errorf("%s:%d: neither make test-browser nor make test-npm runs %s", path, i+1, test)
			}
		}
		return err
	})
	if err != nil || found < 10 {
		t.Errorf("%d tests with a component, %v", found, err)
	}
}

// TestTestsHaveATemporaryDirectoryOfTheirOwn sees that tests which make files or start programs do
// so in the directory of package testmain, so that they leave nothing, even when they are killed.
func TestTestsHaveATemporaryDirectoryOfTheirOwn(t *testing.T) {
	t.Parallel()
	makes := regexp.MustCompile(`\.TempDir\(\)|MkdirTemp\(|CreateTemp\(|demo\.Start\(|browser\.Open\(|programs\.|postgres\.Database\(|testscript\.`)
	// Which testmain uses.
	needs, has := map[string]bool{}, map[string]bool{"../internal/tempdir": true}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && len(d.Name()) > 2 && d.Name()[0] == '.' {
			return filepath.SkipDir // tools, and sources of the previous release
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") || path == "architecture_test.go" {
			return err
		}
		text, err := os.ReadFile(path)
		dir := filepath.ToSlash(filepath.Dir(path))
		needs[dir] = needs[dir] || makes.Match(text)
		has[dir] = has[dir] || strings.Contains(string(text), "testmain.")
		return err
	})
	for dir, need := range needs {
		if need && !has[dir] {
			t.Errorf("%s: what its tests make may stay in the temporary directory: let TestMain call testmain.Run", dir)
		}
	}
	if err != nil || len(needs) < 50 {
		t.Errorf("%d packages, %v", len(needs), err)
	}
}
