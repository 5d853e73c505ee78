package integrationtests

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/pace"
)

// TestACallOnHoldIsAnsweredAfterARestore backs up while a caller holds and switchboard runs, loses the
// machine, and restores on another one. The clock stands still meanwhile, as Twilio would ask the lost
// host.
func TestACallOnHoldIsAnsweredAfterARestore(t *testing.T) {
	t.Parallel()
	leader, dir := leaderFrom(time.Now(), pace.Fastest), filepath.Join(t.TempDir(), "data")
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
	archive := filepath.Join(t.TempDir(), "backup.tar.gz")
	if status, out := h.command(dir, nil, "backup", "--config", "testdata/hotline.yaml", "--to", archive); status != 0 {
		t.Fatalf("status %d:\n%s", status, out)
	}
	key, err := os.ReadFile(filepath.Join(dir, "secret-key"))
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
	if status, again := h.fetch(message.Attachments[0].URL, true); status != 200 || len(sound) < 1000 || !bytes.Equal(again, sound) {
		t.Errorf("the message of before the backup: status %d, %d bytes, %d before", status, len(again), len(sound))
	}
}
