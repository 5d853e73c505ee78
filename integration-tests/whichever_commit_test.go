package integrationtests

// This file's name comes last: go test begins with the parallel tests of the last file, and this
// test takes longest.

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// boundaries are two hosts of which the second is started anew for each call, to die at one of its
// commits.
type boundaries struct {
	*several
	off time.Duration // how far the second one's clock is ahead of the first one's
	log testlog.Buffer
}

// startBoundaries starts the first host. Where the clocks differ, time is real.
func startBoundaries(t *testing.T, off time.Duration) *boundaries {
	t.Helper()
	var change []func(*demo.Config)
	if off != 0 {
		change = append(change, inRealTime)
	}
	// In real time more calls come from the one number within minutes than are served by default.
	many := maps.Clone(hears)
	many["calls_per_number"] = 0
	s := startSeveral(t, many, change...)
	if err := s.second.Stop(); err != nil {
		t.Fatal(err)
	}
	s.disturbed = true
	s.Sim.Allow(11200, 11205, 11206)
	s.To(s.Addr)
	s.connectFallback() // the first request of a call is repeated by it
	return &boundaries{several: s, off: off}
}

// at plays two calls, one that reaches Alice and one that leaves a message, which she hears, while
// the second host dies before or after its n-th commit (0: never). It returns how many commits it
// made and whether it died.
func (b *boundaries) at(when string, n int) (commits int, died bool) {
	b.t.Helper()
	dir := b.t.TempDir()
	file := filepath.Join(dir, "commits")
	env := []string{fmt.Sprintf("SWITCHBOARD_TEST_EXIT=%s:%d@%s", when, n, file)}
	if b.off != 0 {
		env = append(env, clockOff(b.t, b.off))
	}
	host, err := b.NewHost(dir, &b.log, env...)
	if err != nil {
		b.t.Fatal(err)
	}
	// On a crowded machine the plugin may not answer in time: then the host ends, and is started
	// anew by whoever looks after it.
	for tries := 1; ; tries++ {
		if err = host.Start(b.t.Context()); err == nil {
			break
		}
		if tries == 3 {
			b.t.Fatal(err)
		}
	}
	defer func() { _ = host.Kill() }()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		b.t.Fatal(err)
	}
	defer func() {
		if b.t.Failed() {
			var alerts []alert
			_ = b.Stack.API(context.Background(), "GET", "/api/v1/alerts", nil, &alerts)
			for _, a := range alerts {
				b.t.Logf("alert %s, %s:\n%s", a.Key, a.Status, a.story())
			}
			b.t.Logf("the host was to die %s commit %d; its log:\n%s", when, n, &b.log)
		}
	}()
	if b.off != 0 {
		b.saysOfItsClockIfItLives(host)
	}
	b.To(b.Addr, host.Addr)
	b.talksBriefly(nil)
	c := b.leavesAMessage(func(string) {})
	if by := b.heardBy(b.delivered(c)); by != "alice" {
		b.t.Errorf("the message was heard by %q, want alice", by)
	}
	b.To(b.Addr)
	if b.off != 0 {
		b.toldInTime(b.alertOf(c, "with the message", func(a alert) bool { return len(a.Attachments) > 0 }))
	}
	info, err := os.Stat(file)
	if err != nil {
		b.t.Fatal(err)
	}
	wait := time.Second
	if n > 0 && int(info.Size()) >= n {
		wait = time.Minute // it has counted the commit, and is about to end
	}
	select {
	case <-host.Exited():
		died = true
		if text := host.ExitError().Error(); text != "exit status 70" {
			b.t.Errorf("the second host has ended with %s:\n%s", text, &b.log)
		}
	case <-time.After(wait):
	}
	return int(info.Size()), died
}

// saysOfItsClockIfItLives wants a host to say that its clock is off. It may die at one of its first
// commits, before a call.
func (b *boundaries) saysOfItsClockIfItLives(host *demo.Host) {
	b.t.Helper()
	said, err := b.clockCheck(host.Addr)
	if err != nil {
		select {
		case <-host.Exited():
			return
		case <-time.After(time.Minute):
		}
	}
	if err != nil || said.State != "degraded" {
		b.t.Errorf("the host that dies says of its clock: %+v, %v; want degraded", said, err)
	}
}

// TestACallGoesOnWhicheverCommitAHostDiesAt lets one of two hosts die before and after each of its
// commits during calls, one host after the other: each call goes on with the other host, and is one
// call.
//
// It tries one boundary in nine, and every one when LIVECALL_TEST_BOUNDARIES is "all", as with make
// test-postgres. Beside that, the machine's clock of the host that dies is half a minute ahead of
// the other one's, or behind it.
func TestACallGoesOnWhicheverCommitAHostDiesAt(t *testing.T) {
	t.Parallel()
	postgres.Database(t) // says if PostgreSQL is missing
	most := 0
	t.Run("counted", func(t *testing.T) {
		b := startBoundaries(t, 0)
		most, _ = b.at("before", 0)
		t.Logf("one of two hosts makes %d commits during the two calls", most)
	})
	if most == 0 {
		t.Fatal("no commits were counted")
	}
	few, fewer := 9, 15
	if os.Getenv("LIVECALL_TEST_BOUNDARIES") == "all" {
		few, fewer = 1, 3
	}
	// Not by t.Parallel: the parts would wait in line behind all other tests, and end long after
	// them.
	var parts sync.WaitGroup
	defer parts.Wait()
	for _, when := range []string{"before", "after"} {
		for part := range 2 {
			parts.Go(func() {
				t.Run(fmt.Sprintf("%s, part %d", when, part+1), func(t *testing.T) {
					startBoundaries(t, 0).diesAt(when, 1+part, 2, most, few)
				})
			})
		}
	}
	// In real time, so at fewer of the commits.
	for when, off := range map[string]time.Duration{"before": 30 * time.Second, "after": -30 * time.Second} {
		parts.Go(func() {
			t.Run(fmt.Sprintf("%s, with its clock off by %s", when, off), func(t *testing.T) {
				startBoundaries(t, off).diesAt(when, 1, 1, most, fewer)
			})
		})
	}
}

// diesAt lets the second host die before or after each every-th commit from first to most, or at
// one in few of them only.
func (b *boundaries) diesAt(when string, first, every, most, few int) {
	b.t.Helper()
	var deaths []int
	for n := first; n <= most; n += every {
		if (n+len(when))%few > 0 {
			continue
		}
		switch commits, died := b.at(when, n); {
		case died:
			deaths = append(deaths, n)
		case commits >= n:
			b.t.Errorf("the host lives after %d commits", commits)
		case n <= most/3:
			b.t.Errorf("the host made %d commits in all: too few to die at number %d", commits, n)
		}
		if b.t.Failed() {
			b.t.FailNow()
		}
	}
	if strings.Contains(b.log.String(), "DATA RACE") {
		b.t.Errorf("a data race was found:\n%s", &b.log)
	}
	b.t.Logf("died %s commits %v of about %d; the longest answer: %+v", when, slices.Clip(deaths), most, b.Longest())
}
