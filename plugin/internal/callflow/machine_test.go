package callflow

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
)

// TestWhatAStepReturnsStaysAsItIs takes steps of one call and of another, whose machines are used
// again, and looks at what the first returned once more.
func TestWhatAStepReturnsStaysAsItIs(t *testing.T) {
	text := func(v ...any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := newCall(t, config.Defaults())
	first.arrive()
	state, reply, effects := first.state, first.reply, first.effects
	if reply == nil || len(effects) < 2 {
		t.Fatalf("an arrival gave the reply %v and %d effects", reply, len(effects))
	}
	before := text(state, reply, effects)
	other := newCall(t, config.Defaults()).holding()
	other.wait(time.Minute).ack("a1", "alice")
	other.timer("present")
	if after := text(state, reply, effects); after != before {
		t.Errorf("later steps changed what a step had returned:\n%s\nwas\n%s", after, before)
	}
}
