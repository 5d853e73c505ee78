package goalert_test

import (
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

// setClock is the clock of a machine whose clock was set: waits and the wall differ from the true
// time.
type setClock struct {
	clock.Clock
	waits, wall time.Duration
}

func (c setClock) Now() time.Time { return c.Clock.Now().Add(c.waits) }

func (c setClock) Wall() time.Time { return c.Clock.Now().Add(c.wall) }

const hourAndMore = time.Hour + time.Minute

// Both differ from the true time for hours after a clock was set right: what GoAlert says goes by
// GoAlert's clock, hence by the one on the wall.
func TestWhatGoAlertSaysGoesByTheClockOnTheWall(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	alice := w.Person("Alice Example", "")
	s, maintained := w.service(0, []admin.Dest{admin.User(alice.ID)}), w.service(0, []admin.Dest{admin.User(alice.ID)})
	h := w.platform(t, s, maintained)
	h.onCall(t, s.ID, 1)
	h.onCall(t, maintained.ID, 1)
	c := h.open(t, s.ID)
	w.Await("the first step", func() bool {
		state := c.status().State
		return state != nil && state.LastEscalation != nil
	})
	w.ok(w.Admin.SetMaintenance(t.Context(), maintained.ID, time.Now().Add(time.Hour)))
	quiet := h.open(t, maintained.ID)
	expires := time.Now().Add(30*24*time.Hour + time.Hour)
	for name, want := range map[string]struct {
		clock  setClock
		status integration.AlertStatus // a step takes an hour
		over   bool                    // the maintenance is
		warned bool                    // of the keys' end
	}{
		"it was an hour ahead and is right":  {setClock{clock.System(), hourAndMore, 0}, integration.AlertOpen, false, false},
		"it was right and is an hour ahead":  {setClock{clock.System(), 0, hourAndMore}, integration.AlertDropped, true, true},
		"it was an hour behind and is right": {setClock{clock.System(), -hourAndMore, 0}, integration.AlertOpen, false, false},
	} {
		h.cfg.Clock, h.cfg.Expires = want.clock, expires
		h.start(t)
		c.host, quiet.host = h, h
		if got := c.snapshot(); got.Status != want.status {
			t.Errorf("%s: the alert is %s, want %s", name, got.Status, want.status)
		}
		if got := quiet.snapshot(); strings.Contains(got.Unpaged, "maintenance") == want.over {
			t.Errorf("%s: of a service in maintenance for an hour: %q", name, got.Unpaged)
		}
		if found := strings.Join(h.Findings(), "\n"); strings.Contains(found, "keys expire") != want.warned {
			t.Errorf("%s: findings %q", name, found)
		}
	}
}

// How long GoAlert's engine may take is a wait of ours, which a clock that is set neither ends nor
// begins anew.
func TestAnEngineIsNotLateBecauseAClockWasSet(t *testing.T) {
	t.Parallel()
	w := openWith(t, goalertsim.Config{CycleTime: -1, Clock: clock.System()})
	w.NeedsStandIn("its engine is stopped")
	alice := w.Person("Alice Example", "")
	s := w.service(0, []admin.Dest{admin.User(alice.ID)})
	h := w.platform(t, s)
	w.Sim.Cycle()
	h.onCall(t, s.ID, 1)
	c := h.open(t, s.ID)
	hands := clock.NewManual(time.Now())
	h.cfg.Clock = hands
	h.start(t)
	c.host = h
	for _, by := range []time.Duration{hourAndMore, -2 * hourAndMore, hourAndMore} {
		hands.Set(by)
		if got := c.snapshot(); got.Unpaged != "" {
			t.Errorf("the clock was set by %v: %q", by, got.Unpaged)
		}
	}
	hands.Set(-hourAndMore)
	hands.Advance(time.Minute)
	if got := c.snapshot(); !strings.Contains(got.Unpaged, "health/engine") {
		t.Errorf("after a minute: %q", got.Unpaged)
	}
}
