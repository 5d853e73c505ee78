package serve

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// hostRows is a store.Hosts in memory.
type hostRows map[string]store.Host

func (r hostRows) SaveHost(_ context.Context, h store.Host) error { r[h.ID] = h; return nil }

func (r hostRows) RemoveHost(_ context.Context, id string) error { delete(r, id); return nil }

func (r hostRows) ListHosts(context.Context) (out []store.Host, _ error) {
	for _, h := range r {
		out = append(out, h)
	}
	return out, nil
}

// TestAHostCountsThoseSeenInTheLastMinute lets a second host die, and looks by the database's clock.
func TestAHostCountsThoseSeenInTheLastMinute(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	rows := hostRows{"other": {ID: "other", SeenAt: now}}
	p := &presence{
		rows: rows, clock: func(context.Context) (time.Time, error) { return now, nil },
		self: func() store.Host { return store.Host{ID: "this"} }, log: slog.New(slog.DiscardHandler),
	}
	if p.count() != 1 {
		t.Errorf("before the first look there are %d hosts, want 1", p.count())
	}
	for _, step := range []struct {
		after       time.Duration
		hosts, rows int
	}{{59 * time.Second, 2, 2}, {time.Second, 1, 2}, {59 * time.Minute, 1, 1}} {
		now = now.Add(step.after)
		if err := p.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p.count() != step.hosts || len(rows) != step.rows {
			t.Errorf("at %s: %d hosts in %d rows, want %d in %d", now.Format(time.TimeOnly), p.count(), len(rows), step.hosts, step.rows)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := p.run(stopped); err == nil || len(rows) != 0 {
		t.Errorf("after a regular stop there are %d rows, want none (%v)", len(rows), err)
	}
}

// TestAHostSaysSinceWhenItsPluginsReadWhat replaces a plugin by a newer one, and lets it be away.
func TestAHostSaysSinceWhenItsPluginsReadWhat(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	now, rows := began, hostRows{}
	var formats map[string]integration.Formats
	p := &presence{
		rows: rows, clock: func(context.Context) (time.Time, error) { return now, nil },
		self: func() store.Host { return store.Host{ID: "this"} }, log: slog.New(slog.DiscardHandler),
		formats: func(context.Context) map[string]integration.Formats { return formats },
	}
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
		if err := p.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		row := rows["this"]
		if row.Formats["livecall"].State != step.state || !row.FormatsSince.Equal(began.Add(step.since)) {
			t.Errorf("look %d: the row has %+v since %s, want state %d since %s", i+1, row.Formats, row.FormatsSince.Sub(began), step.state, step.since)
		}
		if hosts, at := p.seen(); len(hosts) != 1 || !at.Equal(now) {
			t.Errorf("look %d: %d hosts are seen at %s", i+1, len(hosts), at)
		}
	}
}

// TestHostsThatDifferForLongAreAFault has two hosts of two versions, as during a roll-out that stops in
// the middle.
func TestHostsThatDifferForLongAreAFault(t *testing.T) {
	t.Parallel()
	p := &presence{}
	p.take([]store.Host{{ID: "1", Version: "1.0.0", FileHash: "a"}, {ID: "2", Version: "1.1.0", FileHash: "a"}})
	if c := p.check(t.Context()); c.State != StateOK {
		t.Errorf("while they are rolled out: %+v", c)
	}
	p.differ = p.differ.Add(-hostsDiffer)
	want := "The 2 hosts that share the database have different versions of switchboard. Bring them to the same: GET /api/v1/hosts lists what each has."
	if c := p.check(t.Context()); c.State != StateDegraded || c.Message != want || !c.Since.Equal(p.differ) {
		t.Errorf("after that: %+v", c)
	}
	p.take([]store.Host{{ID: "1", Version: "1.1.0", FileHash: "a"}, {ID: "2", Version: "1.1.0", FileHash: "a"}})
	if c := p.check(t.Context()); c.State != StateOK {
		t.Errorf("once they agree: %+v", c)
	}
}
