package callflow

import (
	"os"
	"testing"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// Calls that were stored, of package call.
const storedCalls = "call/testdata/state-"

func mustRead(t failer, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return b
}

// TestStoredCallsGoOn takes up stored calls where they stood.
func TestStoredCallsGoOn(t *testing.T) {
	t.Parallel()
	resume := func(name string) *testCall {
		t.Helper()
		c := newCall(t, withVoicemail())
		var err error
		if c.state, err = call.Read(mustRead(t, storedCalls+name+".json"), 1); err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := resume("holding")
	c.ack("ack-1", "alice")
	same(t, dials(c.effects), []string{alicePhone})

	c = resume("connecting")
	c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
	c.phase(call.PhaseTalking)

	c = resume("talking")
	c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legOf(c.state, "1").CallSid, Bridged: event.BridgeYes, Seconds: 60})
	c.ended(call.EndConnected)

	c = resume("awaiting-recording")
	c.do(event.Event{Kind: event.Fetched, Result: event.Done, RecordingSid: "RE1", Media: &audio})
	c.ended(call.EndMessageLeft)
	same(t, of[effect.Mail](c.effects)[0].Transcript, "Please call back.")

	c = resume("ended")
	same(t, c.do(event.Event{Kind: event.Arrival}), reply.Hangup{Say: say(reply.PromptAfterMessage)})
}
