package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
)

// longestWait bounds a long poll, in milliseconds.
const longestWait = 60_000

// events is GET /sim/events?after=N&wait_ms=M: the events after the one numbered N, waiting up to M
// ms of real time for one. With Accept: text/event-stream it is a stream of them.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if r.Header.Get("Accept") == "text/event-stream" {
		if id, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
			after = id // a browser that connects again
		}
		s.streamEvents(w, r, after)
		return
	}
	wait, _ := strconv.Atoi(r.URL.Query().Get("wait_ms"))
	events := s.account.Events(after)
	if len(events) == 0 && wait > 0 {
		ctx, cancel := context.WithTimeout(r.Context(), time.Duration(min(wait, longestWait))*time.Millisecond)
		events = s.account.WaitEvents(ctx, after)
		cancel()
	}
	writeJSON(w, http.StatusOK, map[string]any{"events": append([]transcript.Event{}, events...)})
}

// streamEvents sends events as they come until the client leaves or the simulator is closed. Events
// that the log has dropped meanwhile are missing.
func (s *Server) streamEvents(w http.ResponseWriter, r *http.Request, after int64) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flusher := http.NewResponseController(w)
	_ = flusher.Flush() // the browser learns at once that the stream is open
	for {
		events := s.account.WaitEvents(r.Context(), after)
		if len(events) == 0 {
			return
		}
		for _, e := range events {
			data, err := json.Marshal(e)
			if err != nil {
				return
			}
			if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", e.Seq, data); err != nil {
				return
			}
			after = e.Seq
		}
		if err := flusher.Flush(); err != nil {
			return
		}
	}
}
