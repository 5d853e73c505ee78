package platformtest

import (
	"context"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// Turns gives all turns to one of several hosts, for tests of a platform that is polled by one host
// at a time, see [platform.Turns].
type Turns struct {
	mu    sync.Mutex
	whose string
}

// NewTurns returns turns that are all a host's.
func NewTurns(host string) *Turns { return &Turns{whose: host} }

// Give gives the turns from now on to another host.
func (t *Turns) Give(host string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.whose = host
}

// Of returns the turns as one of the hosts takes them.
func (t *Turns) Of(host string) platform.Turns { return turnsOf{t, host} }

type turnsOf struct {
	*Turns
	host string
}

// TakeTurn implements platform.Turns.
func (t turnsOf) TakeTurn(_ context.Context, _ string, now time.Time, every time.Duration) (time.Time, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.whose == t.host {
		return time.Time{}, nil
	}
	return now.Add(every), nil
}
