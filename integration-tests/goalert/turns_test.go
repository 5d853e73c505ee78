package goalert_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// turns gives the turns of all services to one of two hosts.
type turns struct {
	mu    sync.Mutex
	whose string
}

// of are the turns as one of the hosts takes them.
func (t *turns) of(host string) platform.Turns { return turnsOf{t, host} }

func (t *turns) give(host string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.whose = host
}

type turnsOf struct {
	*turns
	host string
}

func (t turnsOf) TakeTurn(_ context.Context, _ string, now time.Time, every time.Duration) (time.Time, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.whose == t.host {
		return time.Time{}, nil
	}
	return now.Add(every), nil
}

// TestOneOfSeveralHostsPollsAServiceAndTheOthersHearOfIt has a call on two hosts, of which the first
// polls, and then no longer takes its turns.
func TestOneOfSeveralHostsPollsAServiceAndTheOthersHearOfIt(t *testing.T) {
	t.Parallel()
	w, one, s, alice, _ := ordinary(t)
	who := &turns{whose: "one"}
	two := &host{wire: &wire{count: map[string]int{}, keys: map[string]map[string]bool{}}, w: w, scope: one.scope, cfg: one.cfg}
	two.cfg.HTTP = &http.Client{Transport: two.wire}
	two.cfg.Turns = who.of("two")
	two.start(t)
	one.cfg.Turns = who.of("one")
	other := two.Platform // the first one is started anew, and must tell the second
	one.cfg.Tell = func(notice string) { other.Heard(notice) }
	one.start(t)
	hints := two.hints(t)
	c := one.open(t, s.ID)
	id := c.alert()
	d := *c
	d.host = two
	d.snapshot()
	w.Await("polls", func() bool { return one.sent("Poll") > 2 })
	must[bool](w)(alice.Session().Acknowledge(t.Context(), id))
	d.hinted(t, hints, "the acknowledgement, of which the other host has told", acknowledged)
	if n := two.sent("Poll"); n != 0 {
		t.Errorf("the host whose turn it was not has polled %d times", n)
	}
	who.give("two")
	w.Await("polls of the other host", func() bool { return two.sent("Poll") > 0 })
}
