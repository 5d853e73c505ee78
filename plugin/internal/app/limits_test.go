package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
)

// repeater calls again and again, each call in a session of its own, as a host remembers them.
type repeater struct {
	*host
	calls []integration.RecentCall // newest first
}

func newRepeater(t *testing.T, changes map[string]any) *repeater {
	r := &repeater{host: newHost(t, changes)}
	r.inst.ProtocolMinor = integration.ProtocolMinor
	r.recent = func(q integration.Question) []integration.RecentCall {
		var out []integration.RecentCall
		for _, c := range r.calls {
			if q.From == callerNum && !c.StartedAt.Before(q.Since) {
				out = append(out, c)
			}
		}
		return out
	}
	return r
}

// call begins and ends a call, and returns the alert's title and lines; "" without an alert.
func (r *repeater) call(from string) (title string, story []string) {
	r.t.Helper()
	sid := fmt.Sprintf("CA%032x", len(r.calls)+1)
	r.session, r.alert, r.cmds, r.tasks, r.seen = nil, nil, nil, nil, map[string]int64{}
	r.post(endpointURL, "CallSid", sid, "From", from, "CallStatus", "ringing")
	if from == callerNum {
		c := integration.RecentCall{ID: sid, StartedAt: r.now}
		if r.alert != nil {
			c.AlertURL = "https://hotline.example.com/alerts/" + sid
		}
		r.calls = slices.Insert(r.calls, 0, c)
	}
	for _, c := range r.cmds {
		if c.Draft != nil {
			title = c.Draft.Title
		}
		if c.Kind == integration.AlertLog {
			story = append(story, c.Text)
		}
	}
	return title, story
}

func TestTheTwentyFirstCallOfANumberInTenMinutesRingsNobody(t *testing.T) {
	t.Parallel()
	r := newRepeater(t, map[string]any{"voicemail": false})
	for i := range 20 {
		if title, _ := r.call(callerNum); title == "" || !strings.Contains(r.kinds(), "route") {
			t.Fatalf("call %d: alert %q, commands %q", i+1, title, r.kinds())
		}
		r.now = r.now.Add(10 * time.Second)
	}
	if title, _ := r.call(callerNum); title != "" || r.kinds() != "" {
		t.Errorf("call 21: alert %q, commands %q", title, r.kinds())
	}
	doc := r.post(endpointURL+"/resume", "CallSid", r.session.Key)
	says(t, doc, words(reply.PromptRateLimited, prompts.Args{}))
	limited := func() (n int) {
		for _, line := range r.log {
			if line.Attrs[integration.LogLimit] == "calls_per_number" {
				n++
			}
		}
		return n
	}
	if limited() != 1 {
		t.Errorf("%d lines count the limit, want 1", limited())
	}
	if title, _ := r.call("anonymous"); title == "" {
		t.Error("a withheld caller is limited")
	}
	if title, _ := r.call("+12025550188"); title == "" {
		t.Error("another number is limited")
	}
	// Most of them are longer ago than ten minutes now, and the title still counts the last hour's.
	r.now = r.now.Add(10 * time.Minute)
	if title, _ := r.call(callerNum); !strings.HasSuffix(title, "(22nd call in 14 minutes)") {
		t.Errorf("later: alert %q", title)
	}
}

func TestTheThirdCallSaysSoAndLinksTheOneBefore(t *testing.T) {
	t.Parallel()
	r := newRepeater(t, nil)
	r.call(callerNum)
	r.now = r.now.Add(8 * time.Minute)
	r.call(callerNum)
	r.now = r.now.Add(4 * time.Minute)
	title, story := r.call(callerNum)
	if !strings.HasSuffix(title, "(third call in 12 minutes)") || len(story) == 0 || !strings.HasSuffix(story[0], r.calls[1].AlertURL) {
		t.Errorf("title %q, story %q", title, story)
	}
}

func TestACallerBeyondTheLiveCallsIsAskedToCallAgainLater(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"voicemail": true})
	h.inst.State = integration.HostRateLimited
	says(t, h.post(endpointURL, "CallStatus", "ringing"), words(reply.PromptRateLimited, prompts.Args{}))
	if len(h.cmds) > 0 || len(h.log) != 1 || h.log[0].Attrs[integration.LogLimit] != "live_calls" {
		t.Errorf("commands %q, log %+v", h.kinds(), h.log)
	}
}
