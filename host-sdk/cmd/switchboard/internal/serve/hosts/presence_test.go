package hosts

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/sharing"
)

// hostRows is a store.Hosts in memory. Hosts of which nothing is said hold their locks.
type hostRows struct {
	m       map[string]store.Host
	unheld  []string
	freed   []string
	looking error
}

func (r *hostRows) SaveHost(_ context.Context, h store.Host) error { r.m[h.ID] = h; return nil }

func (r *hostRows) RemoveHost(_ context.Context, id string) error { delete(r.m, id); return nil }

func (r *hostRows) ListHosts(context.Context) (out []store.Host, _ error) {
	for _, h := range r.m {
		out = append(out, h)
	}
	return out, nil
}

func (r *hostRows) HostsWithoutLock(_ context.Context, ids []string) (out []string, _ error) {
	for _, id := range ids {
		if slices.Contains(r.unheld, id) {
			out = append(out, id)
		}
	}
	return out, r.looking
}

func (r *hostRows) FreeHost(_ context.Context, id string) (int64, bool, error) {
	r.freed = append(r.freed, id)
	delete(r.m, id)
	return 3, true, nil
}

// lockOfTest is a lock that is held or not.
type lockOfTest struct {
	held   bool
	unheld int // how often others were told that it is not
}

func (l *lockOfTest) Held() bool             { return l.held }
func (l *lockOfTest) Taken() <-chan struct{} { return nil }
func (l *lockOfTest) Unheld()                { l.unheld++ }

// presenceAmong is that of a host among others, and counts what it tells them and its engine.
func presenceAmong(rows *hostRows, now *time.Time, lock *lockOfTest) (p *Presence, told, freed *int) {
	told, freed = new(int), new(int)
	p = &Presence{self: func() store.Host { return store.Host{ID: "this"} }, log: slog.New(slog.DiscardHandler)}
	p.Join(rows, func(context.Context) (time.Time, error) { return *now, nil }, lock, func() { *told++ }, func() { *freed++ })
	return p, told, freed
}

// TestADeadHostsWorkIsTakenOver after its lock has been missing for a while, at looks without a
// failure in between, and that of a host of the release before, which holds none, is not.
func TestADeadHostsWorkIsTakenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, aDeadHostsWorkIsTakenOver)
}

func aDeadHostsWorkIsTakenOver(t *testing.T) {
	now := time.Now()
	rows := &hostRows{m: map[string]store.Host{"new": {ID: "new", Lock: true, SeenAt: now}, "old": {ID: "old", SeenAt: now}}}
	lock := &lockOfTest{}
	p, told, freed := presenceAmong(rows, &now, lock)
	step := func(what string, do func(context.Context) error, wantFreed int) {
		t.Helper()
		if err := do(t.Context()); (err != nil) != (rows.looking != nil) || len(rows.freed) != wantFreed || *freed != wantFreed {
			t.Fatalf("%s: %v were freed (%d times), want %d; %v", what, rows.freed, *freed, wantFreed, err)
		}
	}
	passed := func() { time.Sleep(sharing.HostDead) }
	step("the first look", p.Look, 0)
	if *told != 0 || lock.unheld != 1 || rows.m["this"].Lock {
		t.Errorf("without a lock: told %d times, may work without %d times; %+v", *told, lock.unheld, rows.m["this"])
	}
	lock.held = true
	step("the lock is held", p.Look, 0)
	if *told != 1 || lock.unheld != 1 || !rows.m["this"].Lock {
		t.Errorf("with a lock: told %d times, may work without %d times; %+v", *told, lock.unheld, rows.m["this"])
	}
	step("all hold theirs", p.watch, 0)
	rows.unheld = []string{"new", "old", "this"}
	step("they hold none", p.watch, 0)
	time.Sleep(sharing.HostDead - 1)
	step("and so a moment too early", p.watch, 0)
	passed()
	rows.looking = errors.New("no server")
	step("the server is away", p.watch, 0)
	rows.looking = nil
	step("it is back", p.watch, 0)
	passed()
	rows.unheld = nil
	step("the other host has its lock again", p.watch, 0)
	rows.unheld = []string{"new", "old", "this"}
	step("and has lost it again", p.watch, 0)
	passed()
	step("for long", p.watch, 1)
	if p.Count() != 2 || rows.freed[0] != "new" {
		t.Errorf("%v were freed, and %d hosts run; want the other one of this release, and 2", rows.freed, p.Count())
	}
	step("it is known to be gone", p.watch, 1)
}

