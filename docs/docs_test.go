// Package docs_test holds the documentation to the code: links lead somewhere, quoted Go is Go that
// compiles and runs, the table of settings is complete.
package docs_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// pages are all documents for people, relative to this folder.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"*.md", "../*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			out[path] = read(t, path)
		}
	}
	if len(out) < 7 {
		t.Fatalf("only %d pages: the checks would mean little", len(out))
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fenced  = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
)

// anchors are the fragments of a page's headings: lower case, blanks as hyphens, other punctuation
// left out.
func anchors(page string) []string {
	var out []string
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		out = append(out, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1]))
	}
	return out
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	n, outside := 0, 0
	for path, source := range sources(t, "..") {
		if !strings.HasSuffix(path, ".md") || strings.Contains(path, "testdata/") {
			continue
		}
		path, text := filepath.Join("..", path), string(source)
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") { // not asked here: tests use no network
				if u, err := url.Parse(m[1]); err != nil || u.Scheme != "https" || !strings.Contains(u.Host, ".") {
					t.Errorf("%s: %s is no https address: %v", path, m[1], err)
				}
				outside++
				continue
			}
			n++
			file, fragment, _ := strings.Cut(m[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: link %s: %v", path, m[1], err)
			} else if fragment != "" && !slices.Contains(anchors(read(t, target)), fragment) {
				t.Errorf("%s: link %s: %s has no such heading, but %q", path, m[1], target, anchors(read(t, target)))
			}
		}
	}
	t.Logf("%d links inside, %d to the Internet", n, outside)
	if n < 200 {
		t.Errorf("only %d links found", n)
	}
}

