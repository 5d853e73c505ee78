package integrationtests

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/pace"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// copyDatabase runs switchboard db copy for a hotline and returns its status and what it prints. Twilio
// and the database to copy to are those of the environment.
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
// database of SQLite to PostgreSQL, and starts it there. The clock stands still meanwhile, as Twilio
// would ask the stopped host.
func TestACallOnHoldGoesOnAfterTheMoveToPostgreSQL(t *testing.T) {
	t.Parallel()
	database, leader, dir := postgres.Database(t), leaderFrom(time.Now(), pace.Fastest), filepath.Join(t.TempDir(), "data")
	h := start(t, voicemail, func(c *demo.Config) { c.DataDir, c.Env, c.Clock = dir, nil, leader.Followers() })
	before := h.onHold()
	before.Presses("*")
	h.leavesMessage(before)
	before.Hears(t, "thank")
	before.Ended(t)
	message := h.alert("with the message", func(a alert) bool { return len(a.Attachments) == 1 })
	_, sound := h.fetch(message.Attachments[0].URL, true)

	c := h.onHold()
	waits := h.otherAlert(message.ID, "open")
	release := sync.OnceFunc(pacer.Hold(leader))
	t.Cleanup(release)
	if status, out := h.copyDatabase(dir, "SWITCHBOARD_DATABASE_URL="+database); status != 1 || !strings.Contains(out, "stop that one") {
		t.Fatalf("while the host runs: status %d: %s", status, out)
	}
	if err := h.StopSwitchboard(); err != nil {
		t.Fatal(err)
	}
	status, out := h.copyDatabase(dir, "SWITCHBOARD_DATABASE_URL="+database)
	if status != 0 || !regexp.MustCompile(`(?m)^sessions +2 `).MatchString(out) || !regexp.MustCompile(`(?m)^embedded_alerts +2 `).MatchString(out) {
		t.Fatalf("status %d:\n%s", status, out)
	}
	t.Log(out)
	key, err := os.ReadFile(filepath.Join(dir, "secret-key"))
	if err != nil {
		t.Fatal(err)
	}
	h.Setenv("SWITCHBOARD_DATABASE_URL="+database, "SWITCHBOARD_SECRET_KEY="+strings.TrimSpace(string(key)))
	// Whatever is still read from the file would be missed.
	if err := os.Rename(filepath.Join(dir, "switchboard.db"), filepath.Join(dir, "moved.db")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.StartSwitchboard(ctx); err != nil {
		t.Fatal(err)
	}
	release()

	h.acknowledge(waits.ID, "alice") // with the API's secret: Twilio is told to call her
	leg := h.takes(alice)
	if other := c.ConnectedTo(t, alice); other != leg {
		t.Error("connected to another leg")
	}
	h.converses(c)
	c.HangsUp()
	c.Ended(t)
	h.over(c, "connected")
	var record struct{ Story []struct{ Message string } }
	h.eventually("the conversation is in the record", func() bool {
		h.get("/api/v1/calls/"+c.Sid, &record)
		var story []string
		for _, l := range record.Story {
			story = append(story, l.Message)
		}
		text := strings.Join(story, "\n")
		return strings.Contains(text, "chose DevOps") && strings.Contains(text, "talks with the caller") && strings.Contains(text, "took ")
	})
	if status, again := h.fetch(message.Attachments[0].URL, true); status != 200 || len(sound) < 1000 || !bytes.Equal(again, sound) {
		t.Errorf("the message of before the move: status %d, %d bytes, %d before", status, len(again), len(sound))
	}
	if _, err := os.Stat(filepath.Join(dir, "switchboard.db")); !os.IsNotExist(err) {
		t.Errorf("the host has made a database of SQLite again: %v", err)
	}
	if status, out := h.copyDatabase(dir, "SWITCHBOARD_DATABASE_URL="+database); status != 1 || !strings.Contains(out, "no database") {
		t.Errorf("without a database: status %d: %s", status, out)
	}
}
