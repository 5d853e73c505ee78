package campaign

import (
	"bytes"
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/postgres"
	"github.com/livecallrouting/livecall/integration-tests/programs"
)

var (
	calls    = flag.Int("calls", 80, "calls of the campaign")
	atOnce   = flag.Int("at-once", 300, "calls of a wave")
	seed     = flag.Uint64("seed", 1, "number that decides everything; 0: a new one")
	duration = flag.Duration("duration", 0, "no wave of a platform begins after that; 0: no limit")
	fastest  = flag.Float64("fastest", 10, "how fast the clock runs on a quiet machine")
	gap      = flag.Duration("gap", 8*time.Second, "average time between faults, of the clock of the calls; 0: none")
	storage  = flag.Bool("storage", false, "fill the disk and lock the database too: how long that lasts depends on the machine, so calls may end otherwise than they should")
	foreign  = flag.Int("remote", 0, "percent of the calls that come to a host with another product's platform, asked over HTTP")
	several  = flag.Bool("several", false, "play on two hosts that share a PostgreSQL, behind a balancer")
	span     = flag.Duration("span", 4*time.Minute, "time in which the callers of a wave call, of the clock of the calls")
	patience = flag.Duration("patience", 20*time.Minute, "when a failing run gives up waiting, of the clock of the calls")
	stories  = flag.Int("stories", 5, "violations that are told in full")
)

// TestCampaign plays a slice of a campaign, which leaves disk and database alone; make campaign
// plays a long one.
func TestCampaign(t *testing.T) {
	t.Parallel()
	if *seed == 0 {
		*seed = uint64(rand.Uint32())
	}
	var out bytes.Buffer
	remote := *calls * *foreign / 100
	programs := build(t)
	for _, part := range []struct {
		calls  int
		remote bool
	}{{*calls - remote, false}, {remote, true}} {
		if part.calls == 0 {
			continue
		}
		result, err := Run(t.Context(), Config{
			Programs: programs, Manifest: "../../manifest.json", Seed: *seed, Calls: part.calls, AtOnce: *atOnce, Span: *span, Gap: *gap, Storage: *storage, Remote: part.remote, Several: *several,
			Duration: *duration, Fastest: *fastest, Patience: *patience, Stories: *stories, Out: tee{&out, t},
		})
		if err != nil {
			t.Fatal(err)
		}
		if result.Violations > 0 {
			t.Errorf("%d violations; the report says how to repeat them", result.Violations)
		}
	}
}

// TestCampaignOnTwoHosts plays a dozen calls on two hosts that share a PostgreSQL, of which one is
// killed and the other restarted. Where the tests on PostgreSQL are asked for it plays more; make
// campaign HOSTS=2 plays many.
func TestCampaignOnTwoHosts(t *testing.T) {
	t.Parallel()
	postgres.Need(t)
	some, within := 12, 90*time.Second
	if os.Getenv("LIVECALL_TEST_DATABASE") == "postgres" {
		some, within = 40, *span
	}
	var out bytes.Buffer
	result, err := Run(t.Context(), Config{
		Programs: build(t), Manifest: "../../manifest.json", Seed: 11, Calls: some, Span: within, Gap: *gap, First: []string{hostKilled, serverAway}, Several: true,
		Fastest: *fastest, Patience: *patience, Stories: *stories, Out: tee{&out, t},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{hostKilled, serverAway} {
		if result.Faults[name] == 0 {
			t.Errorf("%s: never; the faults were %v", name, result.Faults)
		}
	}
	if result.Violations > 0 {
		t.Errorf("%d violations; the report says how to repeat them", result.Violations)
	}
}

// tee logs as the campaign goes on: it may take an hour.
type tee struct {
	all *bytes.Buffer
	t   *testing.T
}

func (w tee) Write(p []byte) (int, error) {
	w.t.Logf("%s", bytes.TrimRight(p, "\n"))
	return w.all.Write(p)
}

// built are the programs, as make build makes them, for all tests of this binary.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "campaign-programs-")
	if err == nil {
		err = programs.Build(context.Background(), "../..", dir)
	}
	return dir, err
})

// build returns the folder of the programs, which no test changes.
func build(t *testing.T) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
