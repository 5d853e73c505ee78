package integrationtests

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/integration-tests/demo"
)

// startAgain stops a host and starts it with more environment.
func startAgain(t *testing.T, h *demo.Host, env ...string) {
	t.Helper()
	if err := h.Stop(); err != nil {
		t.Fatal(err)
	}
	h.Setenv(env...)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.Start(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestACallOnHoldIsAnsweredAfterTheKeyWasChanged changes the secret key of two hosts while a caller
// holds: each is started again with both keys, the key is changed, and each is started with the new
// one alone.
func TestACallOnHoldIsAnsweredAfterTheKeyWasChanged(t *testing.T) {
	t.Parallel()
	old, next := seal.NewKey(), seal.NewKey()
	s := startSeveral(t, voicemail, func(c *demo.Config) { c.Env = append(c.Env, "SWITCHBOARD_SECRET_KEY="+old) })
	c := s.onHold()
	env := func(key, next string) []string {
		return []string{"SWITCHBOARD_DATABASE_URL=" + s.database, "SWITCHBOARD_SECRET_KEY=" + key, "SWITCHBOARD_NEXT_SECRET_KEY=" + next}
	}
	rekey := func() (int, string) {
		return s.command(filepath.Join(t.TempDir(), "data"), env(old, next), "rekey", "--config", "testdata/hotline.yaml")
	}
	hosts := []*demo.Host{s.Host, s.second}
	restart := func(which int, env []string) {
		s.To(s.hosts[1-which]) // as a rolling restart behind a balancer does
		startAgain(t, hosts[which], env...)
		s.To(s.hosts...)
	}
	restart(0, env(old, next))
	if status, out := rekey(); status != 1 || !strings.Contains(out, "cannot read with the next key") {
		t.Fatalf("while one host has the old key alone: status %d: %s", status, out)
	}
	restart(1, env(old, next))
	var status int
	var out string
	s.eventually("both hosts have both keys", func() bool { status, out = rekey(); return status == 0 })
	if !strings.Contains(out, "Nothing is left of the key") {
		t.Fatalf("status %d: %s", status, out)
	}
	t.Log(out)
	restart(0, env(next, ""))
	restart(1, env(next, ""))

	waits := s.alert("open", func(a alert) bool { return a.Status == "open" })
	s.acknowledge(waits.ID, "alice") // Twilio is told to call her, with the API's secret
	leg := s.takes(alice)
	if other := c.ConnectedTo(t, alice); other != leg {
		t.Error("connected to another leg")
	}
	s.converses(c)
	c.HangsUp()
	c.Ended(t)
	s.over(c, "connected")
}
