//go:build unix

package testmain_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/internal/testmain"
)

// roleVariable makes the test binary one whose tests do what the value says.
const roleVariable = "TESTMAIN_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(testmain.Run(m))
	}
	os.Exit(testmain.Run(tests(role)))
}

// tests stands for a *testing.M.
type tests string

// Run makes what tests that do not clean up make.
func (role tests) Run() int {
	dir, err := os.MkdirTemp("", "of-a-test-")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "data"), nil, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 7
	}
	testmain.AtEnd(func() { fmt.Println("ended, there:", there(dir)) })
	switch role {
	case "fail":
		return 1
	case "killed":
		self, _ := os.FindProcess(os.Getpid())
		_ = self.Kill()
		select {}
	}
	return 0
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestNothingStaysInTheTemporaryDirectory(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	run := func(role string) (out string, code int, left []string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), roleVariable+"="+role, "TMPDIR="+base)
		text, _ := cmd.CombinedOutput() // the code says how it ended
		entries, err := os.ReadDir(base)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			left = append(left, e.Name())
		}
		return string(text), cmd.ProcessState.ExitCode(), left
	}
	for role, want := range map[string]int{"pass": 0, "fail": 1} {
		out, code, left := run(role)
		if code != want || len(left) != 0 || !strings.Contains(out, "ended, there: true") {
			t.Errorf("%s: code %d, left %q, output %q", role, code, left, out)
		}
	}
	for range 2 { // what the first has left, the second removes
		if out, code, left := run("killed"); code != -1 || len(left) != 1 {
			t.Errorf("killed: code %d, left %q, output %q", code, left, out)
		}
	}
	if out, code, left := run("pass"); code != 0 || len(left) != 0 {
		t.Errorf("after a killed run: code %d, left %q, output %q", code, left, out)
	}
}
