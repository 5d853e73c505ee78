package answers

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/known"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/patient"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Config says whom to ask.
type Config struct {
	Store    store.Store
	Platform platform.Platform
	Known    *known.Known
	Clock    clock.Clock
	Log      *slog.Logger
	Callers  *Callers // nil: others write to the store as well, so it is asked who has called
}

// Answers answers what handlers ask. Use New.
type Answers struct{ cfg Config }

// New returns answers of these.
func New(cfg Config) *Answers { return &Answers{cfg} }

// To answers the questions of one round, all at once, so a round takes as long as its slowest
// question. The order of the answers is that of the questions.
//
// With copies, what the platform said last may stand for what it cannot say now: a caller is better
// served by it than by nobody. A person who asks wants to know.
func (a *Answers) To(ctx context.Context, in store.Integration, key string, questions []integration.Question, now time.Time, copies bool) []integration.Answer {
	list := make([]integration.Answer, len(questions))
	var g errgroup.Group
	for i, q := range questions {
		answer := func() error {
			list[i] = a.answer(ctx, in, key, q, now, copies)
			return nil
		}
		if len(questions) == 1 {
			_ = answer()
			break
		}
		g.Go(answer)
	}
	_ = g.Wait() // the functions return nil
	for i, got := range list {
		if got.Err != nil {
			a.cfg.Log.Warn("question not answered", "integration", in.ID, "call", key, "question", questions[i].Kind, "error", got.Err)
		}
	}
	return list
}

// answer answers one question, within known.PlatformTimeout and as much for the store. It does not
// fail: an answer may hold an error, and what a call does without an answer is the handler's to
// decide. Who is occupied is the store's to say, everything else about people the platform's.
func (a *Answers) answer(ctx context.Context, in store.Integration, key string, q integration.Question, now time.Time, copies bool) integration.Answer {
	asking, cancel := context.WithTimeout(ctx, known.PlatformTimeout)
	defer cancel()
	// A platform that does not answer must not use up the store's time.
	looking, cancel := context.WithTimeout(ctx, 2*known.PlatformTimeout)
	defer cancel()
	got := integration.Answer{ID: q.ID}
	at := q.At
	if at.IsZero() {
		at = now
	}
	var err error
	switch q.Kind {
	case integration.AskRoute:
		var v integration.RouteVerdict
		if v, err = a.cfg.Platform.Route(asking, a.cfg.Known.Scope(in.ID), q.Router, q.Facts, clock.OnWall(a.cfg.Clock, at)); err == nil {
			v = known.CleanVerdict(v)
			got.Route = &v
		}
	// Occupied users are read after the platform has answered, so the later of the two facts is the
	// one that changes faster.
	case integration.AskOnCall:
		if got.OnCall, got.AsOf, err = a.cfg.Known.OnCall(asking, in.ID, q, at, copies); err == nil {
			users := make([]*integration.User, len(got.OnCall))
			for i := range got.OnCall {
				users[i] = &got.OnCall[i].User
			}
			err = a.noteOccupied(looking, in.ID, key, users...)
		}
	case integration.AskUser:
		var u integration.User
		if u, got.AsOf, err = a.cfg.Known.User(asking, in.ID, q.User, copies); err == nil {
			if err = a.noteOccupied(looking, in.ID, key, &u); err == nil {
				u.AwaitedBy = a.awaitedBy(looking, in.ID, key, u.ID)
				got.User = &u
			}
		}
	case integration.AskRecentCalls:
		got.Calls, err = a.recentCalls(asking, in.ID, key, q)
	// A plugin of a newer minor may ask what this host does not know; it has to do without.
	default:
		err = integration.Errorf(integration.KindUnsupported, "this host cannot answer a question of kind %q", q.Kind)
	}
	if err != nil {
		got = integration.Answer{ID: q.ID, Err: patient.Error(asking, err)}
	}
	return got
}

// recentLimit bounds the earlier calls that one answer holds.
const recentLimit = 100

// recentCalls lists the integration's other calls from one number, the newest first. A withheld
// number is nobody's.
func (a *Answers) recentCalls(ctx context.Context, integrationID, key string, q integration.Question) ([]integration.RecentCall, error) {
	if q.From == "" || a.cfg.Callers.Not(integrationID, q.From, q.Since) {
		return nil, nil
	}
	list, _, err := a.cfg.Store.ListCalls(ctx, store.CallFilter{
		// One more, as the asking call is among them.
		Integration: integrationID, From: q.From, Since: q.Since, Limit: recentLimit + 1,
	})
	if err != nil {
		return nil, err
	}
	var calls []integration.RecentCall
	for _, c := range list {
		if c.Key == key || len(calls) == recentLimit {
			continue
		}
		calls = append(calls, integration.RecentCall{
			ID: c.Key, StartedAt: c.View.StartedAt, Ended: c.View.Ended, AlertURL: c.Alert.URL, Unproven: c.View.Unproven,
		})
	}
	return calls, nil
}