// TestSourcesNamePagesThatExist looks at every mention of a page in programs, files of a release
// and tests.
func TestSourcesNamePagesThatExist(t *testing.T) {
	t.Parallel()
	mention := regexp.MustCompile(`\bdocs/([a-z0-9-]+\.md)\b`)
	n := 0
	for path, text := range sources(t, "..") {
		for _, m := range mention.FindAllSubmatch(text, -1) {
			n++
			if _, err := os.Stat(string(m[1])); err != nil {
				t.Errorf("%s names docs/%s, which does not exist", path, m[1])
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d mentions", n)
	}
}

// TestEveryPageIsInTheIndex wants each page of docs in docs/README.md: what is not there, nobody
// finds.
func TestEveryPageIsInTheIndex(t *testing.T) {
	t.Parallel()
	index := read(t, "README.md")
	for path := range pages(t) {
		if !strings.HasPrefix(path, "../") && path != "README.md" && !strings.Contains(index, "]("+path) {
			t.Errorf("%s is not in docs/README.md", path)
		}
	}
}

// plain is code without indentation and empty lines.
func plain(code string) string {
	var lines []string
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestQuotedGoIsTheCode(t *testing.T) {
	t.Parallel()
	sources := ""
	for _, path := range []string{exampleHost + "main.go", exampleHost + "main_test.go", examplePlugin + "main.go", examplePlugin + "main_test.go", "../plugin/internal/callflow/machine.go"} {
		// A signature alone may be quoted too.
		sources += "\n" + strings.ReplaceAll(plain(read(t, path)), "([]Effect) {", "([]Effect)")
	}
	n := 0
	for path, text := range pages(t) {
		for _, m := range fenced.FindAllStringSubmatch(text, -1) {
			if m[1] != "go" {
				continue
			}
			n++
			if quoted := strings.TrimSuffix(plain(m[2]), "\n"); !strings.Contains(sources, "\n"+quoted) {
				t.Errorf("%s quotes Go that is in none of the examples:\n%s", path, m[2])
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d quotations found", n)
	}
}

// exampleHost is the folder of the host that the host guide consists of.
const exampleHost = "../host-sdk/examples/host/"

// examplePlugin is the folder of the plugin that the guide for plugins consists of.
const examplePlugin = "../host-sdk/examples/echo-plugin/"

// lines are those of a text that are not empty.
func lines(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return line == "" })
}

// TestGuidesContainTheirWholeProgram holds the code of a guide, one block after the other, to the
// file that it tells readers to copy or to write: nothing is left out, and all is in its order.
// Another file that the guide quotes as a whole stands apart.
func TestGuidesContainTheirWholeProgram(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ page, language, program, apart string }{
		{"host-guide.md", "go", exampleHost + "main.go", exampleHost + "main_test.go"},
		{"write-a-plugin.md", "go", examplePlugin + "main.go", examplePlugin + "main_test.go"},
		{"other-languages.md", "js", "../integration-tests/hosts/node/host.mjs", ""},
	} {
		t.Run(tc.page, func(t *testing.T) {
			t.Parallel()
			var apart, quoted []string
			if tc.apart != "" {
				apart = lines(read(t, tc.apart))
			}
			found := 0
			for _, m := range fenced.FindAllStringSubmatch(read(t, tc.page), -1) {
				switch block := lines(m[2]); {
				case m[1] != tc.language:
				case slices.Equal(block, apart):
					found++
				default:
					quoted = append(quoted, block...)
				}
			}
			if diff := cmp.Diff(lines(read(t, tc.program)), quoted); diff != "" {
				t.Errorf("the code of %s is not %s (-file +page):\n%s", tc.page, tc.program, diff)
			}
			if tc.apart != "" && found != 1 {
				t.Errorf("%s has the whole of %s %d times, want once", tc.page, tc.apart, found)
			}
		})
	}
}

// TestREADMEVersions holds the numbers of the table of compatibility to the code.
func TestREADMEVersions(t *testing.T) {
	t.Parallel()
	number := func(path, pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(read(t, path))
		if m == nil {
			t.Fatalf("%s has no %s", path, pattern)
		}
		return m[1]
	}
	table := section(t, read(t, "../README.md"), "Compatibility")
	for _, want := range []string{
		"| 1." + number("../host-sdk/integration/version.go", `(?m)^const ProtocolMinor = (\d+)`) + "; any two parts",
		"session state " + number("../plugin/internal/callflow/call/format.go", `(?m)^const Format = (\d+)`) + ",",
		"tasks " + number("../plugin/internal/app/app.go", `(?m)^const taskFormat = (\d+)`) + ",",
		"paths " + number("../plugin/internal/endpoint/links.go", `(?m)^const PathFormat = (\d+)`) + ",",
		"options " + number("../plugin/internal/options/options.go", `(?m)^const Format = (\d+)`) + ".",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("the table of compatibility does not say %q:\n%s", want, table)
		}
	}
}

// TestVersionsAgree holds every place that names this release to manifest.json.
func TestVersionsAgree(t *testing.T) {
	t.Parallel()
	m := regexp.MustCompile(`"version": "([0-9.]+)"`).FindStringSubmatch(read(t, "../manifest.json"))
	if m == nil {
		t.Fatal("manifest.json names no version")
	}
	for path, pattern := range map[string]string{
		// The newest.
		"../CHANGELOG.md":                         `(?m)^## \[([0-9.]+)\] - \d{4}-\d\d-\d\d$`,
		"../plugin/main.go":                       `(?m)^var version = "([^"]+)"`,
		"../.ci/dist/compose.yaml":                `LIVECALL_VERSION:-([0-9.]+)`,
		"install.md":                              `livecall[_:]([0-9]+\.[0-9]+\.[0-9]+)`,
		"../integration-tests/hosts/node_test.go": `livecall ([0-9.]+) protocol`,
	} {
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, path), -1)
		if len(found) == 0 {
			t.Errorf("%s names no version", path)
		}
		for i, f := range found {
			if f[1] != m[1] && (i == 0 || path != "../CHANGELOG.md") {
				t.Errorf("%s names %s, and manifest.json %s", path, f[1], m[1])
			}
		}
	}
}

// rows are the cells of a page's tables whose first cell is code, by that code.
func rows(page string) (names []string, cells map[string][]string) {
	cells = map[string][]string{}
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		parts := strings.Split(strings.Trim(line, "|"), "|")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		name := strings.Trim(parts[0], "`")
		names, cells[name] = append(names, name), parts
	}
	return names, cells
}

