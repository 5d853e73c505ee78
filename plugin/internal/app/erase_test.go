package app

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// What Twilio keeps of a call is deleted: the recording that is named, or all of them, each after
// its transcriptions, and for a caller who is forgotten the record of the call. What is gone
// already is no error, and what Twilio refuses is one.
func TestErasingACallAtTwilio(t *testing.T) {
	t.Parallel()
	second := "RE" + strings.Repeat("2b", 16)
	words := "TR" + strings.Repeat("3c", 16)
	const begin = "Sun, 22 Nov 2026 10:00:09 +0000"
	listed := `{"recordings":[{"sid":"` + second + `","call_sid":"` + callSID + `","status":"completed","start_time":"Sun, 22 Nov 2026 10:01:00 +0000"},
		{"sid":"` + recSID + `","call_sid":"` + callSID + `","status":"completed","start_time":"` + begin + `"}]}`
	one := []integration.MediaRef{{Ref: "media:1", Name: "voicemail-20261122-100009.mp3"}}
	list, delOne, delTwo := "GET /Recordings.json", "DELETE /Recordings/"+recSID+".json", "DELETE /Recordings/"+second+".json"
	lookOne, lookTwo := "GET /Recordings/"+recSID+"/Transcriptions.json", "GET /Recordings/"+second+"/Transcriptions.json"
	delWords, delCall := "DELETE /Transcriptions/"+words+".json", "DELETE /Calls/"+callSID+".json"
	spoken := `{"transcriptions":[{"sid":"` + words + `"}]}`
	for name, tt := range map[string]struct {
		wanted  integration.Erasure
		answers map[string]string
		kind    integration.Kind
		asked   map[string]int
		erased  *integration.Erased // nil: not looked at
	}{
		"the one that is named": {integration.Erasure{Call: callSID, Media: one}, map[string]string{lookOne: spoken}, "", map[string]int{delOne: 1, delWords: 1, delTwo: 0, delCall: 0}, &integration.Erased{Recordings: 1, Transcriptions: 1}},
		"nothing is left":       {integration.Erasure{Call: callSID}, map[string]string{list: `{"recordings":[]}`}, "", map[string]int{delOne: 0, delTwo: 0}, nil},
		"gone already":          {integration.Erasure{Call: callSID, Media: one}, map[string]string{lookOne: "404", delOne: "404"}, "", map[string]int{delOne: 1}, nil},
		"refused":               {integration.Erasure{Call: callSID, Media: one}, map[string]string{lookOne: spoken, delOne: "403"}, integration.KindUnauthorized, nil, nil},
		"broken":                {integration.Erasure{Call: callSID, Media: one}, map[string]string{list: "503"}, integration.KindUnavailable, nil, nil},
		"no call":               {integration.Erasure{Call: "nobody"}, nil, integration.KindInvalid, nil, nil},
		"the call itself":       {integration.Erasure{Call: callSID, Whole: true}, map[string]string{list: `{"recordings":[]}`}, "", map[string]int{delCall: 1}, nil},
		"listed as deleted":     {integration.Erasure{Call: callSID}, map[string]string{list: strings.ReplaceAll(listed, "completed", "deleted")}, "", map[string]int{delOne: 0, delTwo: 0, list: 1}, &integration.Erased{}},
		"listed for ever":       {integration.Erasure{Call: callSID}, map[string]string{list: listed}, integration.KindUnavailable, nil, nil},
		"the call is gone too":  {integration.Erasure{Call: callSID, Whole: true}, map[string]string{list: `{"recordings":[]}`, delCall: "404"}, "", map[string]int{delCall: 1}, nil},
		"the words are gone":    {integration.Erasure{Call: callSID, Media: one}, map[string]string{lookOne: spoken, delWords: "404"}, "", map[string]int{delOne: 1, delWords: 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, nil)
			h.twilio.once = map[string]string{list: listed}
			for path, answer := range map[string]string{lookOne: `{"transcriptions":[]}`, lookTwo: `{"transcriptions":[]}`} {
				h.twilio.answer[path] = answer
			}
			h.twilio.answer[list] = `{"recordings":[]}`
			for path, answer := range tt.answers {
				delete(h.twilio.once, path)
				h.twilio.answer[path] = answer
			}
			task, err := tt.wanted.Task()
			if err != nil {
				t.Fatal(err)
			}
			facts := h.facts(callSID)
			facts.Session = nil // it has expired long ago
			res, err := h.app.Perform(context.Background(), integration.PerformRequest{Facts: facts, Attempt: 1, Task: task})
			if integration.KindOf(err) != tt.kind {
				t.Fatalf("error %v, want kind %q", err, tt.kind)
			}
			for path, want := range tt.asked {
				if got := h.twilio.count(path); got != want {
					t.Errorf("%s: asked %d times, want %d", path, got, want)
				}
			}
			var erased integration.Erased
			if err == nil && json.Unmarshal(res.Payload, &erased) != nil {
				t.Errorf("the result %s cannot be read", res.Payload)
			}
			if tt.erased != nil && erased != *tt.erased {
				t.Errorf("erased %+v, want %+v", erased, *tt.erased)
			}
		})
	}
}
