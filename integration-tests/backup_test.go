package integrationtests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestACallOnHoldIsAnsweredAfterARestore backs up while a caller holds and switchboard runs, loses
// the machine, and restores on another one. The clock stands still meanwhile, as Twilio would ask
// the lost host.
func TestACallOnHoldIsAnsweredAfterARestore(t *testing.T) {
	t.Parallel()
	h := aboutToMove(t)
	archive := filepath.Join(t.TempDir(), "backup.tar.gz")
	if status, out := h.command(h.dir, nil, "backup", "--config", "testdata/hotline.yaml", "--to", archive); status != 0 {
		t.Fatalf("status %d:\n%s", status, out)
	}
	key, err := os.ReadFile(filepath.Join(h.dir, "secret-key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.KillSwitchboard(); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "data")
	env := "SWITCHBOARD_SECRET_KEY=" + strings.TrimSpace(string(key))
	if status, out := h.command(elsewhere, []string{env}, "restore", "--config", "testdata/hotline.yaml", archive); status != 0 {
		t.Fatalf("status %d:\n%s", status, out)
	}
	h.Setenv(env)
	h.DataDir = elsewhere
	h.answers(t)
	h.hasMessage(t)
}
