package app

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
)

// blocked is a network on which requests hang until they are released.
type blocked struct{ begun, release chan struct{} }

func (b blocked) RoundTrip(req *http.Request) (*http.Response, error) {
	b.begun <- struct{}{}
	select {
	case <-b.release:
	case <-req.Context().Done():
	}
	return nil, context.DeadlineExceeded
}

func TestRequestsForCallsThatAreNotProvenRunFiveAtOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"auth_token": ""})
	h.token = ""
	h.post(endpointURL, "CallStatus", "ringing")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	network := blocked{begun: make(chan struct{}, 99), release: make(chan struct{})}
	app := New(Config{Version: "1.0.0", Transport: network})
	perform := func(p payload) (integration.TaskResult, error) {
		return app.Perform(ctx, integration.PerformRequest{Facts: h.facts(callSID), Attempt: 1, Task: integration.Task{Name: p.Kind, Payload: encode(p)}})
	}
	fetch := func() error {
		_, err := perform(payload{Kind: taskFetch, RecordingSID: recSID})
		return err
	}
	look := func() result {
		res, err := perform(payload{Kind: taskLookCall})
		r := result{}
		if err == nil {
			err = json.Unmarshal(res.Payload, &r)
		}
		if err != nil {
			t.Error(err)
		}
		return r
	}
	slow := make(chan error, maxLookups)
	for range maxLookups {
		go func() { slow <- fetch() }()
	}
	for range maxLookups {
		<-network.begun
	}
	if r := look(); !r.Busy || r.Result != callflow.Failed {
		t.Errorf("the sixth, a look-up: %+v", r)
	}
	if err := fetch(); integration.KindOf(err) != integration.KindUnavailable || !strings.Contains(err.Error(), "too many") {
		t.Errorf("the sixth, a recording: %v", err)
	}
	close(network.release)
	for range maxLookups {
		if err := <-slow; integration.KindOf(err) != integration.KindDeadline {
			t.Errorf("one of five: %v, want that Twilio gave no answer", err)
		}
	}
	if r := look(); r.Busy || r.Result != callflow.Failed {
		t.Errorf("after them: %+v, want that Twilio gave no answer", r)
	}
}

func TestALookUpWhoseTurnDidNotComeSaysNothingOfTwilio(t *testing.T) {
	t.Parallel()
	late := integration.Errorf(integration.KindDeadline, "not done in time")
	if r := failed(taskLookCall, late); !r.Busy {
		t.Errorf("result %+v, want busy", r)
	}
	if r := failed(taskLookCall, integration.Errorf(integration.KindInvalid, "no such account")); r.Busy {
		t.Errorf("result %+v of an account that cannot be asked", r)
	}
}

func TestACallThatWeMadeIsNoCaller(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.token = "forged"
	h.twilio.answer["GET /Calls/"+callSID+".json"] = `{"sid":"` + callSID + `","status":"in-progress","direction":"outbound-api"}`
	h.post(endpointURL, "CallStatus", "ringing")
	h.pass(time.Minute)
	if len(h.cmds) > 0 {
		t.Errorf("commands %q", h.kinds())
	}
}

// A flood of forged calls, of which this one's turn to be looked up never comes.
func TestAForgedCallWakesNobodyWhileOthersAreLookedUp(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", authToken} {
		h := newHost(t, map[string]any{"auth_token": token, "voicemail": true})
		h.token = strings.Repeat("x", len(token))
		h.post(endpointURL, "CallStatus", "ringing")
		h.tasks = withoutLooks(h.tasks)
		h.pass(15 * time.Second)
		if len(h.cmds) > 0 {
			t.Errorf("token %q: commands %q", token, h.kinds())
		}
		h.pass(time.Minute)
		if len(h.cmds) > 0 || h.twilio.count("POST /Calls.json") > 0 {
			t.Errorf("token %q: commands %q", token, h.kinds())
		}
	}
}

func withoutLooks(tasks []integration.Task) []integration.Task {
	var out []integration.Task
	for _, task := range tasks {
		if task.Name != "look-call" {
			out = append(out, task)
		}
	}
	return out
}
