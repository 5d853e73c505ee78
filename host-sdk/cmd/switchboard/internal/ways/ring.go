package ways

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Ring is the way of a test ring: an integration calls the person's phones.
const Ring = "ring"

// Limits of test rings: each costs money, and somebody's attention.
const (
	// A person who tries out a new phone needs a few.
	ringsPerHour    = 5  // of one person
	allRingsPerHour = 30 // of everybody, at this host
	maxPhones       = 3  // of a person, one after the other
)

// How a ring is followed: how often it is looked at, and how long. A phone rings for a minute at
// most, and whoever answers is asked three times.
const (
	ringLook = time.Second
	ringTime = 3 * time.Minute
)

// RingTime is how long a request that rings somebody may take: longer than all their phones.
const RingTime = httpkit.RingTime

// RingerConfig makes a Ringer. All fields without a note are needed.
type RingerConfig struct {
	// TestRing is the engine's: one look at a ring, or its beginning.
	TestRing     func(ctx context.Context, integrationID, key string, values map[string]string) (integration.ActionResult, error)
	Integrations func(context.Context) ([]store.Integration, error)
	Clock        clock.Clock
	// Hosts is how many hosts ring people: each counts its own rings, and makes its part of those
	// that are allowed. nil: one.
	Hosts func() int
	// Closing is closed when the host ends: rings that nobody waits for are no longer followed
	// then, and end by themselves. nil: never.
	Closing <-chan struct{}
}

// Ringer has people's phones rung for a test, whatever platform has the people. Nothing is stored:
// a host that restarts has forgotten its rings and counts anew.
type Ringer struct {
	cfg RingerConfig

	mu    sync.Mutex
	rung  map[string][]time.Time // by user id, the last hour's
	rings map[string]*Progress   // by user id, the last one
}

// NewRinger makes a Ringer.
func NewRinger(cfg RingerConfig) *Ringer {
	return &Ringer{cfg: cfg, rung: map[string][]time.Time{}, rings: map[string]*Progress{}}
}

// Ring rings the phones of a user one after the other, by the integration of an id, or "" for the
// first of [Ringer.Able], and says what came of each. It goes on when ctx is cancelled, and takes
// no longer than [RingTime]. The error is not_found for an unknown integration, conflict if nobody
// can ring, the user is being rung already, or too often. Whoever asked may go away: a phone that
// rings cannot be taken back.
func (r *Ringer) Ring(ctx context.Context, user, by string) ([]Result, error) {
	able, err := r.candidates(ctx, by)
	if err == nil {
		err = r.begin(user)
	}
	if err != nil {
		return nil, err
	}
	return r.run(context.WithoutCancel(ctx), able, user)
}

// Start is Ring for somebody who does not wait: [Ringer.Progress] says how far it has come. The
// error is only of a ring that was not begun.
func (r *Ringer) Start(ctx context.Context, user, by string) error {
	able, err := r.candidates(ctx, by)
	if err == nil {
		err = r.begin(user)
	}
	if err != nil {
		return err
	}
	// Free of the request, which ends at once, but not of the host's end.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = r.run(ctx, able, user) // the progress has both
	}()
	// It ends with the ring at the latest, so none is left behind.
	go func() {
		defer cancel()
		select {
		case <-over:
		case <-r.cfg.Closing: // nil: never
		}
	}()
	return nil
}

// Able are the integrations that can be asked to ring, the host's choice first. None is no error.
func (r *Ringer) Able(ctx context.Context) ([]store.Integration, error) {
	able, err := r.candidates(ctx, "")
	if integration.KindOf(err) == integration.KindConflict {
		return nil, nil
	}
	return able, err
}

// run rings by the first integration that can. An older plugin does not know the action and says
// not_found: then the next integration is asked.
func (r *Ringer) run(ctx context.Context, able []store.Integration, user string) (results []Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Clock.Real(RingTime))
	defer cancel()
	defer func() { r.end(user, err) }()
	for _, in := range able {
		if results, err = r.by(ctx, in, user); integration.KindOf(err) != integration.KindNotFound {
			return results, err
		}
	}
	// Nobody was rung, so it must not count against the person.
	r.takeBack(user)
	return nil, integration.Errorf(integration.KindConflict, "the plugin cannot ring a phone for a test: install a newer one")
}

// candidates are the integrations that may ring. An id that is named is taken even where its
// integration is off: people test before they switch it on.
func (r *Ringer) candidates(ctx context.Context, by string) ([]store.Integration, error) {
	all, err := r.cfg.Integrations(ctx)
	if err != nil {
		return nil, err
	}
	var able []store.Integration
	for _, in := range all {
		if by == in.ID || (by == "" && in.Enabled && !in.Maintenance) {
			able = append(able, in)
		}
	}
	switch {
	case len(able) > 0:
		return able, nil
	case by != "":
		return nil, integration.Errorf(integration.KindNotFound, "integration %q: there is none of this id", by)
	}
	return nil, integration.Errorf(integration.KindConflict, "no integration is in use that could ring: make one, or enable it")
}