func section(t *testing.T, page, title string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n## "+title+"\n")
	if !found {
		t.Fatalf("no section %q", title)
	}
	body, _, _ := strings.Cut(rest, "\n## ")
	return body
}

// beforeSections is what a page says before its first section.
func beforeSections(page string) string {
	text, _, _ := strings.Cut(page, "\n## ")
	return text
}

func TestSettingsTableIsComplete(t *testing.T) {
	t.Parallel()
	source := read(t, "../host-sdk/cmd/switchboard/internal/settings/settings.go")
	field := regexp.MustCompile("`name:\"([a-z-]+)\"[^`]*env:\"(SWITCHBOARD_[A-Z_]+)\"([^`]*)`")
	_, cells := rows(read(t, "reference-settings.md"))
	known := 0
	for _, m := range field.FindAllStringSubmatch(source, -1) {
		if strings.Contains(m[3], "hidden:") {
			continue
		}
		known++
		row := cells[m[2]]
		if len(row) != 4 || !strings.Contains(row[1], "`--"+m[1]+"`") {
			t.Errorf("%s: the row is %q, want the flag --%s", m[2], row, m[1])
		}
	}
	if known < 10 || len(cells) != known {
		t.Errorf("%d settings in the table, %d in the program", len(cells), known)
	}
}

func TestExampleFileIsInOrder(t *testing.T) {
	t.Parallel()
	var yaml []string
	for _, m := range fenced.FindAllStringSubmatch(beforeSections(read(t, "reference-switchboard-file.md")), -1) {
		if m[1] == "yaml" {
			yaml = append(yaml, m[2])
		}
	}
	if len(yaml) != 2 {
		t.Fatalf("%d examples, want teams and routers", len(yaml))
	}
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	// The routers name a second team.
	whole := yaml[0] + "  - {id: support, name: Support, schedule: {timezone: UTC, layers: [{users: [bob]}]}}\n" + yaml[1]
	if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	if loaded, problems := switchboardfile.Load(path); loaded == nil || len(problems) > 0 {
		t.Errorf("%v", problems)
	}
	_, example, _ := strings.Cut(read(t, "notifications.md"), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	// A team has a schedule, which that page leaves out.
	example += "    schedule: {timezone: UTC, layers: [{users: [alice]}]}\n"
	if loaded, problems := switchboardfile.Parse("switchboard.yaml", []byte(example)); loaded == nil || len(problems) > 0 {
		t.Errorf("notifications.md: %v", problems)
	}
}

func TestPlatformSectionsAreInOrder(t *testing.T) {
	t.Parallel()
	examples := fenced.FindAllStringSubmatch(section(t, read(t, "reference-switchboard-file.md"), "In front of another platform"), -1)
	if len(examples) != 2 {
		t.Fatalf("%d examples, want one of each platform", len(examples))
	}
	for _, m := range examples {
		if file, problems := switchboardfile.Parse("switchboard.yaml", []byte(m[2])); file == nil || file.Platform.Kind == switchboardfile.KindEmbedded {
			t.Errorf("%v", problems)
		}
	}
}

// TestStationsAreFunctions holds the tables of a webhook's way to the code: each row names a file
// and a function in it.
func TestStationsAreFunctions(t *testing.T) {
	t.Parallel()
	station := regexp.MustCompile("(?m)^\\| `([^`]+\\.go)` \\| `(\\w+)` \\|")
	found := station.FindAllStringSubmatch(section(t, read(t, "architecture.md"), "A webhook's way"), -1)
	for _, m := range found {
		if !regexp.MustCompile(`(?m)^func (\([^)]*\) )?` + m[2] + `[(\[]`).MatchString(read(t, filepath.Join("..", m[1]))) {
			t.Errorf("%s has no function %s", m[1], m[2])
		}
	}
	if len(found) < 10 {
		t.Errorf("only %d stations found", len(found))
	}
}
