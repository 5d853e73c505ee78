package vitals

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

var update = flag.Bool("update", false, "write the table of metrics into docs/monitoring.md")

// docs is the folder of the documentation.
var docs = filepath.Join("..", "..", "..", "..", "..", "..", "docs")

// described is a metric of the product.
type described struct{ name, labels, help string }

var descText = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "((?:[^"\\]|\\.)*)".*variableLabels: \{([^}]*)\}\}$`)

// metrics are all metrics of the product by name, without those of the Go runtime and the process.
func metrics(t *testing.T) []described {
	t.Helper()
	_, registry, _ := measured(t)
	descs := make(chan *prometheus.Desc, 1000)
	registry.Describe(descs)
	close(descs)
	var out []described
	for d := range descs {
		m := descText.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("the description of a metric looks different now: %s", d)
		}
		if strings.HasPrefix(m[1], "go_") || strings.HasPrefix(m[1], "process_") {
			continue
		}
		out = append(out, described{name: m[1], help: strings.ReplaceAll(m[2], `\"`, `"`), labels: strings.ReplaceAll(m[3], ",", ", ")})
	}
	slices.SortFunc(out, func(a, b described) int { return strings.Compare(a.name, b.name) })
	if len(out) < 25 {
		t.Fatalf("only %d metrics: the checks would mean little", len(out))
	}
	return out
}

func TestEveryMetricIsDocumented(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	table.WriteString("| metric | labels | meaning |\n|---|---|---|\n")
	for _, m := range metrics(t) {
		labels := "`" + m.labels + "`"
		if m.labels == "" {
			labels = ""
		}
		if !strings.HasSuffix(m.help, ".") {
			t.Errorf("%s: its help is no sentence: %q", m.name, m.help)
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", m.name, labels, m.help)
	}
	path := filepath.Join(docs, "monitoring.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- metrics: begin -->\n", "<!-- metrics: end -->"
	before, rest, _ := strings.Cut(string(page), begin)
	_, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("%s has no marks of the table", path)
	}
	if want := before + begin + "\n" + table.String() + "\n" + end + after; want != string(page) {
		if !*update {
			t.Fatalf("%s does not list the metrics as they are: run this test with -update", path)
		}
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A rule about a metric that does not exist never fires, and nobody notices.
func TestRulesAndDashboardNameMetricsThatExist(t *testing.T) {
	t.Parallel()
	var names []string
	for _, m := range metrics(t) {
		names = append(names, m.name)
	}
	metric := regexp.MustCompile(`\b(?:livecall|switchboard)_[a-z0-9_]+`)
	suffix := regexp.MustCompile(`_(bucket|count|sum)$`)
	for _, file := range []string{"rules.yaml", "rules_test.yaml", "dashboard.json"} {
		text, err := os.ReadFile(filepath.Join(docs, "monitoring", file))
		if err != nil {
			t.Fatal(err)
		}
		found := metric.FindAllString(string(text), -1)
		if len(found) < 15 {
			t.Errorf("%s names only %d metrics", file, len(found))
		}
		for _, name := range found {
			if !slices.Contains(names, name) && !slices.Contains(names, suffix.ReplaceAllString(name, "")) {
				t.Errorf("%s names %s, which does not exist", file, name)
			}
		}
	}
}
