package app

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

// TestPerform holds, for each kind of task, what Twilio is asked and what the call flow is told.
func TestPerform(t *testing.T) {
	t.Parallel()
	other := "CA" + strings.Repeat("7e", 16)
	member := "/Queues/" + queueSID + "/Members/" + callSID + ".json"
	recording := func(call, status string) string {
		return `{"sid":"` + recSID + `","call_sid":"` + call + `","status":"` + status + `","duration":"9"}`
	}
	tests := map[string]struct {
		p       payload
		answers map[string]string
		result  event.Result
		kind    integration.Kind // of the error
		check   func(r result) bool
		asked   string
	}{
		"call found":   {payload{Kind: taskLookCall}, nil, event.Done, "", func(r result) bool { return r.CallStatus == event.StatusInProgress }, "GET /Calls/" + callSID + ".json"},
		"call unknown": {payload{Kind: taskLookCall}, map[string]string{"GET /Calls/" + callSID + ".json": "404"}, event.NotFound, "", nil, ""},
		"call: no verdict": {payload{Kind: taskLookCall}, map[string]string{"GET /Calls/" + callSID + ".json": "503"}, event.Failed, "",
			func(r result) bool { return strings.Contains(r.Detail, "503") }, ""},
		"end a leg":              {payload{Kind: taskEndLeg, Leg: "1", CallSID: legSID}, nil, event.Done, "", nil, "POST /Calls/" + legSID + ".json"},
		"end a leg that is gone": {payload{Kind: taskEndLeg, Leg: "1", CallSID: legSID}, map[string]string{"POST /Calls/" + legSID + ".json": "404"}, event.Done, "", nil, ""},
		"end a leg, try again":   {payload{Kind: taskEndLeg, Leg: "1", CallSID: legSID}, map[string]string{"POST /Calls/" + legSID + ".json": "500"}, "", integration.KindUnavailable, nil, ""},
		"tell a leg":             {payload{Kind: taskEndLeg, Leg: "1", CallSID: legSID, Tell: true, Step: 2}, nil, event.Done, "", nil, "POST /Calls/" + legSID + ".json"},
		"look for a leg":         {payload{Kind: taskLookLeg, Leg: "1", CallSID: legSID}, map[string]string{"GET /Calls/" + legSID + ".json": `{"sid":"` + legSID + `","status":"completed","duration":"24"}`}, event.Done, "", func(r result) bool { return r.CallStatus == event.StatusCompleted && r.Seconds == 24 }, ""},
		"look for a leg by phone": {payload{Kind: taskLookLeg, Leg: "1", Phone: alicePhon, Since: start, Not: []string{other}}, map[string]string{"GET /Calls.json": `{"calls":[
			{"sid":"` + other + `","direction":"outbound-api","date_created":"Sun, 22 Nov 2026 10:00:09 +0000","status":"ringing"},
			{"sid":"` + legSID + `","direction":"outbound-api","date_created":"Sun, 22 Nov 2026 10:00:05 +0000","status":"ringing"}]}`}, event.Done, "", func(r result) bool { return r.CallSID == legSID }, ""},
		"no such leg":                {payload{Kind: taskLookLeg, Leg: "1", Phone: alicePhon, Since: start}, map[string]string{"GET /Calls.json": `{"calls":[]}`}, event.NotFound, "", nil, ""},
		"dequeue, not wanted":        {payload{Kind: taskDequeue, QueueSID: queueSID}, map[string]string{"POST " + member: "500"}, event.Done, "", func(result) bool { return true }, ""},
		"delete the queue":           {payload{Kind: taskDeleteQueue, QueueSID: queueSID}, nil, event.Done, "", nil, "DELETE /Queues/" + queueSID + ".json"},
		"queue still has somebody":   {payload{Kind: taskDeleteQueue, QueueSID: queueSID}, map[string]string{"DELETE /Queues/" + queueSID + ".json": "400"}, event.Failed, "", nil, ""},
		"fetch":                      {payload{Kind: taskFetch, RecordingSID: recSID}, map[string]string{"GET /Recordings/" + recSID + ".json": recording(callSID, "completed")}, event.Done, "", func(r result) bool { return r.Seconds == 9 }, "GET /Recordings/" + recSID + ".mp3"},
		"PT64 fetch: another call's": {payload{Kind: taskFetch, RecordingSID: recSID}, map[string]string{"GET /Recordings/" + recSID + ".json": recording(other, "completed")}, event.NotFound, "", nil, ""},
		"PT65 fetch: absent":         {payload{Kind: taskFetch, RecordingSID: recSID}, map[string]string{"GET /Recordings/" + recSID + ".json": recording(callSID, "absent")}, event.NotFound, "", nil, ""},
		"PT65 fetch: not yet":        {payload{Kind: taskFetch, RecordingSID: recSID}, map[string]string{"GET /Recordings/" + recSID + ".json": recording(callSID, "completed"), "GET /Recordings/" + recSID + ".mp3": "404"}, "", integration.KindUnavailable, nil, ""},
		"fetch: encrypted":           {payload{Kind: taskFetch, RecordingSID: recSID}, map[string]string{"GET /Recordings/" + recSID + ".json": recording(callSID, "completed"), "GET /Recordings/" + recSID + ".mp3": "400"}, event.Done, "", nil, "GET /Recordings/" + recSID + ".wav"},
		"fetch: refused":             {payload{Kind: taskFetch, RecordingSID: recSID}, map[string]string{"GET /Recordings/" + recSID + ".json": "401"}, event.Failed, "", nil, ""},
		"recordings":                 {payload{Kind: taskLookRecordings}, map[string]string{"GET /Recordings.json": `{"recordings":[` + recording(callSID, "completed") + `]}`}, event.Done, "", func(r result) bool { return cmp.Equal(r.Recordings, []listed{{recSID, "completed", 9}}) }, ""},
		"no recordings":              {payload{Kind: taskLookRecordings}, map[string]string{"GET /Recordings.json": `{"recordings":[]}`}, event.NotFound, "", nil, ""},
		"delete a recording":         {payload{Kind: taskDeleteRecording, RecordingSID: recSID}, map[string]string{"DELETE /Recordings/" + recSID + ".json": "404"}, event.Done, "", nil, ""},
		"unknown kind":               {payload{Kind: "explode"}, nil, "", integration.KindUnsupported, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, nil)
			h.hold()
			for k, v := range tt.answers {
				h.twilio.answer[k] = v
			}
			res, err := h.app.Perform(context.Background(), integration.PerformRequest{Facts: h.facts(callSID), Attempt: 1, Task: integration.Task{Name: strings.ReplaceAll(tt.p.Kind, "_", "-"), Payload: encode(tt.p), NotAfter: start.Add(time.Hour)}})
			if integration.KindOf(err) != tt.kind {
				t.Fatalf("error %v, want kind %q", err, tt.kind)
			}
			if tt.kind != "" {
				return
			}
			var r result
			if err := json.Unmarshal(res.Payload, &r); err != nil || r.Result != tt.result || (tt.check != nil && !tt.check(r)) {
				t.Errorf("result %s, want %s", res.Payload, tt.result)
			}
			if tt.asked != "" && h.twilio.count(tt.asked) != 1 {
				t.Errorf("asked %v, want %s", h.twilio.asked, tt.asked)
			}
			if (tt.p.Kind == taskFetch && r.Result == event.Done) != (len(res.Media) == 1) {
				t.Errorf("%d media", len(res.Media))
			}
		})
	}
}

