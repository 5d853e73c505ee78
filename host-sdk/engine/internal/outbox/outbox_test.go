package outbox

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/counting"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

func TestFailuresKeepTheirParts(t *testing.T) {
	t.Parallel()
	if (*failure)(nil).error() != nil {
		t.Error("no failure is an error")
	}
	got := (&failure{integration.KindInvalid, "m", "f", "c"}).error()
	if diff := cmp.Diff(&integration.Error{Kind: integration.KindInvalid, Message: "m", Field: "f", Code: "c"}, got); diff != "" {
		t.Error(diff)
	}
}

// deletions is a store that can only end items.
type deletions struct {
	store.Store
	ids []int64
}

func (d *deletions) DeleteItem(_ context.Context, it store.Item) error {
	d.ids = append(d.ids, it.ID)
	return nil
}

// forgetful is an engine that cannot read what it has committed.
type forgetful struct{ Engine }

func (forgetful) Ended(store.Item, *integration.TaskRequest) error { return errors.New("unreadable") }

func TestResultsThatCannotBeReadAreGivenUp(t *testing.T) {
	t.Parallel()
	st := &deletions{}
	o := New(Config{Store: st, Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Counts: counting.New(), Engine: forgetful{}})
	for i, it := range []store.Item{
		{Kind: store.ItemTask, Result: []byte("{"), Body: []byte("{}")},
		{Kind: store.ItemTask, Result: []byte("{}"), Body: []byte("{")},
		{Kind: store.ItemCommand, Result: []byte("{}"), Body: []byte("{")},
		{Kind: store.ItemMail, Result: []byte("{}"), Body: []byte("{")},
	} {
		it.ID, it.Phase = int64(i+1), store.PhaseResult
		o.process(context.Background(), it)
	}
	if diff := cmp.Diff([]int64{1, 2, 3, 4}, st.ids); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
}

// A commit that comes while a term ends claims nothing for it: whoever waits for the work of the
// term would not wait for that.
func TestNothingBeginsInATermThatIsOver(t *testing.T) {
	t.Parallel()
	o := New(Config{Clock: clock.System(), Counts: counting.New()})
	if _, ok := o.enter(); ok {
		t.Error("work begins before there is a term")
	}
	o.runs(t.Context())
	if running, ok := o.enter(); !ok || running != t.Context() {
		t.Fatal("no work begins in a term")
	}
	o.begun.Done()
	o.rests()
	if _, ok := o.enter(); ok {
		t.Error("work begins in a term that is over")
	}
}
