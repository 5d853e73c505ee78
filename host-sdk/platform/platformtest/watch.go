package platformtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// testHints holds that a change is hinted at to every watcher, that what is read on the hint
// includes the change, and that watching ends with its context.
func testHints(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancel(b.ctx(t))
	hints := [2]chan platform.Hint{make(chan platform.Hint, 10_000), make(chan platform.Hint, 10_000)}
	ended := make(chan error, len(hints))
	for _, c := range hints {
		go func() {
			ended <- b.Platform.Watch(ctx, func(h platform.Hint) {
				select {
				case c <- h:
				default: // hints may be lost
				}
			})
		}()
	}
	b.watching(t, hints)
	s := b.session()
	b.story(t, s, func(cmd integration.AlertCommand) {
		s.apply(t, cmd)
		if cmd.Kind == integration.AlertCreate && !b.caps.UnroutedAlerts {
			return
		}
		for i, c := range hints {
			b.await(t, c, s, i, cmd)
		}
	})
	cancel()
	for range hints {
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Watch ended with %v, want its context's error", err)
			}
		case <-time.After(b.within):
			t.Fatal("Watch goes on after its context has ended")
		}
	}
}

// watching waits until both watchers get hints: Watch does not say when it has begun.
func (b *bench) watching(t *testing.T, hints [2]chan platform.Hint) {
	t.Helper()
	deadline := time.After(b.within)
	for _, c := range hints {
		for heard := false; !heard; {
			s := b.session()
			s.apply(t, s.create())
			s.apply(t, s.route(b.Team))
			select {
			case <-c:
				heard = true
			case <-time.After(b.within / 100):
			case <-deadline:
				t.Fatalf("no hint within %v", b.within)
			}
		}
	}
}

// await reads hints until one for the session's alert leads to a snapshot that includes the last
// command.
func (b *bench) await(t *testing.T, hints chan platform.Hint, s *session, watcher int, cmd integration.AlertCommand) {
	t.Helper()
	deadline := time.After(b.within)
	for {
		select {
		case h := <-hints:
			if h.AlertKey != s.key || h.Scope != b.Scope {
				continue
			}
			if a, err := b.Platform.Alert(b.ctx(t), h.Scope, h.AlertKey); err == nil && a.LastCommand >= s.last {
				return
			}
		case <-deadline:
			t.Fatalf("watcher %d has no hint for command %d (%s) within %v", watcher+1, s.last, cmd.Kind, b.within)
		}
	}
}
