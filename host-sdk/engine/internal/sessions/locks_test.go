package sessions

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestALockIsGivenBackAndWaitedFor(t *testing.T) {
	t.Parallel()
	var k Locks
	a, b := Ref{"i", "a"}, Ref{"i", "b"}
	lock, err := k.Lock(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	other, err := k.Lock(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	other.Release()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := k.Lock(over, a); !errors.Is(err, context.Canceled) {
		t.Errorf("a held lock was given away: %v", err)
	}
	if again, err := k.Lock(context.Background(), b); err != nil {
		t.Errorf("a lock that was used before: %v", err)
	} else {
		again.Release()
	}
	got := make(chan Held)
	go func() {
		next, err := k.Lock(context.Background(), a)
		if err != nil {
			t.Error(err)
		}
		got <- next
	}()
	lock.Release()
	(<-got).Release()
	if len(k.m) != 0 {
		t.Errorf("%d locks are left though nobody holds one", len(k.m))
	}
}

// TestALockThatIsUsedAgainKeepsOthersOut lets many hold few keys by turns, so that each lock is
// used for one key after the other, and counts who is inside.
func TestALockThatIsUsedAgainKeepsOthersOut(t *testing.T) {
	t.Parallel()
	var k Locks
	var inside [3]atomic.Int32
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				key := (n + i) % len(inside)
				lock, err := k.Lock(context.Background(), Ref{"i", string(rune('a' + key))})
				if err != nil {
					t.Error(err)
					return
				}
				if inside[key].Add(1) != 1 {
					t.Error("two hold one key")
				}
				inside[key].Add(-1)
				lock.Release()
			}
		})
	}
	wg.Wait()
	if len(k.m) != 0 || len(k.free) > locksKept {
		t.Errorf("%d locks are left, %d are free", len(k.m), len(k.free))
	}
}
