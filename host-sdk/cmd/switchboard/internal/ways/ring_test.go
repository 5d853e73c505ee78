package ways_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// TestRingsAreLimitedAndChooseAnIntegrationThatCan: an old plugin is passed over, and nobody is
// rung more than five times an hour.
func TestRingsAreLimitedAndChooseAnIntegrationThatCan(t *testing.T) {
	t.Parallel()
	r := ways.NewRinger(ways.RingerConfig{
		Clock: clock.System(),
		Integrations: func(context.Context) ([]store.Integration, error) {
			return []store.Integration{{ID: "off", Name: "Off"}, {ID: "old", Name: "Old", Enabled: true}, {ID: "new", Name: "New", Enabled: true}}, nil
		},
		TestRing: func(_ context.Context, id, _ string, _ map[string]string) (integration.ActionResult, error) {
			if id != "new" {
				return integration.ActionResult{}, integration.Errorf(integration.KindNotFound, "no such action")
			}
			return integration.ActionResult{Lines: []integration.ActionLine{{Field: integration.RingOutcome, Choice: integration.RingConfirmed, Text: "Yes."}}}, nil
		},
	})
	for i := range 5 {
		got, err := r.Ring(t.Context(), "alice", "")
		if err != nil || len(got) != 1 || !got[0].OK || got[0].Via != "New" {
			t.Fatalf("ring %d: %+v, %v, want one by New", i, got, err)
		}
	}
	if _, err := r.Ring(t.Context(), "alice", ""); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("sixth ring within %s: %v, want a conflict", time.Hour, err)
	}
	if _, err := r.Ring(t.Context(), "bob", "old"); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("by an old plugin: %v, want a conflict", err)
	}
	if _, err := r.Ring(t.Context(), "bob", "none"); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("by an unknown integration: %v, want not found", err)
	}
}

// phone is a person's phone, whose looks the test answers.
type phone struct {
	asked   chan map[string]string
	answers chan integration.ActionResult
}

func (p *phone) look(ctx context.Context, _, _ string, values map[string]string) (integration.ActionResult, error) {
	select {
	case p.asked <- maps.Clone(values):
		select {
		case a := <-p.answers:
			return a, nil
		case <-ctx.Done():
		}
	case <-ctx.Done():
	}
	return integration.ActionResult{}, integration.Errorf(integration.KindUnavailable, "the host ends")
}

func newPhone(clk clock.Clock, closing <-chan struct{}) (*phone, *ways.Ringer) {
	p := &phone{make(chan map[string]string), make(chan integration.ActionResult)}
	return p, ways.NewRinger(ways.RingerConfig{
		Clock: clk, TestRing: p.look, Closing: closing,
		Integrations: func(context.Context) ([]store.Integration, error) {
			return []store.Integration{{ID: "a", Name: "First", Enabled: true}, {ID: "m", Name: "Away", Enabled: true, Maintenance: true}, {ID: "b", Name: "Second", Enabled: true}}, nil
		},
	})
}

func line(field, choice, text string) integration.ActionLine {
	return integration.ActionLine{Field: field, Choice: choice, Text: text}
}

// eventually waits until the progress of a ring is as wanted.
func eventually(t *testing.T, r *ways.Ringer, user string, good func(ways.Progress) bool) {
	t.Helper()
	hosttest.Eventually(t, "the progress of the ring", func() bool { p, _ := r.Progress(user); return good(p) })
}

