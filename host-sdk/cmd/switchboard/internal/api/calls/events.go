package calls

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
)

const (
	// heartbeat keeps proxies from closing a quiet stream.
	heartbeat = 15 * time.Second
	// sendTime is how long a client may take to swallow one event before it counts as gone.
	sendTime = 10 * time.Second
	// readTime is how long the platform may take to say what an event is about. Meanwhile the
	// stream notices nothing: neither other events, nor that its login has ended.
	readTime = 2 * time.Second
	// lookEvery is how often a stream looks whether its login still holds, on the wall clock.
	lookEvery = 3 * time.Second
)

// alertRef is an alert event where the alert itself cannot be read here. The client then asks its
// own platform.
type alertRef struct {
	IntegrationID string `json:"integration_id"`
	Key           string `json:"key"`
}

// streamEvents sends each changed call and alert as it is now. Events that happened while a client
// was away are not sent again, whatever its Last-Event-ID: after a reconnection it reads the lists
// once. The stream ends with the login of the browser that asked for it.
func (o *Operations) streamEvents(w http.ResponseWriter, r *http.Request) error {
	// A stream costs memory and a connection for as long as it lives.
	done, ok := o.streams.add(r)
	if !ok {
		w.Header().Set("Retry-After", "10")
		return apikit.Refuse(http.StatusTooManyRequests, "unavailable", "too many event streams are open: close some, or read the lists instead")
	}
	defer done()
	// Before the answer begins: what changes from now on is sent.
	events, unsubscribe := o.Engine.Subscribe()
	defer unsubscribe()
	control := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(http.StatusOK)
	send := func(text []byte) bool {
		// The server's write deadline is for answers that end; each event gets its own.
		_ = control.SetWriteDeadline(time.Now().Add(sendTime)) // wall clock: a deadline of real I/O
		if _, err := w.Write(text); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	if !send([]byte("retry: 2000\n: connected\n\n")) {
		return nil
	}
	// An expired one would end the stream as if the client had left.
	_ = control.SetReadDeadline(time.Time{})
	// Numbers only have to rise for the client; they go on from where its last stream ended.
	id, _ := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	// Beside what this host tells at once, a login ends on other hosts and by its age.
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	ended, allowed := o.ended(r)
	// The next sign of life is due 15 s after what was sent last, whatever the stream wakes for.
	beat := o.Clock.NewTimer(heartbeat)
	defer func() { beat.Stop() }()
	// One goroutine for each stream; it waits for whatever comes first.
	for allowed {
		var text []byte
		select {
		case <-look.C:
			ended, allowed = o.ended(r)
			continue
		case <-ended:
			ended, allowed = o.ended(r)
			continue
		case <-r.Context().Done():
			return nil
		case <-o.Closing.Done():
			return nil
		case <-beat.C:
			if ended, allowed = o.ended(r); !allowed {
				return nil
			}
			text = []byte(": still here\n\n")
		// An event that cannot be read is left out: the next one will be.
		case ev := <-events:
			id++
			data, err := o.eventData(r, ev)
			if err != nil {
				o.Logger.WarnContext(r.Context(), "event could not be sent", "type", ev.Type, "error", err.Error())
				continue
			}
			text = frame(id, ev.Type, data)
		}
		if !send(text) {
			return nil
		}
		beat.Stop()
		beat = o.Clock.NewTimer(heartbeat)
	}
	return nil
}

// ended reports whether the login of a request holds, and gives a channel that is closed when that
// may have changed. The stream ends without a word, and the browser's next attempt is refused.
func (o *Operations) ended(r *http.Request) (changed <-chan struct{}, allowed bool) {
	changed = o.People.Ended() // before the question: an end in between is not missed
	return changed, o.People.Still(r, people.Look)
}

// frame is one event in the format of the HTML standard, "Server-sent events". JSON of ours has no
// line breaks.
func frame(id int64, kind string, data []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "id: %d\nevent: %s\ndata: %s\n\n", id, kind, data)
	return b.Bytes()
}

// eventData reads what an event is about. The engine's event says only which alert has changed; the
// alert is read now, so that a slow client gets its latest state. An alert that cannot be read is
// named by its key alone.
func (o *Operations) eventData(r *http.Request, ev engine.Event) ([]byte, error) {
	if ev.Type == "call" && ev.Call != nil {
		return json.Marshal(viewCall(ev.Integration, ev.Call))
	}
	if ev.Type == "alert" && o.browser != nil {
		ctx, cancel := context.WithTimeout(r.Context(), readTime)
		defer cancel()
		snapshot, err := o.Platform.Alert(ctx, o.Scope(ev.Integration), ev.Key)
		if err == nil {
			if rec, err := o.browser.GetAlert(ctx, snapshot.ID); err == nil {
				view, err := o.viewRecordOf(ctx, rec)
				if err == nil {
					return json.Marshal(view)
				}
				if ctx.Err() == nil {
					return nil, err
				}
			}
		}
	}
	return json.Marshal(alertRef{ev.Integration, ev.Key})
}
