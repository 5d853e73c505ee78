package platformtest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// testDeadlines calls every method with a context that is over: it may answer or fail, but not
// hang, and a failure is not final: whoever asks again must not be told "never".
func testDeadlines(t *testing.T, b *bench) {
	s := b.open(t)
	before := s.snapshot(t)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	p := b.Platform
	calls := map[string]func() error{
		"Capabilities": func() error { _, err := p.Capabilities(over, b.Scope); return err },
		"Destinations": func() error {
			_, err := p.Destinations(over, b.Scope, []platform.Ref{{Kind: integration.DestinationTeam, ID: b.Team}})
			return err
		},
		"Teams":  func() error { _, err := p.Teams(over, b.Scope); return err },
		"OnCall": func() error { _, err := p.OnCall(over, b.Scope, b.Team, 0, b.Now()); return err },
		"Alert":  func() error { _, err := p.Alert(over, b.Scope, s.key); return err },
		"User":   func() error { _, err := p.User(over, b.Scope, b.Users[0]); return err },
		"Apply":  func() error { return p.Apply(over, b.Scope, s.number(s.resolve())) },
		"Health": func() error { return p.Health(over) },
		"Watch":  func() error { return p.Watch(over, func(platform.Hint) {}) },
	}
	if b.caps.Routers && b.Router != "" {
		calls["Route"] = func() error { _, err := p.Route(over, b.Scope, b.Router, []byte("{}"), b.Now()); return err }
	}
	if b.caps.Audiences {
		calls["Audience"] = func() error {
			_, err := p.Audience(over, b.Scope, integration.AudienceTeam, []string{b.Team}, b.Now())
			return err
		}
	}
	for name, call := range calls {
		done := make(chan error, 1)
		go func() { done <- call() }()
		select {
		case err := <-done:
			if err != nil && name != "Watch" && integration.KindOf(err).Final() {
				t.Errorf("%s under a context that is over: %v, want a kind that may be tried again", name, err)
			}
			if name == "Apply" && err != nil {
				s.unchanged(t, "a command that failed", before)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s goes on 10 s after its context has ended", name)
		}
	}
}

// together runs f n times at once.
func together(n int, f func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Add(1)
		go func() {
			defer all.Done()
			<-start
			f(i)
		}()
	}
	close(start)
	all.Wait()
}

// testConcurrentCreate creates one key from many sides.
func testConcurrentCreate(t *testing.T, b *bench) {
	s := b.session()
	cmd := s.number(s.create())
	route := s.number(s.route(b.Team))
	ctx := b.ctx(t)
	ids := make([]string, 8)
	together(len(ids), func(i int) {
		for _, c := range []integration.AlertCommand{cmd, route} {
			if err := b.Platform.Apply(ctx, b.Scope, c); err != nil {
				t.Errorf("Apply(%s): %v", c.Kind, err)
				return
			}
		}
		a, err := b.Platform.Alert(ctx, b.Scope, s.key)
		if err != nil {
			t.Errorf("Alert: %v", err)
		}
		ids[i] = a.ID
	})
	for _, id := range ids {
		if id != ids[0] || id == "" {
			t.Fatalf("one key has the alerts %v", ids)
		}
	}
	if browser, ok := b.Platform.(platform.AlertBrowser); ok {
		alerts, _, err := browser.ListAlerts(ctx, platform.AlertFilter{Integration: b.Scope.Integration, Limit: 1000})
		if err != nil {
			t.Fatalf("ListAlerts: %v", err)
		}
		n := 0
		for _, a := range alerts {
			if a.Key == s.key {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d alerts have the key", n)
		}
	}
}

// testConcurrentSessions runs whole stories at once: none may disturb another.
func testConcurrentSessions(t *testing.T, b *bench) {
	alone := b.session()
	b.story(t, alone, func(cmd integration.AlertCommand) { alone.apply(t, cmd) })
	want := comparable(alone.snapshot(t))
	sessions := make([]*session, 8)
	for i := range sessions {
		sessions[i] = b.session()
		s := sessions[i]
		s.apply(t, s.create())
		s.apply(t, s.route(b.Team))
	}
	ctx := b.ctx(t)
	together(len(sessions), func(i int) {
		s := sessions[i]
		if b.caps.Annotations {
			for range 10 {
				if err := b.Platform.Apply(ctx, b.Scope, s.number(s.log("line"))); err != nil {
					t.Errorf("Apply(log): %v", err)
				}
			}
		}
		if err := b.Platform.Apply(ctx, b.Scope, s.number(s.resolve())); err != nil {
			t.Errorf("Apply(resolve): %v", err)
		}
	})
	for _, s := range sessions {
		a := s.want(t, "resolve", integration.AlertResolved)
		if a.LastCommand != s.last {
			t.Errorf("last command %d, want %d", a.LastCommand, s.last)
		}
	}
	if got := comparable(alone.snapshot(t)); got.Status != want.Status || got.Layer != want.Layer || got.LastCommand != want.LastCommand {
		t.Errorf("an alert nobody touched changed from\n%+v to\n%+v", want, got)
	}
}
