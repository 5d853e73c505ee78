package docs_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block is a fenced part of a page.
type block struct {
	line     int    // of its fence
	note     string // what the comment right above the fence says
	language string
	text     string // without the indentation of its fence
}

var (
	fence   = regexp.MustCompile("^( *)```([a-z]*)$")
	comment = regexp.MustCompile(`^ *<!-- (.+) -->$`)
)

// blocksOf finds the blocks of a page, also those in lists, which are indented.
func blocksOf(page string) []block {
	var out []block
	var open *block
	above, indent := "", ""
	for n, line := range strings.Split(page, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case open != nil && m != nil && m[1] == indent && m[2] == "":
			out, open = append(out, *open), nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		case m != nil:
			indent = m[1]
			open = &block{line: n + 1, language: m[2]}
			if c := comment.FindStringSubmatch(above); c != nil {
				open.note = c[1]
			}
		}
		above = line
	}
	return out
}

// runBy names, for each page with blocks marked sh, the test that runs them.
var runBy = map[string]struct{ test, file string }{
	"tutorial-simulator.md": {"TestTutorialWithTheSimulator", "story_test.go"},
	"operator-guide.md":     {"TestCommandsOfPages", "commands_test.go"},
	"several-hosts.md":      {"TestCallsGoOnAfterARecoveryToAPointInTime", "../integration-tests/recovery_test.go"},
	"accounts.md":           {"TestCommandsOfPages", "commands_test.go"},
	"backup.md":             {"TestCommandsOfPages", "commands_test.go"},
	"tutorial-twilio.md":    {"TestCommandsOfPages", "commands_test.go"},
	"write-a-plugin.md":     {"TestTheGuideForPlugins", "../integration-tests/plugins_test.go"},
}

// heldTo names, for the other languages, the test that holds every block to the code, or to the
// program that reads it.
var heldTo = map[string]string{
	"go":      "TestQuotedGoIsTheCode",
	"js":      "TestGuidesContainTheirWholeProgram",
	"caddy":   "TestProxies",
	"nginx":   "TestProxies",
	"mermaid": "TestDocumentationIsCurrent",
}

// TestEveryBlockIsTriedOrSaysWhyNot wants of each block either a test that runs or reads it, or a
// comment right above it that says "not run:", or "not read:" of what is no command, with the
// reason.
func TestEveryBlockIsTriedOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	count := map[string]int{}
	for path, text := range pages(t) {
		for _, b := range blocksOf(text) {
			by, ran := runBy[path]
			_, held := heldTo[b.language]
			excused := regexp.MustCompile(`^not (run|read): .{10}`).MatchString(b.note)
			switch {
			case b.language == "sh" && !ran:
				t.Errorf("%s:%d is marked sh, but no test runs it: run it, or mark it text and say why above it", path, b.line)
			case b.language == "sh":
				count["run"]++
				if file := read(t, by.file); !strings.Contains(file, "func "+by.test+"(") || !strings.Contains(file, path) {
					t.Errorf("%s has no %s that runs %s", by.file, by.test, path)
				}
			case held:
				count["held to the code or to the program that reads it"]++
			case strings.HasSuffix(b.note, "prints"), strings.HasPrefix(b.note, "checked by "):
				count["compared with what is printed or read"]++
			case !excused:
				t.Errorf("%s:%d is neither run nor held to anything: mark it sh, or write <!-- not run: why --> above it", path, b.line)
			default:
				count["with a reason"]++
			}
		}
	}
	var said []string
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		said = append(said, fmt.Sprintf("%d %s", count[kind], kind))
	}
	t.Log("blocks: " + strings.Join(said, ", "))
	if count["run"] < 12 {
		t.Errorf("only %d blocks are run", count["run"])
	}
}

// TestBlocksOf finds indented blocks and the comment above a fence, and takes no other comment for
// it.
func TestBlocksOf(t *testing.T) {
	t.Parallel()
	got := blocksOf("<!-- far -->\n\n```sh\na\n```\n1. x:\n\n   <!-- not run: why -->\n   ```text\n   b\n     c\n   ```\n")
	want := []block{{3, "", "sh", "a\n"}, {9, "not run: why", "text", "b\n  c\n"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