// TestARingOfTwoPhonesSaysHowFarItHasCome: nobody waits for it, and each phone is told of in turn.
func TestARingOfTwoPhonesSaysHowFarItHasCome(t *testing.T) {
	t.Parallel()
	p, r := newPhone(hosttest.Skipping(), nil)
	if _, known := r.Progress("alice"); known {
		t.Error("there is progress of a ring that was not made")
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := r.Start(ctx, "alice", ""); err != nil {
		t.Fatal(err)
	}
	cancel() // whoever pressed the button has gone on
	if values := <-p.asked; values[integration.ValueUser] != "alice" || values[integration.ValueRing] != "" {
		t.Errorf("the ring begins with %v", values)
	}
	eventually(t, r, "alice", func(p ways.Progress) bool { return p.Via == "First" && p.Rings == "" && !p.Over })
	p.answers <- integration.ActionResult{Lines: []integration.ActionLine{line(integration.RingNumber, "+1", ""), line(integration.RingNext, "1", ""), line(integration.RingUnderWay, "CA1", "It rings.")}}
	if values := <-p.asked; values[integration.ValueRing] != "CA1" {
		t.Errorf("the ring is looked at with %v", values)
	}
	eventually(t, r, "alice", func(p ways.Progress) bool { return p.Rings == "+1" && p.Text == "It rings." })
	p.answers <- integration.ActionResult{Lines: []integration.ActionLine{line(integration.RingOutcome, integration.RingBusy, "Busy.")}}
	if values := <-p.asked; values[integration.ValuePhone] != "1" || values[integration.ValueRing] != "" {
		t.Errorf("the second phone begins with %v", values)
	}
	eventually(t, r, "alice", func(p ways.Progress) bool {
		return len(p.Done) == 1 && p.Done[0].Text == "Busy." && p.Rings == "" && !p.Over
	})
	if _, err := r.Ring(t.Context(), "alice", ""); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("a second ring beside it: %v", err)
	}
	p.answers <- integration.ActionResult{Lines: []integration.ActionLine{line(integration.RingNumber, "+2", ""), line(integration.RingOutcome, integration.RingConfirmed, "Yes.")}}
	eventually(t, r, "alice", func(p ways.Progress) bool {
		return p.Over && p.Refused == "" && len(p.Done) == 2 && p.Done[1].OK && p.Done[1].To == "+2"
	})
}

// TestTheFirstIntegrationInUseRings, unless another is asked for.
func TestTheFirstIntegrationInUseRings(t *testing.T) {
	t.Parallel()
	_, r := newPhone(hosttest.Skipping(), nil)
	able, err := r.Able(t.Context())
	if err != nil || len(able) != 2 || able[0].ID != "a" || able[1].ID != "b" {
		t.Errorf("able are %+v, %v", able, err)
	}
}

// TestARingIsNoLongerFollowedWhenTheHostEnds: the phone hangs up by itself.
func TestARingIsNoLongerFollowedWhenTheHostEnds(t *testing.T) {
	t.Parallel()
	closing := make(chan struct{})
	p, r := newPhone(clock.System(), closing) // which would wait for minutes
	if err := r.Start(t.Context(), "alice", "b"); err != nil {
		t.Fatal(err)
	}
	<-p.asked
	p.answers <- integration.ActionResult{Lines: []integration.ActionLine{line(integration.RingUnderWay, "CA1", "It rings.")}}
	close(closing)
	eventually(t, r, "alice", func(p ways.Progress) bool {
		return p.Over && len(p.Done) == 1 && p.Done[0].Outcome == integration.RingUnknown && p.Via == "Second"
	})
}

// TestARingWhoseBeginningIsUnclearIsNotMadeAgain: what may have rung is not rung once more, and an
// answer without a line says nothing.
func TestARingWhoseBeginningIsUnclearIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]error{"no answer": integration.Errorf(integration.KindDeadline, "the plugin took too long"), "no line": nil} {
		looks := 0
		r := ways.NewRinger(ways.RingerConfig{
			Clock: clock.System(),
			Integrations: func(context.Context) ([]store.Integration, error) {
				return []store.Integration{{ID: "a", Enabled: true}, {ID: "b", Enabled: true}}, nil
			},
			TestRing: func(context.Context, string, string, map[string]string) (integration.ActionResult, error) {
				looks++
				return integration.ActionResult{}, answer
			},
		})
		got, err := r.Ring(t.Context(), "alice", "")
		if err != nil || len(got) != 1 || got[0].Outcome != integration.RingUnknown || got[0].OK || got[0].Text == "" || looks != 1 {
			t.Errorf("%s: %+v, %v after %d looks", name, got, err, looks)
		}
	}
}

