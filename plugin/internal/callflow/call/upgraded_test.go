package call

import (
	"encoding/json"
	"testing"
	"time"
)

// A connection that was over when the release before this one stored it is judged as if it had
// ended here; one that was not goes on.
func TestAConnectionOfTheReleaseBeforeIsJudgedWhenItWasOver(t *testing.T) {
	t.Parallel()
	over := time.Date(2026, 1, 5, 9, 1, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		over any
		want time.Time
	}{
		"over":    {over, over.Add(VerdictLimit)},
		"goes on": {nil, time.Time{}},
	} {
		var stored map[string]any
		if err := json.Unmarshal(mustRead(t, "testdata/state-talking.json"), &stored); err != nil {
			t.Fatal(err)
		}
		delete(stored, "verdict_by")
		delete(stored, "talk_over_at")
		if c.over != nil {
			stored["talk_over_at"] = c.over
		}
		s, err := Read([]byte(mustJSON(t, stored)), 1)
		if err != nil {
			t.Fatal(err)
		}
		if !s.VerdictBy.Equal(c.want) {
			t.Errorf("%s: the verdict is awaited until %v, want %v", name, s.VerdictBy, c.want)
		}
	}
}

// What the release before kept with each leg is kept with people and numbers now, and its one
// recording is the first of a list.
func TestACallOfTheReleaseBeforeKeepsItsPeopleAndItsRecording(t *testing.T) {
	t.Parallel()
	const stored = `{"format":1,"phase":"ended","caller":{"sid":"CA1"},"end":"no_message",
		"alert":{"created":true,"own_layer":1,"rung_layer":2,"own_acks":["bob"],"acks":[{"id":"a1","user":"alice"},{"id":"a2","user":"bob"}]},
		"voicemail":{"offered":true,"recording_sid":"RE1","absent":true,"seconds":7,"transcribed":true,"transcript":"Hello",
			"look_at":"2026-01-05T09:02:00Z","give_up_at":"2026-01-05T09:05:00Z"},
		"legs":[
			{"id":"1","user":"alice","name":"Alice Example","phone":"+12025550143","more":["+12025550153"],"layer":1,"state":"ringing","ack":"a1",
				"planned_at":"2026-01-05T09:00:10Z","dial_at":"2026-01-05T09:00:11Z"},
			{"id":"2","user":"bob","name":"Bob Example","phone":"+12025550144","state":"declined","reason":"passed","ack":"a2",
				"planned_at":"2026-01-05T09:00:12Z","dial_at":"2026-01-05T09:00:13Z","ended_at":"2026-01-05T09:00:20Z"},
			{"id":"3","user":"alice","phone":"+12025550153","layer":2,"state":"unreached","reason":"busy","occupied":true,
				"planned_at":"2026-01-05T09:00:14Z","dial_at":"2026-01-05T09:00:15Z","ended_at":"2026-01-05T09:00:21Z"},
			{"id":"4","user":"carol","phone":"+12025550145","layer":2,"state":"planned","occupied":true,
				"planned_at":"2026-01-05T09:00:16Z","dial_at":"2026-01-05T09:00:31Z"}]}`
	s, err := Read([]byte(stored), 1)
	if err != nil {
		t.Fatal(err)
	}
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	same(t, s.Format, Format)
	same(t, s.Caller.Withheld, true)
	same(t, s.Alert.Reached, []int{1, 2})
	same(t, s.Alert.OwnAcks, []string{"a2"})
	same(t, len(s.Legs), 3) // Carol's was none: she is waited for
	same(t, s.Numbers, []Number{
		{Phone: "+12025550143", DialedAt: at(11), Rings: 1},
		{Phone: "+12025550144", DialedAt: at(13), EndedAt: at(20), Reason: ReasonPassed, Rings: 1},
		{Phone: "+12025550153", DialedAt: at(15), EndedAt: at(21), Reason: ReasonBusy, Rings: 1},
	})
	same(t, s.People, []Person{
		{User: "alice", Name: "Alice Example", Phones: []string{"+12025550143", "+12025550153"}, Layer: 1, OnCall: true, Acks: []string{"a1"},
			TurnAt: at(10), Dialed: []string{"+12025550143"}},
		{User: "bob", Name: "Bob Example", Phones: []string{"+12025550144"}, Passed: true, TurnAt: at(12), Dialed: []string{"+12025550144"}},
		{User: "carol", Phones: []string{"+12025550145"}, Layer: 2, OnCall: true, OccupiedBy: "another call", LookAt: at(31), TurnAt: at(16)},
	})
	same(t, s.Voicemail, Voicemail{Offered: true, Offers: 1, Absent: true,
		Recordings: []Recording{{Sid: "RE1", Seconds: 7, Absent: true, Transcribed: true, Transcript: "Hello"}}})
}
