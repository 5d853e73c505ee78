package snapshots

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

func TestSnapshotsAreComparedWithoutTimeAndNumber(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	open := &integration.AlertSnapshot{Key: "K", Status: integration.AlertOpen, ReadAt: at}
	later := &integration.AlertSnapshot{Key: "K", Status: integration.AlertOpen, Change: 7, ReadAt: at.Add(time.Hour)}
	closed := &integration.AlertSnapshot{Key: "K", Status: integration.AlertResolved, ReadAt: at}
	for _, tc := range []struct {
		a, b *integration.AlertSnapshot
		want bool
	}{{open, later, true}, {open, closed, false}} {
		if got := seen(tc.a) == seen(tc.b); got != tc.want {
			t.Errorf("%+v and %+v: same %v", tc.a, tc.b, got)
		}
	}
}

func TestOneReaderOfAnAlertAtATime(t *testing.T) {
	t.Parallel()
	var s singleFlight
	a, b := platform.Hint{AlertKey: "a"}, platform.Hint{AlertKey: "b"}
	if !s.begin(a) || !s.begin(b) {
		t.Fatal("nobody reads, and yet there is somebody")
	}
	for range 2 {
		if s.begin(a) {
			t.Error("two readers of one alert")
		}
	}
	if !s.end(a) {
		t.Error("the alert changed while it was being read, and is not read again")
	}
	if s.end(a) {
		t.Error("it is read a third time without a change")
	}
	if s.end(b) {
		t.Error("the other alert is read again")
	}
	if !s.begin(a) || len(s.reading) != 1 {
		t.Errorf("after the last read %d are being read, want the new one", len(s.reading))
	}
}
