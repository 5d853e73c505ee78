package app

import (
	"bytes"
	"math/rand/v2"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
)

// keptStates is how many states are kept; with the JSON they were read from some 4 kB each. With
// more calls than that, most states are read anew.
const keptStates = 512

// states reads the states of sessions, and keeps those that were read or written of late: a caller
// on hold asks four times a minute with the same, and to read it is a sixth of the plugin's part of
// such a request. What a state is depends on its bytes alone. Nobody may change one that is kept;
// callflow.Step works on a copy.
type states struct {
	mu   sync.Mutex
	kept map[string]call.State // by JSON of call.Format
}

// read reads a session's state; none is a call that has not arrived. The error is KindUnsupported
// for a format that only a newer release knows, and KindInternal for bytes that are no state.
// Nothing is ever guessed: the caller then hears the fallback answer and the state stays as it is.
func (k *states) read(s *integration.Session) (call.State, error) {
	var st call.State
	if s == nil || len(s.State) == 0 {
		return st, nil
	}
	if s.Format > call.Format {
		return st, integration.Errorf(integration.KindUnsupported, "session %s has format %d; this version reads up to %d", s.Key, s.Format, call.Format)
	}
	if s.Format == call.Format {
		k.mu.Lock()
		st, known := k.kept[string(s.State)]
		k.mu.Unlock()
		if known {
			return st, nil
		}
	}
	st, err := call.Read(s.State, s.Format)
	if err != nil {
		return st, integration.Errorf(integration.KindInternal, "session %s: the state cannot be read: %w", s.Key, err)
	}
	// With many more calls than are kept, each would otherwise push out one that is asked for
	// first.
	k.keep(s.State, s.Format, st, rand.IntN(8) == 0) // #nosec G404 -- which one is kept is no secret
	return st, nil
}

// wrote keeps a state that was written as these bytes: the next event of the call brings them.
func (k *states) wrote(data []byte, format int, st call.State) {
	// JSON has this in place of what is no UTF-8, which Twilio never sends: it reads as another
	// text.
	if bytes.Contains(data, []byte(`\ufffd`)) {
		return
	}
	st.Format = format
	k.keep(data, format, st, true)
}

// keep keeps a state while there is room, and with push in place of another.
func (k *states) keep(data []byte, format int, st call.State, push bool) {
	// An older format says less than the state that was written in it.
	if format != call.Format {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil {
		k.kept = map[string]call.State{}
	}
	if len(k.kept) >= keptStates {
		if !push {
			return
		}
		for old := range k.kept {
			delete(k.kept, old)
			break
		}
	}
	k.kept[string(data)] = st
}