// TestAHostCountsThoseSeenInTheLastMinute lets a second host die, and looks by the database's
// clock.
func TestAHostCountsThoseSeenInTheLastMinute(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	rows := &hostRows{m: map[string]store.Host{"other": {ID: "other", SeenAt: now}}}
	p, _, _ := presenceAmong(rows, &now, &lockOfTest{held: true})
	if p.Count() != 1 {
		t.Errorf("before the first look there are %d hosts, want 1", p.Count())
	}
	for _, step := range []struct {
		after       time.Duration
		hosts, rows int
	}{{59 * time.Second, 2, 2}, {time.Second, 1, 2}, {59 * time.Minute, 1, 1}} {
		now = now.Add(step.after)
		if err := p.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p.Count() != step.hosts || len(rows.m) != step.rows {
			t.Errorf("at %s: %d hosts in %d rows, want %d in %d", now.Format(time.TimeOnly), p.Count(), len(rows.m), step.hosts, step.rows)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := p.Run(stopped); err == nil || len(rows.m) != 0 {
		t.Errorf("after a regular stop there are %d rows, want none (%v)", len(rows.m), err)
	}
}

// TestAHostSaysSinceWhenItsPluginsReadWhat replaces a plugin by a newer one, and lets it be away.
func TestAHostSaysSinceWhenItsPluginsReadWhat(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	now, rows := began, &hostRows{m: map[string]store.Host{}}
	var formats map[string]integration.Formats
	p, _, _ := presenceAmong(rows, &now, &lockOfTest{})
	p.formats = func(context.Context) map[string]integration.Formats { return formats }
	for i, step := range []struct {
		after   time.Duration
		answers map[string]integration.Formats
		state   int
		since   time.Duration
	}{
		{0, map[string]integration.Formats{"livecall": {State: 2}}, 2, 0},
		{time.Minute, map[string]integration.Formats{"livecall": {State: 2}}, 2, 0},
		{2 * time.Minute, nil, 2, 0},
		{3 * time.Minute, map[string]integration.Formats{"livecall": {State: 3}}, 3, 3 * time.Minute},
		{4 * time.Minute, map[string]integration.Formats{"livecall": {State: 3}}, 3, 3 * time.Minute},
	} {
		now, formats = began.Add(step.after), step.answers
		if err := p.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		row := rows.m["this"]
		if row.Formats["livecall"].State != step.state || !row.FormatsSince.Equal(began.Add(step.since)) {
			t.Errorf("look %d: the row has %+v since %s, want state %d since %s", i+1, row.Formats, row.FormatsSince.Sub(began), step.state, step.since)
		}
		if hosts, at := p.Seen(); len(hosts) != 1 || !at.Equal(now) {
			t.Errorf("look %d: %d hosts are seen at %s", i+1, len(hosts), at)
		}
	}
}

// TestHostsThatDifferForLongAreAFault has two hosts of two versions, as during a roll-out that
// stops in the middle.
func TestHostsThatDifferForLongAreAFault(t *testing.T) {
	t.Parallel()
	p := &Presence{}
	p.take([]store.Host{{ID: "1", Version: "1.0.0", FileHash: "a"}, {ID: "2", Version: "1.1.0", FileHash: "a"}})
	if c := p.Check(t.Context()); c.State != health.StateOK {
		t.Errorf("while they are rolled out: %+v", c)
	}
	p.differ = p.differ.Add(-hostsDiffer)
	want := "The 2 hosts that share the database have different versions of switchboard. Bring them to the same: GET /api/v1/hosts lists what each has."
	if c := p.Check(t.Context()); c.State != health.StateDegraded || c.Message != want || !c.Since.Equal(p.differ) {
		t.Errorf("after that: %+v", c)
	}
	p.take([]store.Host{{ID: "1", Version: "1.1.0", FileHash: "a"}, {ID: "2", Version: "1.1.0", FileHash: "a"}})
	if c := p.Check(t.Context()); c.State != health.StateOK {
		t.Errorf("once they agree: %+v", c)
	}
}
