package answers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

var began = time.Date(2026, 3, 4, 5, 6, 7, 891_234_567, time.UTC)

// pages are the calls of a store, the newest first, listed as a filter wants them.
type pages struct {
	store.Calls
	calls []store.Call
	err   error
	asked []store.CallFilter
}

func (p *pages) ListCalls(_ context.Context, f store.CallFilter) ([]store.Call, string, error) {
	p.asked = append(p.asked, f)
	if p.err != nil {
		return nil, "", p.err
	}
	list := slices.DeleteFunc(slices.Clone(p.calls), func(c store.Call) bool { return c.StartedAt.Before(f.Since) })
	first, _ := strconv.Atoi(f.After)
	if end := first + f.Limit; end < len(list) {
		return list[first:end], strconv.Itoa(end), nil
	}
	return list[first:], "", nil
}

// callOf is a call from a number, so long before the process began.
func callOf(from string, before time.Duration) store.Call {
	return store.Call{Integration: "int_1", View: integration.CallView{From: from}, StartedAt: began.Add(-before).Truncate(time.Millisecond)}
}

func TestOnlyWhoSurelyHasNotCalledIsNotLookedUp(t *testing.T) {
	t.Parallel()
	c := NewCallers(began)
	c.Called("int_1", "+12025550101", began.Add(time.Minute))
	c.Called("int_1", "", began.Add(time.Minute)) // a withheld number is nobody's
	for _, test := range []struct {
		what, integration, from string
		since                   time.Time
		want                    bool
	}{
		{"somebody else", "int_1", "+12025550102", began, true},
		{"somebody else, of a time before the process", "int_1", "+12025550102", began.Add(-time.Nanosecond), false},
		{"who called", "int_1", "+12025550101", began, false},
		{"who called in that millisecond", "int_1", "+12025550101", began.Add(time.Minute), false},
		{"who called before that", "int_1", "+12025550101", began.Add(time.Minute + time.Millisecond), true},
		{"the number at another integration", "int_2", "+12025550101", began, true},
		{"the names run together", "int_1+1202", "5550101", began, true},
	} {
		if got := c.Not(test.integration, test.from, test.since); got != test.want {
			t.Errorf("%s: has surely not called is %t, want %t", test.what, got, test.want)
		}
	}
	// A call that is written later with an older time has not called longer ago.
	c.Called("int_1", "+12025550101", began)
	if c.Not("int_1", "+12025550101", began.Add(time.Minute)) {
		t.Error("the older time replaces the newer one")
	}
	if (*Callers)(nil).Not("int_1", "+12025550102", began) {
		t.Error("where others write as well, somebody has surely not called")
	}
}

func TestWhoCalledBeforeTheProcessBeganIsLearnt(t *testing.T) {
	t.Parallel()
	calls := &pages{}
	for i := range callersPage + 10 { // more than one page
		calls.calls = append(calls.calls, callOf(fmt.Sprint("+1202555", 1000+i), time.Duration(i)*time.Second))
	}
	calls.calls = append(calls.calls, callOf("+12025550199", callersKept+time.Second))
	c := NewCallers(began)
	if err := c.Learn(t.Context(), calls); err != nil {
		t.Fatal(err)
	}
	anHour := began.Add(-time.Hour)
	for from, want := range map[string]bool{"+12025551000": false, fmt.Sprint("+1202555", 1000+callersPage+9): false, "+12025550199": true, "+12025550198": true} {
		if got := c.Not("int_1", from, anHour); got != want {
			t.Errorf("%s: has surely not called is %t, want %t", from, got, want)
		}
	}
	if c.Not("int_1", "+12025550198", began.Add(-callersKept-time.Second)) {
		t.Error("of a time that was not read, somebody has surely not called")
	}
	if len(calls.asked) != 2 {
		t.Errorf("the store was asked %d times, want for two pages", len(calls.asked))
	}
}