// TestARingThatOnlyOldPluginsCouldMakeIsNotCounted, and says so.
func TestARingThatOnlyOldPluginsCouldMakeIsNotCounted(t *testing.T) {
	t.Parallel()
	old := true
	r := ways.NewRinger(ways.RingerConfig{
		Clock: clock.System(),
		Integrations: func(context.Context) ([]store.Integration, error) {
			return []store.Integration{{ID: "a", Enabled: true}}, nil
		},
		TestRing: func(context.Context, string, string, map[string]string) (integration.ActionResult, error) {
			if old {
				return integration.ActionResult{}, integration.Errorf(integration.KindNotFound, "no such action")
			}
			return integration.ActionResult{Lines: []integration.ActionLine{line(integration.RingOutcome, integration.RingNoAnswer, "No.")}}, nil
		},
	})
	for range 6 {
		if _, err := r.Ring(t.Context(), "alice", ""); integration.KindOf(err) != integration.KindConflict {
			t.Fatalf("an old plugin: %v", err)
		}
	}
	if p, known := r.Progress("alice"); !known || !p.Over || p.Refused == "" {
		t.Errorf("the progress is %+v", p)
	}
	old = false
	if got, err := r.Ring(t.Context(), "alice", ""); err != nil || len(got) != 1 {
		t.Errorf("after an upgrade: %+v, %v", got, err)
	}
}

// TestEachOfSeveralHostsRingsItsPart of what is allowed, and once at least.
func TestEachOfSeveralHostsRingsItsPart(t *testing.T) {
	t.Parallel()
	for hosts, want := range map[int]int{0: 5, 1: 5, 2: 2, 9: 1} {
		r := ways.NewRinger(ways.RingerConfig{
			Clock: clock.System(), Hosts: func() int { return hosts },
			Integrations: func(context.Context) ([]store.Integration, error) {
				return []store.Integration{{ID: "a", Enabled: true}}, nil
			},
			TestRing: func(context.Context, string, string, map[string]string) (integration.ActionResult, error) {
				return integration.ActionResult{Lines: []integration.ActionLine{line(integration.RingOutcome, integration.RingNoAnswer, "No.")}}, nil
			},
		})
		rings := 0
		for ; rings < 10; rings++ {
			if _, err := r.Ring(t.Context(), "alice", ""); err != nil {
				break
			}
		}
		if rings != want {
			t.Errorf("one of %d hosts rings %d times an hour, want %d", hosts, rings, want)
		}
	}
}

// TestAllTogetherAreRungThirtyTimesAnHour, and a ring of which nothing is learned says so.
func TestAllTogetherAreRungThirtyTimesAnHour(t *testing.T) {
	t.Parallel()
	ringer := func(clk clock.Clock, answer integration.ActionLine) *ways.Ringer {
		return ways.NewRinger(ways.RingerConfig{
			Clock: clk,
			Integrations: func(context.Context) ([]store.Integration, error) {
				return []store.Integration{{ID: "a", Enabled: true}}, nil
			},
			TestRing: func(context.Context, string, string, map[string]string) (integration.ActionResult, error) {
				return integration.ActionResult{Lines: []integration.ActionLine{answer}}, nil
			},
		})
	}
	r := ringer(clock.System(), line(integration.RingOutcome, integration.RingBusy, "Busy."))
	for i := range 30 {
		if _, err := r.Ring(t.Context(), fmt.Sprint("user", i), ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Ring(t.Context(), "another", ""); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("the thirty-first: %v", err)
	}
	endless := ringer(hosttest.Skipping(), line(integration.RingUnderWay, "CA1", "It rings."))
	if got, err := endless.Ring(t.Context(), "alice", ""); err != nil || len(got) != 1 || got[0].Outcome != integration.RingUnknown || got[0].Text == "" {
		t.Errorf("a ring without an end: %+v, %v", got, err)
	}
}
