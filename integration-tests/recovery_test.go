package integrationtests

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/pace"
)

// moment is the one in the commands of docs/several-hosts.md.
const moment = "2026-11-28 03:15:00+00"

// TestCallsGoOnAfterARecoveryToAPointInTime runs the commands of docs/several-hosts.md: a server is
// restored to a moment at which a caller was on hold. What came later is lost, and the call goes
// on. The clock stands still meanwhile, as Twilio would ask the stopped host.
func TestCallsGoOnAfterARecoveryToAPointInTime(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/several-hosts.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := guideBlocks.FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 4 {
		t.Fatalf("docs/several-hosts.md has %d blocks of commands, want those that archive, make a base backup, restore, and wait", len(blocks))
	}
	server := ownServer(t)
	var then string
	follow := func(block int) {
		t.Helper()
		here := strings.NewReplacer("/var/lib/postgresql/17/main", server.Data(), "/backup", filepath.Join(filepath.Dir(server.Data()), "backup"), moment, then)
		if _, err := server.Shell(t.Context(), here.Replace(blocks[block][1])); err != nil {
			t.Fatalf("block %d of docs/several-hosts.md: %v", block+1, err)
		}
	}
	restart := func() {
		t.Helper()
		if err := server.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	follow(0)
	server.Shutdown()
	restart()
	follow(1)

	leader := leaderFrom(time.Now(), pace.Fastest)
	h := start(t, acknowledgeFirst, func(c *demo.Config) {
		c.Env = append(c.Env, "SWITCHBOARD_DATABASE_URL="+server.URL("postgres"), "SWITCHBOARD_SECRET_KEY="+seal.NewKey())
		c.Clock = leader.Followers()
	})
	c := h.onHold()
	h.alert("open", func(a alert) bool { return a.Status == "open" })
	release := sync.OnceFunc(pacer.Hold(leader))
	t.Cleanup(release)
	if then, err = server.Shell(t.Context(), "psql -Atc 'select now()'"); err != nil {
		t.Fatal(err)
	}
	then = strings.TrimSpace(then)
	later, _, err := h.AddHotline(t.Context(), "+12025550177", []string{"devops"}, nil)
	if err != nil {
		t.Fatal(err)
	}

	if err := h.KillSwitchboard(); err != nil {
		t.Fatal(err)
	}
	server.Shutdown()
	follow(2)
	restart()
	follow(3)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.StartSwitchboard(ctx); err != nil {
		t.Fatal(err)
	}
	var list []struct{ ID string }
	if err := h.API(t.Context(), "GET", "/api/v1/integrations", nil, &list); err != nil || len(list) != 1 || list[0].ID == later {
		t.Errorf("the integrations are %v (%v), want that of before the moment alone", list, err)
	}
	release()
	h.reach(c)
}
