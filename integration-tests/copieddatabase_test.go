package integrationtests

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// copyDatabase runs switchboard db copy for a hotline and returns its status and what it prints.
// Twilio and the database to copy to are those of the environment.
func (h *hotline) copyDatabase(dataDir string, env ...string) (status int, out string) {
	h.t.Helper()
	return h.command(dataDir, env, "db", "copy", "--config", "testdata/hotline.yaml")
}

// command runs a command of switchboard for a hotline and returns its status and what it prints.
func (h *hotline) command(dataDir string, env []string, args ...string) (status int, out string) {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), binaries+"/switchboard", args...)
	cmd.Env = append(append(os.Environ(), "SWITCHBOARD_DATA_DIR="+dataDir, "SWITCHBOARD_API_TOKEN="+h.Token), env...)
	text, _ := cmd.CombinedOutput() // the status says whether it is an error
	return cmd.ProcessState.ExitCode(), string(text)
}

// otherAlert waits for an alert that is open and not the one with this id.
func (h *hotline) otherAlert(id, status string) (found alert) {
	h.t.Helper()
	h.eventually("another alert that is "+status, func() bool {
		i := slices.IndexFunc(h.alerts(), func(a alert) bool { return a.ID != id && a.Status == status })
		if i >= 0 {
			found = h.alerts()[i]
		}
		return i >= 0
	})
	return found
}

// TestACallOnHoldGoesOnAfterTheMoveToPostgreSQL stops switchboard while a caller holds, copies its
// database of SQLite to PostgreSQL, and starts it there. The clock stands still meanwhile, as
// Twilio would ask the stopped host.
func TestACallOnHoldGoesOnAfterTheMoveToPostgreSQL(t *testing.T) {
	t.Parallel()
	database, h := postgres.Database(t), aboutToMove(t)
	if status, out := h.copyDatabase(h.dir, "SWITCHBOARD_DATABASE_URL="+database); status != 1 || !strings.Contains(out, "stop that one") {
		t.Fatalf("while the host runs: status %d: %s", status, out)
	}
	if err := h.StopSwitchboard(); err != nil {
		t.Fatal(err)
	}
	status, out := h.copyDatabase(h.dir, "SWITCHBOARD_DATABASE_URL="+database)
	if status != 0 || !regexp.MustCompile(`(?m)^sessions +2 `).MatchString(out) || !regexp.MustCompile(`(?m)^embedded_alerts +2 `).MatchString(out) {
		t.Fatalf("status %d:\n%s", status, out)
	}
	t.Log(out)
	key, err := os.ReadFile(filepath.Join(h.dir, "secret-key"))
	if err != nil {
		t.Fatal(err)
	}
	h.Setenv("SWITCHBOARD_DATABASE_URL="+database, "SWITCHBOARD_SECRET_KEY="+strings.TrimSpace(string(key)))
	// Whatever is still read from the file would be missed.
	if err := os.Rename(filepath.Join(h.dir, "switchboard.db"), filepath.Join(h.dir, "moved.db")); err != nil {
		t.Fatal(err)
	}
	h.answers(t)
	var record struct{ Story []struct{ Message string } }
	h.eventually("the conversation is in the record", func() bool {
		h.get("/api/v1/calls/"+h.caller.Sid, &record)
		var story []string
		for _, l := range record.Story {
			story = append(story, l.Message)
		}
		text := strings.Join(story, "\n")
		return strings.Contains(text, "chose DevOps") && strings.Contains(text, "is being connected with the caller") && strings.Contains(text, "took ")
	})
	h.hasMessage(t)
	if _, err := os.Stat(filepath.Join(h.dir, "switchboard.db")); !os.IsNotExist(err) {
		t.Errorf("the host has made a database of SQLite again: %v", err)
	}
	if status, out := h.copyDatabase(h.dir, "SWITCHBOARD_DATABASE_URL="+database); status != 1 || !strings.Contains(out, "no database") {
		t.Errorf("without a database: status %d: %s", status, out)
	}
}
