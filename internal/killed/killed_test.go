package killed

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/internal/testmain"
)

// TestBefore has a shell write a file and rename it, and be killed before each.
func TestBefore(t *testing.T) {
	t.Parallel()
	whole, _, err := play(t, t.TempDir(), 0)
	if errors.Is(err, ErrUnsupported) {
		t.Skip(err)
	}
	want := []string{"create a", "write a", "rename a", "remove c"}
	if err != nil || !slices.Equal(whole, want) {
		t.Fatalf("the changes are %q, want %q; %v", whole, want, err)
	}
	for n, left := range []string{"c", "a: c", "a:text c", "b:text c", "b:text"} {
		dir := t.TempDir()
		changes, died, err := play(t, dir, n+1)
		if err != nil || died != (n < len(want)) || !slices.Equal(changes, want[:min(n+1, len(want))]) {
			t.Errorf("before change %d: %q, died %v, %v", n+1, changes, died, err)
		}
		if found := listed(t, dir); found != left {
			t.Errorf("killed before change %d, the folder has %q, want %q", n+1, found, left)
		}
	}
}

// play runs a script whose result depends on when it is killed.
func play(t *testing.T, dir string, n int) ([]string, bool, error) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "c"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// One program: another one would not be followed.
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "KILLED_TEST_FOLDER="+dir)
	cmd.Stderr = os.Stderr
	return Before(cmd, dir, n)
}

// listed are the files of a folder with their content.
func listed(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		name := e.Name()
		if name != "c" {
			name += ":" + string(text)
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("KILLED_TEST_FOLDER"); dir != "" {
		err := errors.Join(
			os.WriteFile(filepath.Join(dir, "a"), []byte("text"), 0o600),
			os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "b")),
			os.Remove(filepath.Join(dir, "c")),
		)
		if err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(testmain.Run(m))
}

func TestWorth(t *testing.T) {
	t.Parallel()
	var changes []string
	for _, c := range []string{"create", "write", "sync", "rename"} {
		changes = append(changes, c)
		for range 20 {
			if c == "write" {
				changes = append(changes, c)
			}
		}
	}
	if got, want := Worth(changes, 0), []int{1, 2, 17, 23, 24}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for i := range 100 {
		changes = append(changes, string(rune('a'+i%2)))
	}
	if got := Worth(changes, 20); len(got) != 20 || got[0] != 1 || got[19] != len(changes) {
		t.Errorf("%v: want 20, from the first to the last", got)
	}
}
