package docs_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/schema"
)

// edit changes the text of one file of a recipe.
type edit func(t *testing.T, text string) string

// TestRecipes follows the recipes of CONTRIBUTING.md in a copy of the repository: it edits the
// files that a recipe lists, generates, and runs the tests that would notice a place the recipe
// forgot.
func TestRecipes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds and tests a copy of the repository")
	}
	option, prompt := recipe(t, "Add an option"), recipe(t, "Change a prompt")
	edits := map[string]edit{
		"schema/options.schema.json":              addToSchema,
		"plugin/internal/options/options.go":      addToOptions,
		"plugin/internal/options/options_test.go": addToOptionsTest,
		"docs/reference-options.md":               nil, // generated
		"plugin/internal/prompts/texts/en.json":   reword,
		"plugin/internal/prompts/texts/de.json":   reword,
		"plugin/internal/prompts/texts/es.json":   reword,
		"plugin/internal/prompts/texts/fr.json":   reword,
	}
	root := copyModule(t)
	var changed []string
	for path, change := range edits {
		if !slices.Contains(option, path) && !slices.Contains(prompt, path) {
			t.Fatalf("no recipe lists %s", path)
		}
		if change != nil {
			write(t, filepath.Join(root, path), change(t, read(t, filepath.Join(root, path))))
		}
		changed = append(changed, path)
	}
	for _, path := range slices.Concat(option, prompt) {
		if _, known := edits[path]; !known {
			t.Errorf("a recipe lists %s, which this test does not edit", path)
		}
	}
	run(t, root, "generate", "./plugin/internal/options")
	run(t, root, append([]string{"test"}, append(buildFlags(),
		append(pluginParts(t), "./schema", "./host-sdk/form")...)...)...)

	slices.Sort(changed)
	if diff := cmp.Diff(changed, differences(t, "..", root)); diff != "" {
		t.Errorf("files changed by following the recipes (-listed +changed):\n%s", diff)
	}
	guide := read(t, filepath.Join(root, "docs/reference-options.md"))
	if row := "| `made_up_pause` | Made-Up Pause | 7 s | A pause that this test invents. 0 to 15 seconds. |\n"; !strings.Contains(guide, row) {
		t.Error("the guide has no row for the new option")
	}
}

// pluginParts lists the plugin's packages, except for the call flow: its tests are long, and it
// knows neither the form nor any words.
func pluginParts(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("../plugin/internal")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.Name() != "callflow" {
			out = append(out, "./plugin/internal/"+e.Name()+"/...")
		}
	}
	return out
}

// recipe returns the files that a recipe of CONTRIBUTING.md lists, one at the beginning of each
// item.
func recipe(t *testing.T, title string) []string {
	t.Helper()
	_, rest, found := strings.Cut(read(t, "../CONTRIBUTING.md"), "\n### "+title+"\n")
	if !found {
		t.Fatalf("CONTRIBUTING.md has no recipe %q", title)
	}
	body, _, _ := strings.Cut(rest, "\n#")
	var files []string
	for _, m := range regexp.MustCompile("(?m)^[0-9]+\\. `([^`]+)`").FindAllStringSubmatch(body, -1) {
		// An item may list files by a pattern.
		matches, err := filepath.Glob(filepath.Join("..", m[1]))
		if err != nil || len(matches) == 0 {
			t.Fatalf("recipe %q: no file is named %s (%v)", title, m[1], err)
		}
		for _, match := range matches {
			files = append(files, filepath.ToSlash(strings.TrimPrefix(match, ".."+string(filepath.Separator))))
		}
	}
	if len(files) == 0 {
		t.Fatalf("recipe %q lists no files", title)
	}
	return files
}

// insert puts text behind the first place where marker stands.
func insert(t *testing.T, in, marker, text string) string {
	t.Helper()
	before, after, found := strings.Cut(in, marker)
	if !found {
		t.Fatalf("there is no %q to insert %q behind: adapt this test", marker, text)
	}
	return before + marker + text + after
}

func addToSchema(t *testing.T, text string) string {
	t.Helper()
	// In the first place, so that all other options move.
	return insert(t, text, `"properties": {`+"\n", `"made_up_pause": {"title": "Made-Up Pause", "description": "A pause that this test invents.",
		"type": "integer", "default": 7, "minimum": 0, "maximum": 15, "x-unit": "seconds", "x-group": "account"},`+"\n")
}