func TestTellALegThatIsNotAnswered(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.hold()
	path := "POST /Calls/" + legSID + ".json"
	h.twilio.answer[path] = "!21220"
	_, err := h.app.Perform(context.Background(), integration.PerformRequest{Facts: h.facts(callSID), Attempt: 1, Task: integration.Task{
		Name: "end-1", Payload: encode(payload{Kind: taskEndLeg, Leg: "1", CallSID: legSID, Tell: true}),
	}})
	if err != nil || h.twilio.count(path) != 2 || h.twilio.form(path).Get("Status") != "completed" {
		t.Errorf("%v, asked %v", err, h.twilio.asked)
	}
}

func TestNumbersThatCannotBeDialedAreToldApart(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]event.Result{"21211": event.Refused, "21215": event.Refused, "13227": event.Refused, "21210": event.AccountError, "21266": event.Refused, "99999": event.Refused, "20429": event.Failed, "10004": event.Failed} {
		h := newHost(t, nil)
		h.hold()
		h.acknowledge("alice")
		h.twilio.answer["POST /Calls.json"] = "!" + code
		for _, task := range h.tasks {
			if !strings.HasPrefix(task.Name, "dial-") {
				continue
			}
			res, err := h.app.Perform(context.Background(), integration.PerformRequest{Facts: h.facts(callSID), Task: task, Attempt: 1})
			var r result
			if e := errors.Join(err, json.Unmarshal(res.Payload, &r)); e != nil || r.Result != want {
				t.Errorf("%s: %s %v, want %s", code, res.Payload, e, want)
			}
			want = ""
		}
		if want != "" {
			t.Errorf("%s: nothing was dialed", code)
		}
	}
}
