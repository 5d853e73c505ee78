package app

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
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
	if r := look(); !r.Busy || r.Result != event.Failed {
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
	if r := look(); r.Busy || r.Result != event.Failed {
		t.Errorf("after them: %+v, want that Twilio gave no answer", r)
	}
}

// silent is a network on which nobody ever answers.
type silent struct{}

func (silent) RoundTrip(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// A Twilio that does not answer is waited for as long as the task says, not as long as the host
// would.
func TestALookUpEndsWhenTwilioDoesNotAnswer(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.post(endpointURL, "CallStatus", "ringing")
	app := New(Config{Version: "1.0.0", Transport: silent{}})
	app.lookTimeout, app.onlineTimeout = 10*time.Millisecond, 10*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// A look-up that goes on for ever is a failure, no hang.
	defer time.AfterFunc(time.Minute, cancel).Stop()
	res, err := app.Perform(ctx, integration.PerformRequest{Facts: h.facts(callSID), Attempt: 1, Task: integration.Task{Name: taskLookCall, Payload: encode(payload{Kind: taskLookCall})}})
	var r result
	if err == nil {
		err = json.Unmarshal(res.Payload, &r)
	}
	if err != nil || r.Result != event.Failed || r.Busy || ctx.Err() != nil {
		t.Errorf("result %+v, %v, want that Twilio gave no answer before the host gave up (%v)", r, err, ctx.Err())
	}
	val, err := app.ValidateOptions(ctx, integration.ValidateOptionsRequest{Options: h.inst.Options, Instance: h.inst, Destinations: h.dests, Online: true})
	if err != nil || ctx.Err() != nil || len(val.Warnings) == 0 || val.Warnings[len(val.Warnings)-1].Code != "unavailable" {
		t.Errorf("the form: %+v, %v, want a warning that Twilio did not answer before the person gave up (%v)", val.Warnings, err, ctx.Err())
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
