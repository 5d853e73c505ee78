package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const twoWeeks = `
users:
  - {id: alice, name: Alice Example, phones: ["+12025550143"]}
  - {id: bob, name: Bob Example, phones: ["+12025550144"]}
teams:
  - id: devops
    name: DevOps
    members: [alice, bob]
    schedule: {timezone: UTC, layers: [{rotation: {start: "2026-01-05T09:00", every: 1w, users: [alice, bob]}}]}
`

// TestWhoWouldAnswer asks the running host, and, without one, the database itself.
func TestWhoWouldAnswer(t *testing.T) {
	t.Parallel()
	dir := newDir(t, twoWeeks)
	ask := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"whowouldanswer"}, args...)...)
		cmd.Dir = dir
		cmd.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), runVariable + "=1", pluginVariable + "=good",
			"SWITCHBOARD_LISTEN=127.0.0.1:0", "SWITCHBOARD_DATA_DIR=" + filepath.Join(dir, "data"), "SWITCHBOARD_PLUGIN_DIR=" + pluginHome,
		}
		out, _ := cmd.CombinedOutput() // the status is looked at below
		require.Equal(t, want, cmd.ProcessState.ExitCode(), "%s", out)
		return string(out)
	}
	require.Contains(t, ask(1, "--integration", "int_1"), "it contains no database yet")
	require.NoDirExists(t, filepath.Join(dir, "data"), "asking makes nothing")

	p := start(t, dir).ready()
	id := p.create(p.token())
	check := func() {
		t.Helper()
		require.Equal(t, "  Alice Example\n", ask(0, "--integration", id, "--at", "2026-01-06T00:00:00Z"))
		require.Equal(t, "  Bob Example\n", ask(0, "--integration", id, "--at", "2026-01-13T00:00:00Z"))
		require.Equal(t, "  Bob Example\n! 9 is no key\n", ask(1, "--integration", id, "--at", "2026-01-13T00:00:00Z", "--digits", "9"))
		require.Contains(t, ask(1, "--integration", id, "--at", "soon"), `--at "soon" is not a time`)
		require.Contains(t, ask(1, "--integration", "int_none"), "int_none")
		require.Contains(t, ask(1), "--integration")
	}
	check()
	require.FileExists(t, filepath.Join(dir, "data", "address"))
	require.Equal(t, 0, p.stop())
	require.NoFileExists(t, filepath.Join(dir, "data", "address"))
	check()

	// Another host may start afterwards, and finds everything.
	p = start(t, dir).ready()
	status, body := p.send("GET", "/api/v1/integrations/"+id, p.token(), "", "")
	require.Equal(t, 200, status, body)
	require.NoError(t, p.cmd.Process.Kill())
	p.wait()
	require.Equal(t, "  Alice Example\n", ask(0, "--integration", id, "--at", "2026-01-06T00:00:00Z"), "an address that a killed host left is not used")
}
