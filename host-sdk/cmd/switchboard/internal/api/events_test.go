package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	req := h.Request("GET", "/api/v1/events", nil)
	req.Header.Set("Last-Event-ID", "41")
	resp, err := h.Server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 200 {
		t.Fatalf("resp.StatusCode = %v, want %v", resp.StatusCode, 200)
	}
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf(`resp.Header.Get("Content-Type") = %q, want %q`, got, "text/event-stream")
	}

	type event struct {
		id, kind string
		data     object
	}
	events := make(chan event, 64)
	go func() {
		defer close(events)
		dec := newEventReader(resp.Body)
		for {
			id, kind, data, err := dec.next()
			if err != nil {
				return
			}
			var v object
			if json.Unmarshal([]byte(data), &v) == nil {
				events <- event{id, kind, v}
			}
		}
	}()
	call(t, h, in, "CA07")
	var sawCall, sawAlert bool
	next := 42
	for !sawCall || !sawAlert {
		ev, ok := <-events
		if !ok {
			t.Fatal("the stream ended early")
		}
		if diff := cmp.Diff(fmt.Sprint(next), ev.id); diff != "" {
			t.Fatalf("ids go on from Last-Event-ID (-want +got):\n%s", diff)
		}
		next++
		switch ev.kind {
		case "call":
			sawCall = sawCall || ev.data["sid"] == "CA07"
		case "alert":
			sawAlert = sawAlert || ev.data["key"] == "CA07" && ev.data["status"] == "open"
		default:
			t.Fatalf("event %q", ev.kind)
		}
	}
}

// hanging is a platform that shows no alert for as long as it is asked.
type hanging struct{ *embedded.Platform }

func (hanging) GetAlert(ctx context.Context, _ string) (platform.AlertRecord, error) {
	<-ctx.Done()
	return platform.AlertRecord{}, ctx.Err()
}

// A platform that does not answer holds no stream: the alert is named by its key, and what comes
// behind it is sent.
func TestAPlatformThatHangsHoldsNoEvents(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	h = serveOn(t, h, hanging{h.Platform})
	in := create(t, h)
	resp, err := h.Server.Client().Do(h.Request("GET", "/api/v1/events", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	events := make(chan object, 64)
	go func() {
		dec := newEventReader(resp.Body)
		for {
			_, kind, data, err := dec.next()
			if err != nil {
				return
			}
			var v object
			if kind == "alert" && json.Unmarshal([]byte(data), &v) == nil {
				events <- v
			}
		}
	}()
	for _, key := range []string{"CA01", "CA02"} {
		call(t, h, in, key)
		for named := false; !named; {
			select {
			case v := <-events:
				if _, shown := v["status"]; shown {
					t.Errorf("an alert that was not read is shown: %v", v)
				}
				named = v["key"] == key
			case <-time.After(time.Minute):
				t.Fatalf("no event names the alert of %s", key)
			}
		}
	}
}
