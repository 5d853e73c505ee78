package app

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

func TestMusicIsServedToAnybody(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	get := func(path string, header map[string][]string) integration.Response {
		out, err := h.app.HandleWebhook(context.Background(), integration.WebhookRequest{Facts: integration.Facts{Now: start, Instance: h.inst}, Method: "GET", URL: endpointURL + path, Path: path, Header: header})
		if err != nil || out.Response == nil || !out.Quiet() {
			t.Fatalf("%s: %+v %v", path, out, err)
		}
		return *out.Response
	}
	seen := map[string]bool{}
	for _, n := range []string{"0", "1", "2", "3"} {
		r := get("/media/music-"+n+".wav", nil)
		if r.Status != 200 || r.Header["Content-Type"][0] != "audio/wav" || !strings.Contains(r.Header["Cache-Control"][0], "immutable") || len(r.Body) < 200_000 || len(r.Body) > 1<<20 {
			t.Errorf("slice %s: %d %v, %d bytes", n, r.Status, r.Header, len(r.Body))
		}
		etag := r.Header["Etag"][0]
		seen[etag] = true
		if again := get("/media/music-"+n+".wav", map[string][]string{"If-None-Match": {etag}}); again.Status != 304 || len(again.Body) != 0 {
			t.Errorf("slice %s again: %d", n, again.Status)
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d different slices", len(seen))
	}
	for _, bad := range []string{"/media/music-4.wav", "/media/music-00.wav", "/media/music--1.wav", "/media/../x", "/media/", "/media/music-1.mp3"} {
		if r := get(bad, nil); r.Status != http.StatusNotFound {
			t.Errorf("%s: %d", bad, r.Status)
		}
	}
}

// TestUploadedMusicPlaysOn: tick n plays slice n of N, over and over, whatever else the tick says.
func TestUploadedMusicPlaysOn(t *testing.T) {
	t.Parallel()
	media := "media:" + strings.Repeat("ab", 32)
	const base = "https://calls.example.com/media/"
	for name, tt := range map[string]struct {
		urls   map[string]string
		slices map[string][]string
		music  string
		want   []string
	}{
		"slices":     {map[string]string{media: base + "x"}, map[string][]string{media: {base + "1", base + "2", base + "3"}}, media, []string{base + "1", base + "2", base + "3"}},
		"short file": {map[string]string{media: base + "x"}, nil, media, []string{base + "x"}},
		"lost file":  {nil, nil, media, []string{"/media/music-0.wav", "/media/music-1.wav", "/media/music-2.wav", "/media/music-3.wav"}},
		"our own":    {nil, nil, "", []string{"/media/music-0.wav", "/media/music-1.wav", "/media/music-2.wav", "/media/music-3.wav"}},
		"address":    {nil, nil, "https://x.example.com/a.mp3", []string{"https://x.example.com/a.mp3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, map[string]any{"wait_music": tt.music})
			h.inst.MediaURLs, h.inst.MediaSlices = tt.urls, tt.slices
			next := find[twiml.Enqueue](t, h.post(endpointURL, "CallStatus", "ringing")).WaitURL
			for tick := range 9 {
				doc := h.post(next, "QueueSid", queueSID)
				if got := find[twiml.Play](t, doc).URL; !strings.Contains(got, tt.want[tick%len(tt.want)]) {
					t.Errorf("tick %d plays %s, want %s", tick, got, tt.want[tick%len(tt.want)])
				}
				next = h.next(doc)
				h.pass(15 * time.Second)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	d, err := New(Config{Version: "1.2.3"}).Describe(context.Background(), integration.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if d.ID != "livecall" || d.Version != "1.2.3" || d.Webhook.SessionField != "CallSid" || d.Webhook.SessionPrefix != "/c/" || len(d.Periodic) != 1 || len(d.Actions) != 4 {
		t.Errorf("%+v", d)
	}
	// each path whose answer is ignored is one of ours
	for _, p := range d.Webhook.IgnoredAnswerPaths {
		path := strings.Replace(strings.Replace(p, "/c/*", "/c/"+callSID, 1), "/leg/*", "/leg/1", 1)
		if _, ok := endpoint.ParseRoute(path); !ok {
			t.Errorf("%s is no path of ours", p)
		}
	}
}

func TestTheHostIsToldWhatAnArrivalAsksOfEarlierCalls(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.inst.ProtocolMinor = 1
	d, err := h.app.Describe(context.Background(), integration.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	q := d.Webhook.RecentCalls
	want := []integration.Question{{Kind: integration.AskRecentCalls, ID: q.IDPrefix + callerNum, From: callerNum, Since: h.now.Add(-q.Window)}}
	var got []integration.Question
	h.ask = func(q integration.Question) { got = append(got, q) }
	h.post(endpointURL, "CallStatus", "ringing", q.Field, callerNum)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the questions of an arrival (-described +asked):\n%s", diff)
	}
}

func TestValidateOptions(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	ctx := context.Background()
	req := integration.ValidateOptionsRequest{Options: h.inst.Options, Instance: h.inst, Destinations: h.dests, Now: start}
	res, err := h.app.ValidateOptions(ctx, req)
	if err != nil || len(res.Problems) > 0 || res.Format != 1 || !json.Valid(res.Options) || len(h.twilio.asked) > 0 {
		t.Fatalf("%+v %v, asked %v", res, err, h.twilio.asked)
	}
	req.Online = true
	if res, err = h.app.ValidateOptions(ctx, req); err != nil || len(res.Problems) > 0 || h.twilio.count("GET /IncomingPhoneNumbers.json") != 1 {
		t.Errorf("%+v %v", res.Problems, err)
	}
	for status, path := range map[string]string{"401": "api_key", "403": "api_key", "404": "account_sid"} {
		h.twilio.answer["GET /IncomingPhoneNumbers.json"] = status
		if res, err = h.app.ValidateOptions(ctx, req); err != nil || len(res.Problems) != 1 || res.Problems[0].Path != path {
			t.Errorf("PT79 %s: %+v %v", status, res.Problems, err)
		}
	}
	h.twilio.answer["GET /IncomingPhoneNumbers.json"] = "503"
	if res, err = h.app.ValidateOptions(ctx, req); err != nil || len(res.Problems) != 0 || len(res.Warnings) != 1 {
		t.Errorf("%+v %v", res, err)
	}
	req.Options, req.Online = []byte(`{}`), true
	asked := len(h.twilio.asked)
	if res, err = h.app.ValidateOptions(ctx, req); err != nil || len(res.Problems) != 3 || len(h.twilio.asked) != asked {
		t.Errorf("%+v %v", res.Problems, err)
	}
	req.Options, req.Destinations = h.inst.Options, nil
	if res, err = h.app.ValidateOptions(ctx, req); err != nil || len(res.Problems) == 0 || res.Problems[0].Path != "destinations" {
		t.Errorf("PT25 %+v %v", res.Problems, err)
	}
}

func TestPT45SweepRemovesOnlyOldEmptyQueuesOfOurs(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	prefix := endpoint.QueuePrefix(h.inst.ID)
	queue := func(n, name, size, created string) string {
		return `{"sid":"QU` + strings.Repeat(n, 32) + `","friendly_name":"` + name + `","current_size":` + size + `,"date_created":"` + created + `"}`
	}
	const old, fresh = "Fri, 20 Nov 2026 10:00:00 +0000", "Sun, 22 Nov 2026 09:00:00 +0000"
	h.twilio.answer["GET /Queues.json"] = `{"queues":[` + strings.Join([]string{
		queue("1", prefix+callSID, "0", old), queue("2", prefix+callSID, "1", old), queue("3", prefix+callSID, "0", fresh),
		queue("4", "support", "0", old), queue("5", prefix+"x", "0", old), queue("6", "lcr-other-"+callSID, "0", old),
	}, ",") + `]}`
	out := h.run(integration.IntegrationSessionKey, func(f integration.Facts) (integration.Outcome, error) {
		return h.app.HandleTask(context.Background(), integration.TaskRequest{Facts: f, Event: integration.TimerDue, Task: integration.Task{Name: "sweep", Timer: true}})
	})
	if len(out.Tasks) != 1 || out.Session != nil {
		t.Fatalf("%+v", out)
	}
	h.pass(time.Second)
	var deleted []string
	for _, a := range h.twilio.asked {
		if strings.HasPrefix(a, "DELETE") {
			deleted = append(deleted, a)
		}
	}
	if len(deleted) != 1 || !strings.Contains(deleted[0], strings.Repeat("1", 32)) {
		t.Errorf("deleted %v", deleted)
	}
}

func TestPerformIsHonest(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer  string
		attempt int
		want    string
	}{
		"made":           {"", 1, "done"},
		"second attempt": {"", 2, "unknown"},
		"not allowed":    {"401", 1, "account_error"},
		"broken":         {"503", 1, "unknown"},
		// 200 without a call: whether it took effect is open.
		"bad number": {`{"code":21211}`, 1, "unknown"},
	} {
		h := newHost(t, nil)
		h.hold()
		h.acknowledge("alice")
		var dial integration.Task
		for _, task := range h.tasks {
			if strings.HasPrefix(task.Name, "dial-") {
				dial = task
			}
		}
		if dial.Name == "" {
			h.pass(1500 * time.Millisecond)
			for _, task := range h.tasks {
				if strings.HasPrefix(task.Name, "dial-") {
					dial = task
				}
			}
		}
		if tt.answer != "" {
			h.twilio.answer["POST /Calls.json"] = tt.answer
		}
		res, err := h.app.Perform(context.Background(), integration.PerformRequest{Facts: h.facts(callSID), Task: dial, Attempt: tt.attempt})
		var r result
		if err != nil || json.Unmarshal(res.Payload, &r) != nil || string(r.Result) != tt.want {
			t.Errorf("%s: %s %v", name, res.Payload, err)
		}
		if made := h.twilio.count("POST /Calls.json"); (tt.attempt > 1) != (made == 0) {
			t.Errorf("%s: %d calls made", name, made)
		}
	}
}