func TestOfManyCallsOnlyTheLatestAreLearnt(t *testing.T) {
	t.Parallel()
	calls := &pages{}
	for i := range 2 * callersLearnt {
		calls.calls = append(calls.calls, callOf(fmt.Sprint("+1202555", 10_000+i), time.Duration(i)*100*time.Millisecond))
	}
	c := NewCallers(began)
	if err := c.Learn(t.Context(), calls); err != nil {
		t.Fatal(err)
	}
	oldest := calls.calls[callersLearnt-1].StartedAt // of those that were read
	if !c.Not("int_1", "+12025550199", oldest.Add(time.Millisecond)) || c.Not("int_1", "+12025550199", oldest) {
		t.Error("what is known does not end where reading ended")
	}
	if len(calls.asked) != callersLearnt/callersPage {
		t.Errorf("the store was asked %d times", len(calls.asked))
	}
}

func TestAStoreThatFailsLeavesWhatIsKnown(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	c := NewCallers(began)
	if err := c.Learn(t.Context(), &pages{err: down}); !errors.Is(err, down) {
		t.Errorf("learning: %v", err)
	}
	if c.Not("int_1", "+12025550101", began.Add(-time.Hour)) || !c.Not("int_1", "+12025550101", began) {
		t.Error("what is known is not what has happened since the process began")
	}
}

// TestCallersAreForgotten holds both limits: those of long ago go, and too many go at once. In
// either case the store is asked about times of which nothing is known any more.
func TestCallersAreForgotten(t *testing.T) {
	t.Parallel()
	c := NewCallers(began)
	c.Called("int_1", "+12025550101", began)
	later := began.Add(callersKept + time.Hour)
	for i := range callersMost / 10 {
		c.Called("int_1", fmt.Sprint("+1202555", 10_000+i), later)
	}
	if n := len(c.last); n > callersMost/10 {
		t.Errorf("%d callers are kept, that of three hours ago among them", n)
	}
	if edge := later.Add(-callersKept); c.Not("int_1", "+12025550101", edge.Add(-time.Millisecond)) || !c.Not("int_1", "+12025550101", edge) {
		t.Error("what is known does not begin two hours ago")
	}
	for i := range 2 * callersMost {
		c.Called("int_1", fmt.Sprint("+1202555", 100_000+i), later)
		if len(c.last) > callersMost {
			t.Fatalf("%d callers are kept", len(c.last))
		}
	}
	if last := fmt.Sprint("+1202555", 100_000+2*callersMost-1); c.Not("int_1", last, later) {
		t.Error("the last caller is forgotten")
	}
	if c.Not("int_1", "+12025550102", later.Add(-time.Millisecond)) || !c.Not("int_1", "+12025550102", later) {
		t.Error("what is known does not begin where all were forgotten")
	}
}

// TestWhatIsForgottenWhileLearningStaysUnknown: so many call meanwhile that all are forgotten.
func TestWhatIsForgottenWhileLearningStaysUnknown(t *testing.T) {
	t.Parallel()
	c := NewCallers(began)
	if err := c.Learn(t.Context(), &crowd{c: c}); err != nil {
		t.Fatal(err)
	}
	if c.Not("int_1", "+12025550101", began.Add(-time.Hour)) {
		t.Error("somebody has surely not called in the hour of which all was forgotten")
	}
	if c.Not("int_1", "+12025550101", began) || !c.Not("int_1", "+12025550101", began.Add(time.Second)) {
		t.Error("what is known does not begin where all were forgotten")
	}
}

// crowd lets many call while the store is read.
type crowd struct {
	store.Calls
	c *Callers
}

func (c *crowd) ListCalls(context.Context, store.CallFilter) ([]store.Call, string, error) {
	for i := range callersMost - 1 {
		c.c.Called("int_1", fmt.Sprint("+1202555", 100_000+i), began.Add(time.Second))
	}
	return []store.Call{callOf("+12025550102", time.Minute), callOf("+12025550103", time.Hour), callOf("+12025550104", time.Hour)}, "", nil
}
