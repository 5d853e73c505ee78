package platform

import (
	"context"
	"time"
)

// TurnTime is how long a turn lasts, by the hosts' clock. A host that dies leaves what it did
// undone for as long, and turnGrace.
const TurnTime = 5 * time.Second

// turnGrace is how much later than the host that has a turn the others ask for the next one: so it
// changes hands only when that host has died or stands still, and the next begins where it was.
const turnGrace = time.Second

// Turns let one of several hosts that share a database do what needs to be done once, such as
// asking a server for changes.
type Turns interface {
	// TakeTurn takes the next turn of a key if it has come at now: the one after it comes every
	// later. Otherwise it says when it comes, and takes nothing. A zero time means that it was
	// taken.
	TakeTurn(ctx context.Context, key string, now time.Time, every time.Duration) (comes time.Time, err error)
}

// Turn is what a host knows of whose turn something is. The zero value is ready. It must not be
// used concurrently.
type Turn struct {
	ours  bool
	again time.Time // when to ask
}

// Ours reports whether it is this host's turn at now, and when that is to be asked again; before,
// the answer stays the same. While turns cannot be asked, it is every host's.
func (t *Turn) Ours(ctx context.Context, turns Turns, key string, now time.Time) (ours bool, again time.Time) {
	if now.Before(t.again) {
		return t.ours, t.again
	}
	comes, err := turns.TakeTurn(ctx, key, now, TurnTime)
	switch {
	case err != nil:
		t.ours, t.again = true, now.Add(turnGrace)
	case comes.IsZero():
		t.ours, t.again = true, now.Add(TurnTime)
	default:
		t.ours, t.again = false, comes.Add(turnGrace)
	}
	return t.ours, t.again
}
