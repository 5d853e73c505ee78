package sharedread_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/livecallrouting/livecall/host-sdk/internal/sharedread"
)

// However many ask while one reading goes on, they share the next one, which sees what was changed
// before they asked.
func TestAllWhoAskDuringAReadingShareTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g sharedread.Group[int32]
		var value, reads atomic.Int32
		goOn := make(chan struct{})
		read := func(context.Context) (int32, error) {
			reads.Add(1)
			v := value.Load()
			<-goOn
			return v, nil
		}
		var asking sync.WaitGroup
		ask := func(want int32) {
			asking.Go(func() {
				if got, err := g.Do(t.Context(), "k", read); err != nil || got != want {
					t.Errorf("read %d (%v), want %d", got, err, want)
				}
			})
		}
		ask(0)
		synctest.Wait() // it has begun
		value.Store(1)
		for range 10 {
			ask(1)
		}
		synctest.Wait()
		if n := reads.Load(); n != 1 {
			t.Errorf("%d readings at a time", n)
		}
		close(goOn)
		asking.Wait()
		if n := reads.Load(); n != 2 {
			t.Errorf("%d readings for eleven who ask, want 2", n)
		}
		ask(1)
		asking.Wait()
		if n := reads.Load(); n != 3 {
			t.Errorf("a finished reading is used again")
		}
	})
}

// Whoever gives up takes nothing away from those who wait for the same reading.
func TestAReadingOutlivesTheOneWhoBeganIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g sharedread.Group[string]
		goOn := make(chan struct{})
		read := func(ctx context.Context) (string, error) { <-goOn; return "read", ctx.Err() }
		ctx, cancel := context.WithCancel(t.Context())
		var asking sync.WaitGroup
		asking.Go(func() {
			if _, err := g.Do(ctx, "k", read); !errors.Is(err, context.Canceled) {
				t.Errorf("whoever gave up gets %v", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		asking.Go(func() {
			if got, err := g.Do(t.Context(), "k", read); err != nil || got != "read" {
				t.Errorf("the other gets %q (%v)", got, err)
			}
		})
		synctest.Wait()
		close(goOn)
		asking.Wait()
		if got, err := g.Do(t.Context(), "other", func(context.Context) (string, error) { return "", context.DeadlineExceeded }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an error is handed on as %q, %v", got, err)
		}
	})
}
