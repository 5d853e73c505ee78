package sessions

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/cache"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/packed"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// kept is how many live sessions are kept at least; beyond it those go that were not read for keep,
// which is longer than a caller on hold takes from one request to the next.
const (
	kept = 1000
	keep = time.Minute
)

// doubtedKeep is how long a failed commit of a session is remembered at least: longer than a commit
// that was given up can still be on its way to the disk.
const doubtedKeep = time.Hour

// Copies reads sessions, and keeps copies of the live ones. Use NewCopies.
type Copies struct {
	store     store.Sessions
	clock     clock.Clock
	presence  *Presence
	exclusive bool

	known *cache.Cache[Ref, copied] // live ones; used only while the store has that version
	// Sessions whose last commit failed; see unchanged.
	doubted *cache.Cache[Ref, struct{}]
}

// NewCopies returns copies of the sessions of a store; exclusive says that nobody else writes to
// it.
func NewCopies(s store.Sessions, clk clock.Clock, p *Presence, exclusive bool) *Copies {
	return &Copies{
		store: s, clock: clk, presence: p, exclusive: exclusive,
		known: cache.New[Ref, copied](kept, keep), doubted: cache.New[Ref, struct{}](kept, doubtedKeep),
	}
}

// copied is a session as it is kept.
type copied struct {
	most  packed.Of[store.Session] // all but the others
	state []byte
	seen  time.Time
}

// copyOf is how a session is kept.
func copyOf(s store.Session) copied {
	c := copied{state: s.State, seen: s.SeenAt}
	s.State, s.SeenAt = nil, time.Time{}
	c.most = packed.Pack(&s)
	return c
}

// session is what was kept.
func (c copied) session() store.Session {
	s := c.most.Unpack()
	s.State, s.SeenAt = c.state, c.seen
	return s
}

// Read reads a session. Nearly every tick of the hold music finds one that is live and has not
// changed since it was last read. A host that has the store for itself knows that without asking;
// among several hosts only that is asked, and not the session.
//
// Without the session's lock a commit may come between reading and remembering, so such a reading
// is not remembered.
func (c *Copies) Read(ctx context.Context, of Ref, locked bool) (store.Session, error) {
	now := c.clock.Now()
	remember := func(key string, s copied) {
		if locked {
			c.known.Put(Ref{of.Integration, key}, s, now)
		}
	}
	if known, ok := c.known.Get(of); ok {
		kept, s := known.Value, known.Value.session()
		if locked && now.Sub(known.At) < keep && c.unchanged(of) {
			// Presence forgets what the store has: the copy must not be the older one then.
			s.SeenAt = c.presence.Last(of, s.SeenAt)
			kept.seen = s.SeenAt
			remember(of.Key, kept)
			return s, nil
		}
		seen, same, err := c.store.SessionUnchanged(ctx, of.Integration, of.Key, s.Version)
		if err != nil {
			return store.Session{}, err
		}
		if same {
			s.SeenAt, kept.seen = seen, seen
			remember(of.Key, kept)
			return s, nil
		}
	}
	s, err := c.store.Session(ctx, of.Integration, of.Key)
	if err == nil && s.Live {
		remember(s.Key, copyOf(s))
	} else {
		c.known.Forget(of)
	}
	return s, err
}

// unchanged reports whether the last copy of a session is what the store holds. It is where this
// process alone writes to the store, and every commit of a live session has dropped the copy under
// the session's lock ([Copies.Committing]), unless a commit failed: nobody knows whether one that
// was given up will still be written. Live sessions are not deleted before their time.
func (c *Copies) unchanged(of Ref) bool {
	if !c.exclusive {
		return false
	}
	_, doubted := c.doubted.Get(of)
	return !doubted
}

// Unknown reports whether this process knows nothing of a session and has the store for itself.
// Whoever then takes it for one that does not exist must be able to find out that it does.
func (c *Copies) Unknown(of Ref) bool {
	_, copied := c.known.Get(of)
	return !copied && c.unchanged(of)
}

// Committing drops the copy of a session that is about to be committed, under its lock.
func (c *Copies) Committing(of Ref) { c.known.Forget(of) }

// Failed says that a commit of a session has failed: nobody knows whether it will still be written.
func (c *Copies) Failed(of Ref) { c.doubted.Put(of, struct{}{}, c.clock.Now()) }

// Holds says that the store holds this session since a commit, so that the next handler need not
// read it. Whatever was given up before that commit was on the same version, and cannot be written
// any more.
func (c *Copies) Holds(of Ref, s store.Session) {
	c.doubted.Forget(of)
	if s.Live {
		s.Key = of.Key
		c.known.Put(of, copyOf(s), c.clock.Now())
	}
}

// After is the session of a commit as the store has it then; before is the session that the commit
// replaces, nil if it is the first.
func After(before *store.Session, c store.Commit, version int64) store.Session {
	s := *c.Session
	now := time.UnixMilli(c.Now.UnixMilli()).UTC() // as precise as it is stored
	s.Integration, s.Key, s.Version = c.Integration, c.Key, version
	s.CreatedAt, s.UpdatedAt, s.SeenAt = now, now, time.Time{}
	if before != nil {
		s.Revision, s.CreatedAt, s.SeenAt = before.Revision, before.CreatedAt, before.SeenAt
	}
	return s
}
