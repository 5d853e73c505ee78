package callflow

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStoredSessionsAreStillRead reads sessions of format 1 as they were stored before. What they
// say in words of their own is taken over, and what is written then is read back unchanged.
func TestStoredSessionsAreStillRead(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/state-*.json")
	if err != nil || len(files) < 6 {
		t.Fatalf("stored sessions: %v, %v", files, err)
	}
	for _, file := range files {
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Read(stored, 1)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		again, err := Read([]byte(mustJSON(t, s)), Format)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Errorf("%s is not read back as it was written (-written +read):\n%s", file, diff)
		}
	}
	every, err := Read(mustRead(t, "testdata/state-every-field.json"), 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(every.People) == 0 || len(every.Alert.Reached) == 0 || len(every.Numbers) == 0 {
		t.Errorf("what format 1 knew of people, layers and numbers is lost: %s", mustJSON(t, every))
	}
	if _, err := Read([]byte("{}"), Format+1); err == nil {
		t.Error("a newer format is read")
	}
}

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
	resume := func(name string) *call {
		t.Helper()
		stored, err := os.ReadFile("testdata/state-" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		c := newCall(t, withVoicemail())
		if c.state, err = Read(stored, 1); err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := resume("holding")
	c.ack("ack-1", "alice")
	same(t, dials(c.effects), []string{alicePhone})

	c = resume("connecting")
	c.do(Event{Kind: EventAnnounce, DequeuedBy: legSid("1")})
	c.phase(PhaseTalking)

	c = resume("talking")
	c.do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legOf(c.state, "1").CallSid, Bridged: BridgeYes, Seconds: 60})
	c.ended(EndConnected)

	c = resume("awaiting-recording")
	c.do(Event{Kind: EventFetched, Result: Done, RecordingSid: "RE1", Media: &audio})
	c.ended(EndMessageLeft)
	same(t, of[Mail](c.effects)[0].Transcript, "Please call back.")

	c = resume("ended")
	same(t, c.do(Event{Kind: EventArrival}), HangupReply{Say: say(PromptAfterMessage)})
}
