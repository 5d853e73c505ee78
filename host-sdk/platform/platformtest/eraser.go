package platformtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// eraser is the platform where the host can delete alerts.
func (b *bench) eraser(t *testing.T) platform.Eraser {
	t.Helper()
	eraser, ok := b.Platform.(platform.Eraser)
	if !ok {
		t.Skip("the platform does not implement platform.Eraser")
	}
	return eraser
}

// An alert that somebody has to do with is not deleted, by hand or by age; one that is over is gone
// afterwards, if the platform can delete any.
func testErase(t *testing.T, b *bench) {
	eraser := b.eraser(t)
	s := b.open(t)
	err := eraser.EraseAlert(b.ctx(t), b.Scope, s.key)
	if integration.KindOf(err) != integration.KindUnsupported {
		wantConflict(t, "EraseAlert of an open alert", err)
	}
	if old, err := eraser.OldAlerts(b.ctx(t), b.Now().Add(-100*365*24*time.Hour), "", 1); err != nil || len(old) > 0 {
		t.Errorf("OldAlerts of a hundred years ago: %v, %v", old, err)
	}
	one := platform.OldAlert{ID: s.snapshot(t).ID, Scope: b.Scope, Key: s.key}
	if n, err := eraser.ExpireAlerts(b.ctx(t), []platform.OldAlert{one}, b.Now().Add(time.Hour)); err != nil || n != 0 {
		t.Errorf("ExpireAlerts of an open alert: %d, %v", n, err)
	}
	s.want(t, "EraseAlert and ExpireAlerts of an open alert", integration.AlertOpen)
	s.apply(t, s.resolve())
	err = eraser.EraseAlert(b.ctx(t), b.Scope, s.key)
	if integration.KindOf(err) != integration.KindUnsupported {
		if err != nil {
			t.Errorf("EraseAlert of a resolved alert: %v", err)
		}
		_, err = b.Platform.Alert(b.ctx(t), b.Scope, s.key)
		wantKind(t, "Alert after EraseAlert", err, integration.KindNotFound)
	}
	wantKind(t, "EraseAlert of an unknown alert", eraser.EraseAlert(b.ctx(t), b.Scope, unknown), integration.KindNotFound)
	wantKind(t, "EraseRecordings of an unknown alert", eraser.EraseRecordings(b.ctx(t), b.Scope, unknown, []string{"media:1"}, "deleted"), integration.KindNotFound)
}

// A number goes out of alerts, also open ones, and nothing else does. Where people see the log, it
// is gone from there.
func testForgetText(t *testing.T, b *bench) {
	eraser := b.eraser(t)
	// Of this test: a fixture may keep its alerts.
	number := fmt.Sprintf("+4930%010d", time.Now().UnixNano()%1e10)
	s := b.open(t)
	s.apply(t, s.log("called from "+number+", and not from "+number+"9"))
	before := s.snapshot(t)
	for range 2 {
		if _, err := eraser.ForgetText(b.ctx(t), number, "(forgotten)"); err != nil {
			t.Fatalf("ForgetText: %v", err)
		}
	}
	s.unchanged(t, "ForgetText", before)
	if lines, readable := b.lines(t, s); readable && b.caps.Annotations {
		want := "called from (forgotten), and not from " + number + "9"
		if text := strings.Join(lines, "\n"); !strings.Contains(text, want) {
			t.Errorf("the log after ForgetText(%q) is %q, want %q in it", number, text, want)
		}
	}
	s.apply(t, s.resolve())
}
