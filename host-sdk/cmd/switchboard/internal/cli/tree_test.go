package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// withoutJSON are the commands that have no --json, with the reason.
var withoutJSON = map[string]string{
	"serve":                  "it runs until it is stopped; its log has a format of its own",
	"init":                   "it asks a person, and writes files",
	"config sample":          "it prints a file",
	"completion":             "it prints a script",
	"man":                    "it prints a page",
	"platform openapi":       "it prints a document in JSON",
	"platform setup goalert": "it asks a person, and writes files",
}

// leaves are the commands of the program by their path.
func leaves(t *testing.T) map[string]*kong.Node {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Name("switchboard"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*kong.Node{}
	for _, leaf := range parser.Model.Leaves(true) {
		found[strings.TrimPrefix(leaf.FullPath(), "switchboard ")] = leaf
	}
	return found
}

// Every command that answers a question or changes something understands --json.
func TestEveryCommandUnderstandsJSON(t *testing.T) {
	t.Parallel()
	all := leaves(t)
	for path, leaf := range all {
		has := slices.ContainsFunc(leaf.Flags, func(f *kong.Flag) bool { return f.Name == "json" })
		if reason := withoutJSON[path]; has == (reason != "") {
			t.Errorf("switchboard %s: --json is %v, and the reason to have none is %q", path, has, reason)
		}
	}
	for path := range withoutJSON {
		if all[path] == nil {
			t.Errorf("there is no command %q", path)
		}
	}
}

// printed is what a command of the program prints.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if status := Run(t.Context(), args, &out, &errs, Binary{}); status != 0 {
		t.Fatalf("%q: status %d: %s%s", args, status, &out, &errs)
	}
	return out.String()
}

// TestCompletionKnowsEveryCommandAndFlag in each shell, and no hidden one.
func TestCompletionKnowsEveryCommandAndFlag(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script := printed(t, "completion", shell)
		for path, leaf := range leaves(t) {
			for _, flag := range leaf.Flags {
				line, word := fmt.Sprintf("    %q|%q*) COMPREPLY", path, path+" "), "--"+flag.Name
				if shell == "fish" {
					line, word = fmt.Sprintf("'__switchboard_at %q leaf'", path), " -l "+flag.Name
					if !flag.IsBool() {
						word += " -r" // a value follows
					}
				}
				found := slices.ContainsFunc(strings.Split(script, "\n"), func(l string) bool {
					return strings.Contains(l, line) && strings.Contains(l, word) && (shell != "fish" || strings.HasSuffix(l, word))
				})
				if found == flag.Hidden {
					t.Errorf("%s: %s --%s is completed: %v", shell, path, flag.Name, found)
				}
			}
			parent, last := "", path
			if i := strings.LastIndex(path, " "); i >= 0 {
				parent, last = path[:i], path[i+1:]
			}
			line := fmt.Sprintf("    %q) COMPREPLY", parent)
			if shell == "fish" {
				line = fmt.Sprintf("'__switchboard_at %q' -f -a %s", parent, last)
			}
			if !slices.ContainsFunc(strings.Split(script, "\n"), func(l string) bool { return strings.Contains(l, line) && strings.Contains(l, last) }) {
				t.Errorf("%s: %s is not completed", shell, path)
			}
		}
	}
}

// TestBashCompletes what fits where the cursor is, also after flags with values and arguments.
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	script := printed(t, "completion", "bash")
	for line, want := range map[string]string{
		"al":                              "alert",
		"alert li":                        "list",
		"--config x.yaml al":              "alert",
		"-c x.yaml alert li":              "list",
		"alert list --team devops --un":   "--unencrypted --unheard --until",
		"alert list --team = devops --un": "--unencrypted --unheard --until", // as bash splits
		"alert list --team de":            "",
		"alert list --team =":             "",
		"alert list --json --sin":         "--since",
		"alert show 01M8 --js":            "--json",
		"alert show list --js":            "--json",
		"nothing li":                      "",
		"alert nothing li":                "",
	} {
		words := strings.Split(line, " ")
		cmd := exec.Command(bash, "--norc", "-c", script+`
COMP_WORDS=(switchboard "$@"); COMP_CWORD=$#; _switchboard; echo "${COMPREPLY[*]}"`, "bash")
		cmd.Args = append(cmd.Args, words...)
		out, err := cmd.CombinedOutput()
		got := strings.Fields(string(out))
		slices.Sort(got)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q is completed by %q (%v), want %q", line, got, err, want)
		}
	}
}

// TestEveryCommandHasAManualPage with its arguments and flags, and the page of the program names
// them all.
func TestEveryCommandHasAManualPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all, common := leaves(t), map[string]bool{}
	for _, flag := range flagsOf(all["serve"]) {
		common[flag.Name] = true
	}
	if out := printed(t, "man", "--dir", dir); !strings.Contains(out, fmt.Sprintf("%d pages", len(all)+1)) {
		t.Errorf("man --dir says %q, want %d pages", out, len(all)+1)
	}
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	whole := read("switchboard")
	if whole != printed(t, "man") {
		t.Error("switchboard.1 is not what man prints")
	}
	for path, leaf := range all {
		page := read("switchboard-" + strings.ReplaceAll(path, " ", "-"))
		want := []string{".B " + roff("switchboard "+path), roff(firstSentence(leaf.Help)), ".BR switchboard (1)"}
		for _, arg := range leaf.Positional {
			want = append(want, ".B "+roff(arg.Summary()))
		}
		for _, flag := range flagsOf(leaf) {
			if path == "serve" || !common[flag.Name] {
				want = append(want, ".B "+roff(flag.String()))
			}
		}
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s: the page has no %q", path, text)
			}
		}
		if !strings.Contains(whole, ".SS "+roff(path)+"\n") {
			t.Errorf("the page of the program has no %q", path)
		}
	}
}
