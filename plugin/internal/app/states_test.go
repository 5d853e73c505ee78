package app

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
)

// keptAsStored fails unless the state that the plugin has in memory is what the stored bytes say.
// All tests of calls pass here, after each commit.
func (h *host) keptAsStored() {
	h.t.Helper()
	a, here := h.app.(*App)
	if !here { // it is reached over a connection
		return
	}
	kept, err := a.states.read(h.session)
	stored, err2 := newStates().read(h.session)
	if err != nil || err2 != nil || callflow.Changed(kept, stored) {
		h.t.Errorf("the state that is kept differs from the stored one: %v %v\n%s", err, err2, cmp.Diff(stored, kept))
	}
}

// TestAStateThatReadsOtherwiseThanItWasWrittenIsNotKept: JSON replaces what is no UTF-8.
func TestAStateThatReadsOtherwiseThanItWasWrittenIsNotKept(t *testing.T) {
	t.Parallel()
	k := newStates()
	s := call.State{Phase: call.PhaseHolding, Caller: call.Caller{Sid: "CA1", City: "Z\xfcrich"}}
	data, format, err := call.Write(s, 0)
	if err != nil {
		t.Fatal(err)
	}
	k.wrote("CA1", data, format, s)
	got, err := k.read(&integration.Session{Key: "CA1", State: data, Format: format})
	if err != nil || got.Caller.City != "Z\ufffdrich" {
		t.Errorf("read as %q, %v", got.Caller.City, err)
	}
}

// TestKeptStatesAreBounded whatever comes: thousands of calls, and states of older formats.
func TestKeptStatesAreBounded(t *testing.T) {
	t.Parallel()
	k := newStates()
	written := func(i, format int) *integration.Session {
		data, got, err := call.Write(call.State{Phase: call.PhaseHolding, Caller: call.Caller{Sid: fmt.Sprint("CA", i)}}, format)
		if err != nil || got != max(format, 2) && format != 0 {
			t.Fatal(got, err)
		}
		return &integration.Session{Key: fmt.Sprint("CA", i), State: data, Format: got}
	}
	for i := range 3 * keptStates {
		s := written(i, 0)
		k.wrote(s.Key, s.State, s.Format, call.State{Phase: call.PhaseHolding, Caller: call.Caller{Sid: s.Key}})
		if got, err := k.read(s); err != nil || got.Caller.Sid != s.Key {
			t.Fatal(got, err)
		}
		if _, err := k.read(written(i+keptStates, 2)); err != nil {
			t.Fatal(err)
		}
	}
	if n := k.kept.Len(); n != keptStates {
		t.Errorf("%d states are kept, want %d", n, keptStates)
	}
}

// TestACallTakesOnePlace however often its state changes, so that as many calls are kept as there
// are places. The one that was quiet for longest goes, and the state is that of the last change.
func TestACallTakesOnePlace(t *testing.T) {
	t.Parallel()
	k := newStates()
	write := func(i int, phase call.Phase) {
		st := call.State{Phase: phase, Caller: call.Caller{Sid: fmt.Sprint("CA", i)}}
		data, format, err := call.Write(st, 0)
		if err != nil {
			t.Fatal(err)
		}
		k.wrote(st.Caller.Sid, data, format, st)
	}
	for i := range keptStates {
		for _, phase := range []call.Phase{call.PhaseChoosing, call.PhaseHolding, call.PhaseTalking} {
			write(i, phase)
		}
	}
	write(0, call.PhaseEnded)
	write(keptStates, call.PhaseChoosing)
	for i := range keptStates + 1 {
		if got := k.kept.Contains(fmt.Sprint("CA", i)); got != (i != 1) {
			t.Errorf("call %d is kept: %v", i, got)
		}
	}
	if kept, _ := k.kept.Peek("CA0"); kept.state.Phase != call.PhaseEnded {
		t.Errorf("the first call is kept as %q", kept.state.Phase)
	}
}

// TestAKeptStateIsNotReadAgain, neither one that was written nor one that was read once: nothing is
// allocated for it. Not beside other tests, as it counts what all allocate.
func TestAKeptStateIsNotReadAgain(t *testing.T) {
	st := call.State{Phase: call.PhaseHolding, Caller: call.Caller{Sid: "CA1"}}
	data, format, err := call.Write(st, 0)
	if err != nil {
		t.Fatal(err)
	}
	session := &integration.Session{Key: "CA1", State: data, Format: format}
	written, read := newStates(), newStates()
	written.wrote("CA1", data, format, st)
	for name, k := range map[string]states{"written": written, "read": read} {
		objects := testing.AllocsPerRun(100, func() { // once before it counts
			if got, err := k.read(session); err != nil || got.Phase != st.Phase {
				t.Error(got.Phase, err)
			}
		})
		if objects != 0 {
			t.Errorf("to know a state that was %s takes %v objects", name, objects)
		}
	}
}
