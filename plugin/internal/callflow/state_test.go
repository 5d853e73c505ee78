package callflow

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStoredSessionsAreStillRead holds [State] to sessions of format 1 as they were stored before:
// each is read without an unknown field, is written back as it was, and the call goes on from it.
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
		var s State
		d := json.NewDecoder(bytes.NewReader(stored))
		d.DisallowUnknownFields()
		if err := d.Decode(&s); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		written, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(stored), string(written)+"\n"); diff != "" {
			t.Errorf("%s is not written back as it was (-stored +written):\n%s", file, diff)
		}
	}
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
		if err := json.Unmarshal(stored, &c.state); err != nil {
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
	c.do(Event{Kind: EventLeft, QueueResult: "hangup"})
	c.ended(EndConnected)

	c = resume("awaiting-recording")
	c.do(Event{Kind: EventFetched, Result: Done, RecordingSid: "RE1", Media: &audio})
	c.ended(EndMessageLeft)
	same(t, of[Mail](c.effects)[0].Transcript, "Please call back.")

	c = resume("ended")
	same(t, c.do(Event{Kind: EventArrival}), HangupReply{Say: say(PromptGoodbye)})
}
