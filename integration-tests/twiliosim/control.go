package twiliosim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// CallView is a call as the control API shows it.
type CallView struct {
	Sid       string    `json:"sid"`
	ParentSid string    `json:"parent_sid,omitempty"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Direction string    `json:"direction"`
	Status    string    `json:"status"`
	Ringing   bool      `json:"ringing,omitempty"`
	TalksTo   string    `json:"talks_to,omitempty"` // SID of the other leg
	Queue     string    `json:"queue,omitempty"`
	Finished  bool      `json:"finished"` // over, and its last webhook answered
	Created   time.Time `json:"created"`
	Events    []Event   `json:"events,omitempty"`
}

// View is the call's state now, with its transcript if wanted.
func (c *Call) View(withEvents bool) CallView {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	v := CallView{Sid: c.Sid, ParentSid: c.ParentSid, From: c.From, To: c.To, Direction: c.Direction, Status: c.status,
		Ringing: c.ringing, Finished: c.finished, Created: c.created}
	if c.bridge != nil {
		v.TalksTo = c.bridge.other(c).Sid
	}
	if c.member != nil {
		v.Queue = c.member.queue.name
	}
	if withEvents {
		v.Events = append([]Event{}, c.events...)
	}
	return v
}

// PhoneView is a telephone as the control API shows it, and the body that sets its behaviour.
type PhoneView struct {
	Number string `json:"number"`
	// Behaviour is one of ring, answer, busy, unreachable, mailbox, script. Reading: how it was set, in words.
	Behaviour string `json:"behaviour"`
	// AfterMS is the time until it answers; Hear and Keys are for answer, Words for mailbox, Script for script.
	AfterMS int    `json:"after_ms,omitempty"`
	Hear    string `json:"hear,omitempty"`
	Keys    string `json:"keys,omitempty"`
	Words   string `json:"words,omitempty"`
	Script  string `json:"script,omitempty"`
	Ringing string `json:"ringing,omitempty"` // SID of the call that rings
}

// SetPhone gives a telephone the behaviour that v describes.
func (s *Sim) SetPhone(v PhoneView) error {
	if !e164.MatchString(v.Number) {
		return fmt.Errorf("phone number %q: want +E.164", v.Number)
	}
	p, after := s.Phone(v.Number), time.Duration(v.AfterMS)*time.Millisecond
	switch v.Behaviour {
	case "ring":
		p.Rings()
	case "answer":
		p.AnswersAfter(after, v.Hear, v.Keys)
	case "busy":
		p.Busy()
	case "unreachable":
		p.Unreachable()
	case "mailbox":
		words := v.Words
		if words == "" {
			words = "This is the mailbox of " + v.Number + ". Please leave a message after the tone."
		}
		p.Mailbox(after, words)
	case "script":
		return p.Follows(v.Script)
	default:
		return fmt.Errorf("phone behaviour %q: want ring, answer, busy, unreachable, mailbox or script", v.Behaviour)
	}
	return nil
}

// controlError is an error with its HTTP status.
type controlError struct {
	status int
	err    error
}

func refuse(status int, err error) *controlError { return &controlError{status, err} }

type controlHandler func(r *http.Request) (any, *controlError)

// controlRoutes mounts the control API below /sim/ and the page at /.
func (s *Sim) controlRoutes(mux *http.ServeMux) {
	handle := func(pattern string, h controlHandler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !sameOrigin(r) {
				writeJSON(w, http.StatusForbidden, map[string]string{"error": "a page of another origin may not control the simulator"})
				return
			}
			got, e := h(r)
			if e != nil {
				writeJSON(w, e.status, map[string]string{"error": e.err.Error()})
				return
			}
			writeJSON(w, http.StatusOK, got)
		})
	}
	handle("POST /sim/calls", s.controlPlace)
	handle("GET /sim/calls", func(*http.Request) (any, *controlError) {
		out := []CallView{}
		for _, c := range s.Calls() {
			out = append(out, c.View(true))
		}
		return map[string]any{"calls": out}, nil
	})
	handle("GET /sim/calls/{call}", s.onCall(func(c *Call, _ action) error { return nil }))
	handle("POST /sim/calls/{call}/press", s.onCall(func(c *Call, a action) error { c.Presses(a.Keys); return nil }))
	handle("POST /sim/calls/{call}/say", s.onCall(func(c *Call, a action) error {
		if a.ForMS > 0 {
			c.SpeaksFor(a.Words, time.Duration(a.ForMS)*time.Millisecond)
		} else {
			c.Says(a.Words)
		}
		return nil
	}))
	handle("POST /sim/calls/{call}/speech", s.onCall(func(c *Call, _ action) error { c.BeginsToSpeak(); return nil }))
	handle("PUT /sim/calls/{call}/speech", s.controlSpeech)
	handle("POST /sim/calls/{call}/script", s.onCall(func(c *Call, a action) error {
		script, err := ParseScript(a.Script)
		if err != nil {
			return err
		}
		s.follow(c, script)
		return nil
	}))
	handle("POST /sim/calls/{call}/hangup", s.onCall(func(c *Call, _ action) error { c.HangsUp(); return nil }))
	handle("POST /sim/calls/{call}/answer", s.onCall(func(c *Call, _ action) error {
		if !c.Answers() {
			return errors.New("it does not ring")
		}
		return nil
	}))
	handle("POST /sim/calls/{call}/decline", s.onCall(func(c *Call, _ action) error {
		if !c.Declines() {
			return errors.New("it does not ring")
		}
		return nil
	}))
	handle("GET /sim/phones", func(*http.Request) (any, *controlError) { return map[string]any{"phones": s.phoneViews()}, nil })
	handle("PUT /sim/phones/{number}", s.controlPhone)
	handle("GET /sim/numbers", func(*http.Request) (any, *controlError) {
		s.mu.Lock()
		defer s.mu.Unlock()
		rows := []any{}
		for _, n := range s.numbers {
			rows = append(rows, s.numberJSONLocked(n))
		}
		return map[string]any{"numbers": rows}, nil
	})
	handle("GET /sim/violations", func(*http.Request) (any, *controlError) {
		return map[string]any{"violations": append([]Violation{}, s.Violations()...)}, nil
	})
	handle("DELETE /sim/violations", func(*http.Request) (any, *controlError) {
		return map[string]any{"violations": append([]Violation{}, s.TakeViolations()...)}, nil
	})
	handle("GET /sim/faults", func(*http.Request) (any, *controlError) { return map[string]any{"faults": s.Faults()}, nil })
	handle("DELETE /sim/faults", func(*http.Request) (any, *controlError) {
		s.ClearFaults()
		return map[string]any{"faults": s.Faults()}, nil
	})
	handle("DELETE /sim/faults/{id}", func(r *http.Request) (any, *controlError) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || !s.ClearFault(id) {
			return nil, refuse(http.StatusNotFound, fmt.Errorf("fault %s: unknown", r.PathValue("id")))
		}
		return map[string]any{"faults": s.Faults()}, nil
	})
	handle("POST /sim/faults", func(r *http.Request) (any, *controlError) {
		var f Fault
		if e := readBody(r, &f); e != nil {
			return nil, e
		}
		id, err := s.AddFault(f)
		if err != nil {
			return nil, refuse(http.StatusUnprocessableEntity, err)
		}
		return map[string]any{"id": id}, nil
	})
	handle("GET /sim/time", func(*http.Request) (any, *controlError) { return map[string]any{"now": s.Now()}, nil })
	mux.HandleFunc("GET /sim/events", s.controlEvents)
	if s.cfg.Page != nil {
		mux.Handle("/", s.cfg.Page)
	} else {
		mux.HandleFunc("GET /{$}", s.page)
	}
}

// sameOrigin refuses requests that a page of another site makes a browser send.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}

func readBody(r *http.Request, into any) *controlError {
	dec := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return refuse(http.StatusBadRequest, fmt.Errorf("body: %w", err))
	}
	return nil
}

// controlPlace places a call: {"from", "to", "script"?}. The script runs beside; its end shows as an event.
func (s *Sim) controlPlace(r *http.Request) (any, *controlError) {
	var in struct {
		From   string `json:"from"`
		To     string `json:"to"`
		Script string `json:"script"`
	}
	if e := readBody(r, &in); e != nil {
		return nil, e
	}
	var script Script
	var err error
	if in.Script != "" {
		if script, err = ParseScript(in.Script); err != nil {
			return nil, refuse(http.StatusUnprocessableEntity, err)
		}
	}
	c, err := s.Call(in.From, in.To)
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, err)
	}
	if in.Script != "" {
		s.follow(c, script)
	}
	return c.View(false), nil
}

// follow runs a script beside; its end shows as an event with the note "completed" or "failed".
func (s *Sim) follow(c *Call, script Script) {
	s.spawn(func() {
		if c.Follow(s.ctx, script) == nil {
			s.addEvent(c, Event{Kind: EventScript, Text: "script completed", Note: "completed"})
		}
	})
}

// action is the body of what is done with a call.
type action struct {
	Keys   string `json:"keys"`
	Words  string `json:"words"`
	ForMS  int    `json:"for_ms"`
	Script string `json:"script"`
}

func (s *Sim) onCall(do func(*Call, action) error) controlHandler {
	return func(r *http.Request) (any, *controlError) {
		c := s.CallBySid(r.PathValue("call"))
		if c == nil {
			return nil, refuse(http.StatusNotFound, fmt.Errorf("call %s: unknown", r.PathValue("call")))
		}
		var a action
		if r.Method == http.MethodPost && r.ContentLength != 0 {
			if e := readBody(r, &a); e != nil {
				return nil, e
			}
		}
		if err := do(c, a); err != nil {
			return nil, refuse(http.StatusConflict, fmt.Errorf("call %s: %w", c.Sid, err))
		}
		return c.View(r.Method == http.MethodGet), nil
	}
}

func (s *Sim) phoneViews() []PhoneView {
	s.mu.Lock()
	phones := make([]*Phone, 0, len(s.phones))
	out := []PhoneView{}
	for _, p := range s.phones {
		phones = append(phones, p)
		out = append(out, PhoneView{Number: p.Number, Behaviour: p.behaviour})
	}
	s.mu.Unlock()
	for i, p := range phones {
		if c := p.Ringing(); c != nil {
			out[i].Ringing = c.Sid
		}
	}
	return out
}

func (s *Sim) controlPhone(r *http.Request) (any, *controlError) {
	var v PhoneView
	if e := readBody(r, &v); e != nil {
		return nil, e
	}
	v.Number = r.PathValue("number")
	if err := s.SetPhone(v); err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, err)
	}
	return v, nil
}

// controlEvents is GET /sim/events?after=N&wait_ms=M: the events after the one numbered N, waiting up to M ms of real
// time for one. With Accept: text/event-stream it is a stream of them.
func (s *Sim) controlEvents(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if r.Header.Get("Accept") == "text/event-stream" {
		if id, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
			after = id
		}
		s.streamEvents(w, r, after)
		return
	}
	wait, _ := strconv.Atoi(r.URL.Query().Get("wait_ms"))
	events := s.Events(after)
	if len(events) == 0 && wait > 0 {
		ctx, cancel := context.WithTimeout(r.Context(), time.Duration(min(wait, 60_000))*time.Millisecond)
		events = s.WaitEvents(ctx, after)
		cancel()
	}
	writeJSON(w, http.StatusOK, map[string]any{"events": append([]Event{}, events...)})
}

func (s *Sim) streamEvents(w http.ResponseWriter, r *http.Request, after int64) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flusher := http.NewResponseController(w)
	_ = flusher.Flush()
	for {
		events := s.WaitEvents(r.Context(), after)
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
