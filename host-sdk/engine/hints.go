package engine

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/known"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/outbox"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	// startedEvery paces the look at all live calls after a start: the calls of the moment are
	// served beside it.
	startedEvery = 50 * time.Millisecond
	liveLimit    = 10000 // live calls that are looked at after a start
)

// freed returns the users that a session no longer occupies, or no longer waits for, after the
// update; old is the session before it. A person rings only for the oldest of the calls that wait
// for them, so when that call gives up, the others gain as well.
func freed(old *store.Session, u *integration.SessionUpdate) []string {
	if old == nil || u == nil || !old.Live {
		return nil
	}
	var users []string
	for _, user := range old.Occupies {
		if !u.Live || !slices.Contains(u.Occupies, user) {
			users = append(users, user)
		}
	}
	for _, user := range old.WaitsFor {
		if !u.Live || !slices.Contains(u.Occupies, user) && !slices.Contains(u.WaitsFor, user) {
			users = append(users, user)
		}
	}
	return users
}

// personFree says to the calls that wait for any of these users that they may be free, the longest
// waiting first. It happens beside the request whose commit freed them.
func (e *Engine) personFree(ctx context.Context, in store.Integration, users []string) {
	e.beside(ctx, func(ctx context.Context) {
		keys, err := e.store.WaitingFor(ctx, in.ID, users)
		for _, key := range keys {
			if err == nil {
				err = e.hint(ctx, in, key, integration.TimerPersonFree)
			}
		}
		if err != nil {
			e.log.Warn("cannot say to waiting calls who is free; they look by themselves", "integration", in.ID, "error", err)
		}
	})
}

// wanted returns the users whom a session waits for since this update; none where its call has
// ended, as such a session takes nobody from others.
func wanted(old *store.Session, u *integration.SessionUpdate) []string {
	if u == nil || !u.Live || u.Call != nil && u.Call.Ended != "" {
		return nil
	}
	var users []string
	for _, user := range u.WaitsFor {
		if old == nil || !slices.Contains(old.WaitsFor, user) {
			users = append(users, user)
		}
	}
	return users
}

// personWanted says to the sessions whose call has ended, and that occupy any of these users, that
// the caller of the session key waits for them.
func (e *Engine) personWanted(ctx context.Context, in store.Integration, key string, users []string) {
	e.beside(ctx, func(ctx context.Context) {
		occupied, err := e.store.Occupied(ctx, in.ID, key)
		told := map[string]bool{"": true}
		for _, user := range users {
			by := occupied[user]
			if err != nil || told[by] {
				continue
			}
			told[by] = true
			s, gone := e.store.Session(ctx, in.ID, by)
			if gone == nil && s.Call != nil && s.Call.Ended != "" && slices.Contains(s.Occupies, user) {
				err = e.hint(ctx, in, by, integration.TimerPersonWanted)
			}
		}
		if err != nil {
			e.log.Warn("cannot say to sessions that a caller waits for their people; they look by themselves", "integration", in.ID, "error", err)
		}
	})
}

// beside does work that nobody waits for. It goes on when ctx ends, for a limited time.
func (e *Engine) beside(ctx context.Context, work func(ctx context.Context)) {
	e.background.Add(1)
	go func() {
		defer e.background.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outbox.PerformTimeout)
		defer cancel()
		work(ctx)
	}()
}

// hint runs HandleTask with a timer of the host in a session, soon and at least once. A plugin of
// an earlier minor is spared what it does not know.
func (e *Engine) hint(ctx context.Context, in store.Integration, key, name string) error {
	desc, err := e.known.Description(ctx, in.Plugin)
	if err != nil || desc.ProtocolMinor < known.HintMinor {
		return err
	}
	now := e.clock.Now()
	body, err := json.Marshal(integration.Task{Name: name, Timer: true, At: now})
	if err != nil {
		return err
	}
	err = e.store.AddItem(ctx, store.Item{
		Integration: in.ID, Key: key, Kind: store.ItemTimer, Name: name, Due: now, Phase: store.PhaseWaiting, Body: body,
	})
	e.outbox.Wake()
	return err
}

// hintAll runs HandleTask with a timer of the host in these sessions, each a while after the one
// before. A session where that fails is passed over and returned: calls look by themselves as well.
// The error is that of ctx.
func (e *Engine) hintAll(ctx context.Context, sessions []store.Session, name string, every time.Duration) (missed []store.Session, err error) {
	for i, s := range sessions {
		if i > 0 && every > 0 {
			if err := clock.Sleep(ctx, e.clock, every); err != nil {
				return missed, err
			}
		}
		in, err := e.known.Integration(ctx, s.Integration)
		if err == nil {
			err = e.hint(ctx, in, s.Key, name)
		}
		if err != nil {
			missed = append(missed, s)
		}
		if err != nil && ctx.Err() == nil {
			e.log.Warn("cannot say something to a call", "integration", s.Integration, "call", s.Key, "timer", name, "error", err)
		}
	}
	return missed, ctx.Err()
}

// live lists all live sessions, the newest first. Beyond liveLimit the oldest are left out.
func (e *Engine) live(ctx context.Context) ([]store.Session, error) { return e.liveOf(ctx, "") }

// liveOf is live for one integration; for all if id is "".
func (e *Engine) liveOf(ctx context.Context, id string) ([]store.Session, error) {
	return e.store.ListSessions(ctx, store.SessionFilter{Integration: id, LiveOnly: true, Limit: liveLimit})
}

// tellSilent says to the calls of some sessions that their caller has fallen silent.
func (e *Engine) tellSilent(ctx context.Context, silent []store.Session) (missed []store.Session, err error) {
	return e.hintAll(ctx, silent, integration.TimerCallerSilent, startedEvery)
}

// started says to every live call from before this engine that the host was away, perhaps.
func (e *Engine) started(ctx context.Context) error {
	sessions, err := e.live(ctx)
	if err != nil && ctx.Err() == nil {
		e.log.Error("cannot list live calls; they look by themselves whether they still run", "error", err)
	}
	sessions = slices.DeleteFunc(sessions, func(s store.Session) bool { return s.CreatedAt.After(e.made) })
	_, err = e.hintAll(ctx, sessions, integration.TimerHostStarted, startedEvery)
	return err
}

// changed says to the live calls of an integration that it was disabled, enabled or deleted.
func (e *Engine) changed(ctx context.Context, id string) {
	e.beside(ctx, func(ctx context.Context) {
		sessions, err := e.liveOf(ctx, id)
		if err == nil {
			_, err = e.hintAll(ctx, sessions, integration.TimerHostChanged, 0)
		}
		if err != nil {
			e.log.Warn("cannot say to calls that their integration has changed; they see it at their next request", "integration", id, "error", err)
		}
	})
}