func addToOptions(t *testing.T, text string) string {
	t.Helper()
	text = insert(t, text, "type document struct {\n", "\tMadeUpPause int `mapstructure:\"made_up_pause\"`\n")
	text = insert(t, text, "type Options struct {\n", "\tMadeUpPause time.Duration\n")
	return insert(t, text, "\to := Options{\n", "\t\tMadeUpPause: time.Duration(d.MadeUpPause) * time.Second,\n")
}

func addToOptionsTest(t *testing.T, text string) string {
	t.Helper()
	before, after, found := strings.Cut(text, "func TestEveryOptionArrives(")
	if !found {
		t.Fatal("no TestEveryOptionArrives: adapt this test")
	}
	after = insert(t, after, "document := doc(map[string]any{\n", "\t\t\"made_up_pause\": 3,\n")
	after = insert(t, after, "want := Options{\n", "\t\tMadeUpPause: 3 * time.Second,\n")
	before = insert(t, before, "want := Options{\n", "\t\tMadeUpPause: 7 * time.Second,\n")
	return before + "func TestEveryOptionArrives(" + after
}

var word = regexp.MustCompile(`\{[a-z]+\}|\pL+`)

// reword replaces every word of every prompt, except for the sentences of the menu, which behaviour
// PT-31 gives word by word.
func reword(t *testing.T, text string) string {
	t.Helper()
	var prompts map[string]string
	if err := json.Unmarshal([]byte(text), &prompts); err != nil {
		t.Fatal(err)
	}
	for key, said := range prompts {
		if strings.HasPrefix(key, "press") {
			continue
		}
		prompts[key] = word.ReplaceAllStringFunc(said, func(w string) string {
			if strings.HasPrefix(w, "{") { // a place to be filled
				return w
			}
			return "other" + w
		})
	}
	out, err := json.MarshalIndent(prompts, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestNoOtherFileListsTheOptions finds lists of options that an added option would have to join.
func TestNoOtherFileListsTheOptions(t *testing.T) {
	t.Parallel()
	var form struct{ Properties map[string]any }
	if err := json.Unmarshal(schema.Options(), &form); err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile("[\"`]([a-z0-9_]+)[\"`:]")
	listed := recipe(t, "Add an option")
	found := 0
	for path, text := range sources(t, "..") {
		named := map[string]bool{}
		// Once over each file: there are many options.
		for _, m := range quoted.FindAllSubmatch(text, -1) {
			if _, option := form.Properties[string(m[1])]; option {
				named[string(m[1])] = true
			}
		}
		n := len(named)
		switch all := n > len(form.Properties)*3/4; {
		case slices.Contains(listed, path):
			found++
		case all:
			t.Errorf("%s names %d of %d options, but the recipe does not list it", path, n, len(form.Properties))
		}
	}
	if found != len(listed) {
		t.Errorf("found %d of the %d files that the recipe lists", found, len(listed))
	}
}

// sources reads the files of the repository, without what builds and tools leave behind.
func sources(t *testing.T, root string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{".git", ".ci", "bin", "dist", "node_modules", "switchboard-data"}, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		// Such as .git in a worktree: it is a file there, and sockets of other tests.
		if !d.Type().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(path)
		files[filepath.ToSlash(relative)] = content
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(files, ".git")
	return files
}

func copyModule(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for path, content := range sources(t, "..") {
		write(t, filepath.Join(root, path), string(content))
	}
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// differences lists the files that differ in two folders, sorted.
func differences(t *testing.T, a, b string) []string {
	t.Helper()
	before, after := sources(t, a), sources(t, b)
	var out []string
	for path, content := range after {
		if old, ok := before[path]; !ok || !bytes.Equal(old, content) {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// buildFlags lets the build cache serve the copy, too: -trimpath if this test was built with it.
// The race detector would only make the copy's tests slow; the repository's own have it, and are
// vetted.
func buildFlags() []string {
	flags := []string{"-vet=off", "-ldflags=-s -w"}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-trimpath" && s.Value == "true" {
				flags = append(flags, s.Key)
			}
		}
	}
	return flags
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
