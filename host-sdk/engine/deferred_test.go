package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/sessions"
)

// What is kept for later grows neither with one session's requests nor with everybody's, and room
// that was taken off is there again.
func TestRequestsAreKeptForLaterUpToALimit(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	one, two := sessions.Ref{Integration: "i", Key: "one"}, sessions.Ref{Integration: "i", Key: "two"}
	var d deferred
	for i := range deferredItems {
		if !d.add(one, request{1, 10}, now) {
			t.Fatalf("request %d of a session is refused", i)
		}
	}
	if d.add(one, request{1, 10}, now) {
		t.Error("a session has more requests kept than it may")
	}
	if !d.add(two, request{1, deferredBytes}, now) || d.add(two, request{1, 1}, now) {
		t.Error("a session may have its bytes, and no more")
	}
	d.done(one, request{1, 10})
	d.done(sessions.Ref{Integration: "i", Key: "never counted"}, request{1, 10})
	if !d.add(one, request{1, 10}, now) || d.add(one, request{1, 10}, now) {
		t.Error("a request that was handled makes room for one")
	}
	for range deferredItems {
		d.done(one, request{1, 10})
	}
	d.done(two, request{1, deferredBytes})
	if d.items != 0 || d.bytes != 0 || len(d.sessions) != 0 {
		t.Errorf("when all is handled, %d with %d bytes of %d sessions are counted", d.items, d.bytes, len(d.sessions))
	}
}

// What an earlier process has kept is not counted, so its end makes no room beyond the limit.
func TestARequestThatWasNotCountedMakesNoRoom(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	one := sessions.Ref{Integration: "i", Key: "one"}
	var d deferred
	for i := range deferredItems {
		if !d.add(one, request{int64(i), 10}, now) {
			t.Fatalf("request %d of a session is refused", i)
		}
	}
	// The first is of the same size, the second was given up at the same time.
	d.done(one, request{-1, 10})
	d.done(one, request{1, 11})
	if d.items != deferredItems || d.bytes != 10*deferredItems || d.add(one, request{0, 10}, now) {
		t.Errorf("%d with %d bytes are counted", d.items, d.bytes)
	}
}

// Those of sessions that have gone with their requests are not counted for ever: after a day
// nothing of them can be in the outbox.
func TestRoomOfRequestsThatHaveGoneIsThereAgainAfterADay(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_800_000_000, 0)
	for name, fill := range map[string]func(d *deferred, at time.Time){
		"items": func(d *deferred, at time.Time) {
			for i := range deferredAllItems {
				if !d.add(sessions.Ref{Integration: "i", Key: fmt.Sprint(i / deferredItems)}, request{1, 1}, at) {
					t.Fatalf("request %d is refused", i)
				}
			}
		},
		"bytes": func(d *deferred, at time.Time) {
			for i := range deferredAllBytes / deferredBytes {
				if !d.add(sessions.Ref{Integration: "i", Key: fmt.Sprint(i)}, request{1, deferredBytes}, at) {
					t.Fatalf("request %d is refused", i)
				}
			}
		},
	} {
		var d deferred
		fill(&d, start)
		other := sessions.Ref{Integration: "i", Key: "other"}
		if d.add(other, request{1, 1}, start.Add(commandNotAfter)) {
			t.Errorf("%s: more is kept than may be, and may still be handled", name)
		}
		if !d.add(other, request{1, 1}, start.Add(commandNotAfter+time.Second)) {
			t.Errorf("%s: there is no room a day later", name)
		}
		if d.items != 1 || d.bytes != 1 || len(d.sessions) != 1 {
			t.Errorf("%s: a day later %d with %d bytes of %d sessions are counted, want the one", name, d.items, d.bytes, len(d.sessions))
		}
	}
}
