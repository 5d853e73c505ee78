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
		if !d.add(one, 10, now) {
			t.Fatalf("request %d of a session is refused", i)
		}
	}
	if d.add(one, 10, now) {
		t.Error("a session has more requests kept than it may")
	}
	if !d.add(two, deferredBytes, now) || d.add(two, 1, now) {
		t.Error("a session may have its bytes, and no more")
	}
	d.done(one, 10)
	d.done(sessions.Ref{Integration: "i", Key: "never counted"}, 10)
	if !d.add(one, 10, now) || d.add(one, 10, now) {
		t.Error("a request that was handled makes room for one")
	}
	for range deferredItems {
		d.done(one, 10)
	}
	d.done(two, deferredBytes)
	if d.all.items != 0 || d.all.bytes != 0 || len(d.sessions) != 0 {
		t.Errorf("when all is handled, %+v of %d sessions are counted", d.all, len(d.sessions))
	}
}

// What an earlier process has kept is not counted, so its end makes no room beyond the limit.
func TestARequestThatWasNotCountedMakesNoRoom(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	one := sessions.Ref{Integration: "i", Key: "one"}
	var d deferred
	for range 3 {
		if !d.add(one, 10, now) {
			t.Fatal("a session's first requests are refused")
		}
	}
	d.done(one, deferredBytes)
	if d.all.bytes < 0 || d.all.bytes > 20 {
		t.Errorf("%d bytes are counted, want at most the two that may be left", d.all.bytes)
	}
	if d.add(one, deferredBytes+1, now) {
		t.Error("a session has more bytes kept than it may")
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
				if !d.add(sessions.Ref{Integration: "i", Key: fmt.Sprint(i / deferredItems)}, 1, at) {
					t.Fatalf("request %d is refused", i)
				}
			}
		},
		"bytes": func(d *deferred, at time.Time) {
			for i := range deferredAllBytes / deferredBytes {
				if !d.add(sessions.Ref{Integration: "i", Key: fmt.Sprint(i)}, deferredBytes, at) {
					t.Fatalf("request %d is refused", i)
				}
			}
		},
	} {
		var d deferred
		fill(&d, start)
		other := sessions.Ref{Integration: "i", Key: "other"}
		if d.add(other, 1, start.Add(commandNotAfter)) {
			t.Errorf("%s: more is kept than may be, and may still be handled", name)
		}
		if !d.add(other, 1, start.Add(commandNotAfter+time.Second)) {
			t.Errorf("%s: there is no room a day later", name)
		}
		if d.all.items != 1 || d.all.bytes != 1 || len(d.sessions) != 1 {
			t.Errorf("%s: a day later %+v of %d sessions are counted, want the one", name, d.all, len(d.sessions))
		}
	}
}
