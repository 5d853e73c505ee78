package goalertsim

import (
	"context"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

// run is the engine: a cycle each CycleTime.
func (s *Sim) run(ctx context.Context) {
	for clock.Sleep(ctx, s.clock, s.cfg.CycleTime) == nil {
		s.cycle(ctx)
	}
}

// Cycle runs one cycle of the engine now and waits for what it sends.
func (s *Sim) Cycle() { s.cycle(context.Background()) }

// cycle computes who is on call, escalates, and sends what is due.
func (s *Sim) cycle(ctx context.Context) {
	s.cycling.Lock()
	defer s.cycling.Unlock()
	s.mu.Lock()
	now := s.clock.Now()
	posts := s.db.computeOnCall(now)
	for _, a := range s.db.alerts {
		if a.isPending(now) {
			s.db.escalate(a, now)
		}
	}
	posts = append(posts, s.alertHooks()...)
	posts = append(posts, s.statusHooks(now)...)
	posts = append(posts, s.calls(now)...)
	s.mu.Unlock()
	s.send(ctx, posts)
}

// computeOnCall hands rotations over and finds who is on call, for schedules and services. It
// returns the webhooks of schedules that changed.
func (db *database) computeOnCall(now time.Time) (posts []post) {
	for _, r := range db.rotations {
		for ; !r.next.After(now); r.next = r.next.Add(r.shift) {
			r.index = (r.index + 1) % len(r.users)
		}
	}
	for _, s := range db.schedules {
		was, known := s.onCall, s.computed
		s.onCall, s.computed = db.onSchedule(s, now), true
		if known && !slices.Equal(was, s.onCall) {
			for _, d := range s.notify {
				posts = append(posts, post{url: d.Args["webhook_url"], body: db.scheduleHook(s)})
			}
		}
	}
	for _, s := range db.services {
		s.onCall = nil
		for i, step := range s.policy.steps {
			for _, u := range db.usersOfStep(step, now) {
				s.onCall = append(s.onCall, onCall{u, i})
			}
		}
	}
	return posts
}

// usersOfStep are the users whom a step notifies, each once.
func (db *database) usersOfStep(s *step, now time.Time) (all []*user) {
	for _, a := range s.actions {
		for _, u := range db.usersOf(a, now) {
			if !slices.Contains(all, u) {
				all = append(all, u)
			}
		}
	}
	return all
}

// escalate takes an alert to its next step and plans what the step sends. An acknowledged alert is
// opened again.
func (db *database) escalate(a *alert, now time.Time) {
	reopened := a.status == acknowledged
	a.status = triggered
	a.advance(now)
	text := unspecified("escalated")
	db.log(a, now, text, "")
	if reopened {
		db.changed(a, text)
	}
	step := a.service.policy.steps[a.step]
	for _, d := range step.actions {
		if d.Type == destWebhook {
			db.hookOf(a, d.Args["webhook_url"]).due = true
		}
	}
	for _, u := range db.usersOfStep(step, now) {
		for _, r := range u.rules {
			if !r.method.disabled && r.method.dest.Type == destVoice {
				db.messages = append(db.messages, &message{id: newID(), user: u, method: r.method, alert: a, due: now.Add(r.delay)})
			}
		}
	}
}
