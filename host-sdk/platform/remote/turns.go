package remote

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// notice is what a host tells the others: the one that waits for changes after each answer, and
// whichever gets a hint. It is JSON, so that a later release may add members while both run.
type notice struct {
	// Where the next one to wait goes on; "": this is a hint.
	Cursor string          `json:"cursor,omitempty"`
	Alerts []wire.AlertRef `json:"alerts,omitempty"`
	All    bool            `json:"all,omitempty"` // any alert may have changed
}

// maxNotice is how many bytes a notice has at most: what carries them has limits of its own.
const maxNotice = 3000

// poll waits for changes until ctx ends or the platform does not know the cursor; where hosts take
// turns, only while it is this one's. It runs on a goroutine of Watch, and its error ends the
// watching, after which the engine begins anew and reads all alerts.
func (p *Platform) poll(ctx context.Context, w *watcher) error {
	if p.cfg.Turns == nil {
		return p.changes(ctx, "", func(_ string, alerts []wire.AlertRef, all bool) {
			if all {
				w.hint(platform.Hint{})
			}
			w.hint(p.hinted(alerts)...)
		})
	}
	var turn platform.Turn
	for {
		if err := p.whileTurnIs(ctx, &turn, false); err != nil {
			return err
		}
		if err := p.pollInTurn(ctx, &turn); err != nil {
			return err
		}
	}
}

// pollInTurn waits for changes until this host's turn is over, from where it or another host was.
// nil says that the turn has gone to another host, which goes on from the last cursor.
func (p *Platform) pollInTurn(ctx context.Context, turn *platform.Turn) error {
	// Losing the turn ends the question that is waiting, so that two hosts do not wait at once.
	asking, stop := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	// The turn is renewed while the question for changes waits, which takes longer than a turn.
	keeping.Go(func() {
		defer stop()
		_ = p.whileTurnIs(asking, turn, true) // it ends with its context, which is looked at below
	})
	cursor := ""
	if known := p.cursor.Load(); known != nil {
		cursor = *known
	}
	err := p.changes(asking, cursor, func(cursor string, alerts []wire.AlertRef, all bool) {
		// The others hear it first: should this host die now, the next one goes on from here.
		n := notice{Cursor: cursor, Alerts: alerts, All: all}
		p.tell(n)
		p.take(n)
	})
	// Before stop, which would make it true in any case.
	over := asking.Err() != nil
	stop()
	keeping.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case over && !integration.KindOf(err).Final():
		return nil
	}
	// The platform does not know the cursor any more: whoever is next begins without one.
	p.cursor.Store(nil)
	return err
}

// whileTurnIs returns when the turn is no longer this host's, or has become so, or with ctx's
// error. The key names the platform and tenant, so hosts with different settings do not wait for
// one another.
func (p *Platform) whileTurnIs(ctx context.Context, turn *platform.Turn, ours bool) error {
	key := "changes " + p.base + " " + p.cfg.Tenant
	for {
		now := p.clock.Now()
		is, again := turn.Ours(ctx, p.cfg.Turns, key, now)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if is != ours {
			return nil
		}
		if err := clock.Sleep(ctx, p.clock, again.Sub(now)); err != nil {
			return err
		}
	}
}

// tell hands an answer on to the other hosts. Of what is too long for a notice they hear that any
// alert may have changed.
func (p *Platform) tell(n notice) {
	if p.cfg.Tell == nil {
		return
	}
	text, err := json.Marshal(n)
	if err == nil && len(text) > maxNotice {
		// The cursor must not be lost with the list.
		text, err = json.Marshal(notice{Cursor: n.Cursor, All: true})
	}
	if err == nil {
		p.cfg.Tell(string(text))
	}
}

// Heard takes what another host has sent: what it brings is hinted at, and where this host would go
// on.
func (p *Platform) Heard(text string) {
	var n notice
	if json.Unmarshal([]byte(text), &n) == nil {
		p.take(n)
	}
}

// take keeps where to go on, and hints at what has changed. It is called for notices of other hosts
// and for this host's own answers alike.
func (p *Platform) take(n notice) {
	if n.Cursor != "" {
		p.cursor.Store(&n.Cursor)
	}
	if n.All {
		p.watchers.hint(platform.Hint{})
	}
	p.watchers.hint(p.hinted(n.Alerts)...)
}
