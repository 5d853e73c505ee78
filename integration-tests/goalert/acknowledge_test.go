package goalert_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

// hints collects hints until the test ends.
func (h *host) hints(t *testing.T) chan platform.Hint {
	t.Helper()
	all := make(chan platform.Hint, 1000)
	watching := h.Platform
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = watching.Watch(ctx, func(h platform.Hint) {
			select {
			case all <- h:
			default:
			}
		})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return all
}

// hinted waits, after hints, until the snapshot is as wanted.
func (c *call) hinted(t *testing.T, hints chan platform.Hint, what string, want func(integration.AlertSnapshot) bool) integration.AlertSnapshot {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for {
		select {
		case h := <-hints:
			if h.AlertKey != c.key {
				continue
			}
			if s := c.snapshot(); want(s) {
				return s
			}
		case <-deadline:
			t.Fatalf("no hint at %s", what)
		}
	}
}

func (h *host) drain(hints chan platform.Hint) {
	for len(hints) > 0 {
		<-hints
	}
}

func acknowledged(s integration.AlertSnapshot) bool { return s.Status == integration.AlertAcknowledged }

func acknowledge(user string) integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertAcknowledge, User: user}
}

// The order of lines, and whether a moment belongs to what came since, were not observed.
func TestWhoAcknowledgesInGoAlertIsNamedAfterAPoll(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]goalertsim.Config{
		"v0.34.1": {}, "HEAD": {Version: goalertsim.Head}, "oldest first": {OldestFirst: true}, "since is exclusive": {SinceExclusive: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := openWith(t, cfg)
			alice, bob := w.Person("Alice Example", ""), w.Person("Bob Example", "")
			s := w.service(0, []admin.Dest{admin.User(bob.ID)}, []admin.Dest{admin.User(alice.ID)})
			h := w.platform(t, s)
			h.onCall(t, s.ID, 2)
			hints := h.hints(t)
			c := h.open(t, s.ID)
			if !must[bool](w)(alice.Session().Acknowledge(t.Context(), c.alert())) {
				t.Fatal("not acknowledged")
			}
			got := c.hinted(t, hints, "the acknowledgement", acknowledged)
			if a := got.Acknowledgements; len(a) != 1 || a[0].User != alice.ID || a[0].ID == "" || a[0].At.IsZero() || a[0].Command != 0 {
				t.Errorf("acknowledgements %+v, want one by %s", a, alice.ID)
			}
		})
	}
}

func TestOfTwoPeopleWithOneNameNeitherIsNamed(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	alice, other := w.Person("Alice Example", ""), w.Person("Alice Example", "")
	if alice.Name != other.Name {
		t.Skip("the names are made unique")
	}
	s := w.service(0, []admin.Dest{admin.User(alice.ID), admin.User(other.ID)})
	h := w.platform(t, s)
	h.onCall(t, s.ID, 2)
	c := h.open(t, s.ID)
	must[bool](w)(alice.Session().Acknowledge(t.Context(), c.alert()))
	if got := c.snapshot(); !acknowledged(got) || got.Acknowledgements[0].User != "" {
		t.Errorf("%+v", got)
	}
}

func TestOurAcknowledgementSaysWhoTookTheCall(t *testing.T) {
	t.Parallel()
	_, h, s, alice, _ := ordinary(t)
	c := h.open(t, s.ID)
	c.apply(acknowledge(alice.ID))
	got := c.snapshot()
	if a := got.Acknowledgements; !acknowledged(got) || a[0].User != alice.ID || a[0].Command != c.last {
		t.Errorf("%+v", got)
	}
	status := c.status()
	if !status.Has("Acknowledged") || status.NoiseReason == nil || !strings.Contains(*status.NoiseReason, alice.Name) {
		t.Errorf("GoAlert has %+v", status)
	}
}

func TestWhoIsFirstInGoAlertKeepsTheAcknowledgement(t *testing.T) {
	t.Parallel()
	_, h, s, alice, bob := ordinary(t)
	c := h.open(t, s.ID)
	must[bool](h.w)(bob.Session().Acknowledge(t.Context(), c.alert()))
	c.apply(acknowledge(alice.ID))
	if got := c.snapshot(); got.Acknowledgements[0].User != bob.ID || got.Acknowledgements[0].Command != 0 {
		t.Errorf("%+v", got)
	}
	if reason := c.status().NoiseReason; reason != nil && *reason != "" {
		t.Errorf("noise reason %q though somebody else took it", *reason)
	}
}

func TestAnAcknowledgementWhoseAnswerWasLostIsOurs(t *testing.T) {
	t.Parallel()
	_, h, s, alice, _ := ordinary(t)
	c := h.open(t, s.ID)
	c.loseNext("Acknowledge")
	cmd := c.number(acknowledge(alice.ID))
	if err := c.Apply(t.Context(), c.scope, cmd); integration.KindOf(err) != integration.KindUnavailable {
		t.Fatalf("the lost answer: %v", err)
	}
	if got := c.snapshot(); got.Status != integration.AlertOpen || got.LastCommand >= cmd.Number {
		t.Errorf("before the command is done: %+v", got)
	}
	h.start(t) // as after a crash
	c.host = h
	if err := c.Apply(t.Context(), c.scope, cmd); err != nil {
		t.Fatal(err)
	}
	if got := c.snapshot(); !acknowledged(got) || got.Acknowledgements[0].User != alice.ID || got.Acknowledgements[0].Command != cmd.Number {
		t.Errorf("%+v", got)
	}
}

// ordinary is a service with Alice in the first step and Bob in the second.
func ordinary(t *testing.T) (*world, *host, admin.Service, *goalertsim.Person, *goalertsim.Person) {
	t.Helper()
	return ordinaryWith(t, goalertsim.Config{})
}

func ordinaryWith(t *testing.T, cfg goalertsim.Config) (*world, *host, admin.Service, *goalertsim.Person, *goalertsim.Person) {
	t.Helper()
	w := openWith(t, cfg)
	alice, bob := w.Person("Alice Example", ""), w.Person("Bob Example", "")
	s := w.service(0, []admin.Dest{admin.User(alice.ID)}, []admin.Dest{admin.User(bob.ID)})
	h := w.platform(t, s)
	h.onCall(t, s.ID, 2)
	return w, h, s, alice, bob
}
