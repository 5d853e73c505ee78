package gendoc

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	begin = "<!-- part: begin (written by go generate; do not edit) -->\n"
	end   = "<!-- part: end -->\n"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	want := "before\n" + begin + "\nnew\n\n" + end + "after\n"
	for name, in := range map[string]string{
		"empty":    "before\n" + begin + end + "after\n",
		"outdated": "before\n" + begin + "\nold\n" + end + "after\n",
		"current":  want,
	} {
		got, err := Replace(in, "part", "new\n")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	for name, in := range map[string]string{
		"no beginning": "before\n" + end,
		"no end":       "before\n" + begin,
		"wrong order":  end + begin,
	} {
		if got, err := Replace(in, "part", "new\n"); err == nil {
			t.Errorf("%s: no error, got %q", name, got)
		}
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte(begin+end), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Update(path, "part", "new\n"); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if want := begin + "\nnew\n\n" + end; err != nil || string(text) != want {
			t.Errorf("%v, got %q, want %q", err, text, want)
		}
	}
	if err := Update(filepath.Join(t.TempDir(), "absent.md"), "part", ""); err == nil {
		t.Error("a missing file is no error")
	}
}