// part is what of all that hosts may do together this one may: once at least. A load balancer
// spreads the requests, and hosts do not ask each other.
func (r *Ringer) part(most int) int {
	if r.cfg.Hosts == nil {
		return most
	}
	return max(1, most/max(1, r.cfg.Hosts()))
}

// begin notes a ring. It also forgets what is older than an hour. The error is a conflict that says
// how long to wait.
func (r *Ringer) begin(user string) error {
	ofOne, ofAll := r.part(ringsPerHour), r.part(allRingsPerHour)
	r.mu.Lock()
	defer r.mu.Unlock()
	since, all := r.cfg.Clock.Now().Add(-time.Hour), 0
	for id, times := range r.rung {
		for len(times) > 0 && !times[0].After(since) {
			times = times[1:]
		}
		if r.rung[id] = times; len(times) == 0 {
			delete(r.rung, id)
		}
		all += len(times)
	}
	// One ring of a person at a time, or both would find the phone occupied.
	switch {
	case r.rings[user] != nil && !r.rings[user].Over:
		return integration.Errorf(integration.KindConflict, "the phone of %q is being rung already: wait until that is over", user)
	case len(r.rung[user]) >= ofOne:
		return integration.Errorf(integration.KindConflict, "%q was rung %d times within an hour, which is the most: try again later", user, ofOne)
	case all >= ofAll:
		return integration.Errorf(integration.KindConflict, "people were rung %d times within an hour, which is the most: try again later", ofAll)
	}
	r.rings[user] = &Progress{}
	r.rung[user] = append(r.rung[user], r.cfg.Clock.Now())
	return nil
}

// takeBack uncounts a ring that no plugin could make.
func (r *Ringer) takeBack(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if times := r.rung[user]; len(times) > 0 {
		r.rung[user] = times[:len(times)-1]
	}
}

// by rings all phones of a user by one integration. The plugin knows the phones and their order;
// each result names the next one.
func (r *Ringer) by(ctx context.Context, in store.Integration, user string) ([]Result, error) {
	var out []Result
	values := map[string]string{integration.ValueUser: user}
	for range maxPhones {
		r.note(user, func(p *Progress) { p.Via, p.Rings, p.Text = in.Name, "", "" })
		result, next, err := r.one(ctx, in, values)
		if err != nil {
			return out, err
		}
		out = append(out, result)
		r.note(user, func(p *Progress) { p.Done, p.Rings, p.Text = append(p.Done, result), "", "" })
		if next == "" {
			break
		}
		values = map[string]string{integration.ValueUser: user, integration.ValuePhone: next}
	}
	return out, nil
}

// one rings one phone and follows it to its end. next names the person's next phone. An error comes
// only of a ring that has not begun.
func (r *Ringer) one(ctx context.Context, in store.Integration, values map[string]string) (result Result, next string, err error) {
	result = Result{Way: Ring, Via: in.Name, To: "the phone", Outcome: integration.RingUnknown}
	// A session of its own for each ring, so that it touches no call's.
	key := integration.RingSessionPrefix + rand.Text()
	// Each turn is one run of the action: the first begins the ring, the others look at it.
	for end := r.cfg.Clock.Now().Add(ringTime); r.cfg.Clock.Now().Before(end); {
		answer, err := r.cfg.TestRing(ctx, in.ID, key, values)
		// The plugin has said which ring it is; from then on it is named with each look.
		begun := values[integration.ValueRing] != ""
		if err != nil && !begun {
			// Only not_found says that nothing was begun.
			if integration.KindOf(err) == integration.KindNotFound {
				return result, "", err
			}
			result.Text = "It is not known whether it rings: " + httpkit.Message(err)
			return result, next, nil
		}
		// Lines with fields are for programs; the plugin's words for people are in Text.
		for _, l := range answer.Lines {
			switch l.Field {
			case integration.RingNumber:
				result.To = l.Choice
			case integration.RingNext:
				next = l.Choice
			case integration.RingUnderWay:
				values[integration.ValueRing] = l.Choice
				r.note(values[integration.ValueUser], func(p *Progress) { p.Rings, p.Text = result.To, l.Text })
			case integration.RingOutcome:
				result.Outcome, result.Text, result.OK = l.Choice, l.Text, l.Choice == integration.RingConfirmed
				return result, next, nil
			}
		}
		// Going on would ring a second time.
		if err == nil && values[integration.ValueRing] == "" {
			result.Text = "The plugin did not say whether it rings."
			return result, next, nil
		}
		if clock.Sleep(ctx, r.cfg.Clock, ringLook) != nil {
			break
		}
	}
	result.Text = fmt.Sprintf("What came of it was not known after %.0f minutes.", ringTime.Minutes())
	return result, next, nil //nolint:nilerr // a look that failed was repeated until the time was over
}
