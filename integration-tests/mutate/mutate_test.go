package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The tests of this package check the sign of a number and stop at three; they check neither zero
// nor what is remembered, and never call unused.
var fixture = map[string]string{
	"go.mod": "module example.com/fixture\n\ngo 1.26\n",
	"fixture.go": `package fixture

var last int

func Sign(n int) string {
	last = n
	if n > 0 && n != 100 {
		return "plus"
	}
	switch {
	case n < 0:
		return "minus"
	}
	return ""
}

func Three() (n int) {
	for n < 3 {
		n++
	}
	return n
}

func unused(a bool) bool {
	const known = 1 == 1
	return !a || known
}
`,
	"fixture_test.go": `package fixture

import (
	"os"
	"testing"
)

func TestSign(t *testing.T) {
	if err := os.WriteFile("left-behind", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if Sign(5) != "plus" || Sign(-5) != "minus" {
		t.Fail()
	}
}

func TestThree(t *testing.T) {
	if Three() != 3 {
		t.Fail()
	}
}
`,
}

func write(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

func lines(mutants []mutant) []string {
	var out []string
	for _, m := range mutants {
		out = append(out, m.String())
	}
	return out
}

func TestSurvivorsAreWhatNoTestChecks(t *testing.T) {
	write(t, fixture)
	before, err := os.ReadFile("fixture.go")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	// The loops that never end are killed by the time-out, so it decides how long this test takes.
	got, err := mutate(t.Context(), options{pkg: ".", parallel: 2, timeout: 15 * time.Second}, &out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"fixture.go:6: removed: last = n"}, lines(got.Survived)); diff != "" {
		t.Errorf("survived (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"fixture.go:26: negated: !a", "fixture.go:26: negated: known"}, lines(got.Unreached)); diff != "" {
		t.Errorf("unreached (-want +got)\n%s", diff)
	}
	if got.Killed != 5 { // n > 0, n != 100, n < 0, n < 3, n++
		t.Errorf("%d killed, want 5\n%s", got.Killed, out.String())
	}
	if diff := cmp.Diff([]string{"fixture.go:19: removed: n++"}, lines(got.Hung)); diff != "" {
		t.Errorf("timed out (-want +got)\n%s", diff)
	}
	if want := "8 mutants tried: 5 killed (62 %, 1 by time-out), 1 survived, 2 unreached"; !strings.Contains(out.String(), want) {
		t.Errorf("the report is\n%s\nwant %q in it", out.String(), want)
	}
	if after, err := os.ReadFile("fixture.go"); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the checkout was changed (%v)", err)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) != len(fixture) {
		t.Errorf("the tests wrote into the checkout: %v (%v)", entries, err)
	}
}

func TestFailingTestsAreAnError(t *testing.T) {
	files := map[string]string{"fixture_test.go": "package fixture\n\nimport \"testing\"\n\nfunc TestNo(t *testing.T) { t.Fatal(\"always\") }\n"}
	for name, text := range fixture {
		if files[name] == "" {
			files[name] = text
		}
	}
	write(t, files)
	if _, err := mutate(t.Context(), options{pkg: ".", parallel: 1}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "without a mutant") {
		t.Errorf("%v", err)
	}
}

func TestInstrumentedSourceKeepsItsLines(t *testing.T) {
	t.Parallel()
	src := fixture["fixture.go"]
	var in instrumenter
	got, err := in.instrument("fixture.go", src)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", got, 0); err != nil {
		t.Errorf("%v in\n%s", err, got)
	}
	if strings.Count(got, "\n") != strings.Count(src, "\n") {
		t.Errorf("the lines moved:\n%s", got)
	}
}

func TestExclusions(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "list")
	text := "# why\n\na.go ¦ negated ¦ x > 0 ¦ x is never 0\na.go ¦ removed ¦ gone() ¦ it was\nb.go ¦ removed ¦ y++ ¦ another package\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := readExclusions(path)
	if err != nil {
		t.Fatal(err)
	}
	mutants := []mutant{{Number: 1, File: "a.go", Kind: negated, Text: "x > 0"}, {Number: 2, File: "a.go", Kind: negated, Text: "y"}}
	rest, stale := exclude(mutants, list)
	if len(rest) != 1 || rest[0].Number != 2 || len(stale) != 1 || stale[0].text != "gone()" {
		t.Errorf("rest %v, stale %v", rest, stale)
	}
	if err := os.WriteFile(path, []byte("a.go ¦ negated ¦ x > 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readExclusions(path); err == nil {
		t.Error("an exclusion without a reason is accepted")
	}
}

func TestTheListOfTheRepositoryCanBeRead(t *testing.T) {
	t.Parallel()
	if _, err := readExclusions("equivalent.txt"); err != nil {
		t.Error(err)
	}
}

func TestOnlyTheFilesThatMatchAreTried(t *testing.T) {
	t.Parallel()
	all := []mutant{{Number: 1, File: "p/a.go"}, {Number: 2, File: "p/b.go"}, {Number: 3, File: "p/ab.go"}}
	got, err := inFiles(all, "a*.go")
	if want := []mutant{all[0], all[2]}; err != nil || !cmp.Equal(want, got) {
		t.Errorf("%v (%v), want %v", got, err, want)
	}
	if got, err := inFiles(all, "b.go,?.go"); err != nil || !cmp.Equal(all[:2], got) {
		t.Errorf("two patterns: %v (%v)", got, err)
	}
	if got, err := inFiles(all, ""); err != nil || len(got) != 3 {
		t.Errorf("no pattern: %v (%v)", got, err)
	}
	for _, pattern := range []string{"c.go", "["} {
		if got, err := inFiles(all, pattern); err == nil {
			t.Errorf("-files %s is accepted: %v", pattern, got)
		}
	}
}

func TestTheSampleIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	var all []mutant
	for n := range 50 {
		all = append(all, mutant{Number: n})
	}
	a, b := sample(all, 10), sample(all, 10)
	if len(a) != 10 || !cmp.Equal(a, b) || len(sample(all, 0)) != 50 || len(sample(all, 99)) != 50 {
		t.Errorf("%v, %v", a, b)
	}
}
