package app

import (
	"bytes"
	"math/rand/v2"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
)

// keptStates is of how many calls the state is kept; with the JSON it was read from some 4 kB each.
// With more calls than that, most states are read anew.
const keptStates = 512

// states reads the states of sessions, and keeps those that were read or written last: a caller on
// hold asks four times a minute with the same, and to read it is a sixth of the plugin's part of
// such a request. What a state is depends on its bytes alone. Nobody may change one that is kept;
// callflow.Step works on a copy.
type states struct {
	kept *lru.Cache[string, keptState] // by the session's key
}

// keptState is a state, and the JSON of call.Format that it reads as.
type keptState struct {
	data  []byte
	state call.State
}

func newStates() states {
	kept, _ := lru.New[string, keptState](keptStates) // fails for a size below 1 alone
	return states{kept}
}

// read reads a session's state; none is a call that has not arrived. The error is KindUnsupported
// for a format that only a newer release knows, and KindInternal for bytes that are no state.
// Nothing is ever guessed: the caller then hears the fallback answer and the state stays as it is.
func (k states) read(s *integration.Session) (call.State, error) {
	var st call.State
	if s == nil || len(s.State) == 0 {
		return st, nil
	}
	if s.Format > call.Format {
		return st, integration.Errorf(integration.KindUnsupported, "session %s has format %d; this version reads up to %d", s.Key, s.Format, call.Format)
	}
	if s.Format == call.Format {
		if kept, known := k.kept.Get(s.Key); known && bytes.Equal(kept.data, s.State) {
			return kept.state, nil
		}
	}
	st, err := call.Read(s.State, s.Format)
	if err != nil {
		return st, integration.Errorf(integration.KindInternal, "session %s: the state cannot be read: %w", s.Key, err)
	}
	// With many more calls than are kept, each would otherwise push out one that is asked for
	// first.
	if k.kept.Len() < keptStates || rand.IntN(8) == 0 { // #nosec G404 -- which one is kept is no secret
		k.keep(s.Key, s.State, s.Format, st)
	}
	return st, nil
}

// wrote keeps a state that was written as these bytes: the next event of the call brings them.
func (k states) wrote(key string, data []byte, format int, st call.State) {
	// JSON has this in place of what is no UTF-8, which Twilio never sends: it reads as another
	// text.
	if bytes.Contains(data, []byte(`\ufffd`)) {
		return
	}
	st.Format = format
	k.keep(key, data, format, st)
}

// keep keeps a state in place of the call's last one, or of that of the call which was quiet for
// longest. An older format says less than the state that was written in it.
func (k states) keep(key string, data []byte, format int, st call.State) {
	if format == call.Format {
		k.kept.Add(key, keptState{data, st})
	}
}
