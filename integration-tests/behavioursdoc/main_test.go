package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root, page = "../..", "../../docs/behaviours.md"

func current(t *testing.T) ([]behaviour, map[int][]proof) {
	t.Helper()
	list, err := parse(behaviours)
	if err != nil {
		t.Fatal(err)
	}
	tests, err := scan(root)
	if err != nil {
		t.Fatal(err)
	}
	return list, tests
}

func TestEachBehaviourHasATest(t *testing.T) {
	t.Parallel()
	list, tests := current(t)
	if len(list) != 79 {
		t.Errorf("%d behaviours, want 79", len(list))
	}
	for _, b := range list {
		if len(tests[b.number]) == 0 {
			t.Errorf("PT-%02d has no test: %s", b.number, b.text)
		}
		own := false // of its own: a range may pass over what it does not look at
		for _, p := range tests[b.number] {
			own = own || !strings.Contains(numbers.FindString(p.test), "to")
		}
		if !own {
			t.Errorf("PT-%02d is named by a range alone: %v", b.number, tests[b.number])
		}
	}
	for n := range tests {
		if n < 1 || n > len(list) {
			t.Errorf("tests %v name behaviour %d, which there is not", tests[n], n)
		}
	}
}

func TestPageIsCurrent(t *testing.T) {
	t.Parallel()
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(render(current(t)), string(got)); diff != "" {
		t.Errorf("docs/behaviours.md is out of date; run: go generate ./integration-tests\n(-want +got)\n%s", diff)
	}
}

func TestNamesThatCount(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "x_test.go", `package x
func TestPT03_Name(t *testing.T) { t.Errorf("PT04 in a message") }
func TestPT05to07Range(t *testing.T) {}
func TestCases(t *testing.T) {
	for _, tc := range []struct{ name string; n int }{{"PT-08 first field", 1}, {name: "PT09 named", n: 2}} { t.Run(tc.name, nil) }
	for name := range map[string]int{"PT-10 key": 1, "no PT11 at the start": 2} { t.Run(name, nil) }
	t.Run("PT12 run", nil)
}
func helperPT13() {}
func (x y) TestPT14() {}
`, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int][]proof{}
	scanFile(file, "dir", out)
	got := map[int]string{}
	for n, p := range out {
		got[n] = p[0].test
	}
	want := map[int]string{3: "TestPT03_Name", 5: "TestPT05to07Range", 6: "TestPT05to07Range", 7: "TestPT05to07Range",
		8: "TestCases/PT-08 first field", 9: "TestCases/PT09 named", 10: "TestCases/PT-10 key", 12: "TestCases/PT12 run"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a gap": "## A\n01 | kept | x\n03 | kept | y\n", "no verdict": "## A\n01 | x\n", "another verdict": "## A\n01 | lost | x\n", "no chapter": "01 | kept | x\n",
	} {
		if list, err := parse(text); err == nil {
			t.Errorf("%s: %v", name, list)
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "page.md")
	if err := write(root, file); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "| PT-79 |") {
		t.Errorf("%v: %.200s", err, text)
	}
	if err := write(filepath.Join(t.TempDir(), "absent"), file); err == nil {
		t.Error("a missing root is no error")
	}
}
