package control

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/audio"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/phone"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
)

// CallView is a call as the control API shows it.
type CallView struct {
	Sid       string             `json:"sid"`
	ParentSid string             `json:"parent_sid,omitempty"`
	From      string             `json:"from"`
	To        string             `json:"to"`
	Direction string             `json:"direction"`
	Status    string             `json:"status"`
	Ringing   bool               `json:"ringing,omitempty"`
	TalksTo   string             `json:"talks_to,omitempty"` // SID of the other leg
	Queue     string             `json:"queue,omitempty"`
	Finished  bool               `json:"finished"` // over, and its last webhook answered
	Created   time.Time          `json:"created"`
	Events    []transcript.Event `json:"events,omitempty"`
}

// view returns the call's state now, with its transcript if wanted.
func view(c *account.Call, withEvents bool) CallView {
	c.Account.Lock()
	defer c.Account.Unlock()
	v := CallView{Sid: c.Sid, ParentSid: c.ParentSid, From: c.From, To: c.To, Direction: c.Direction, Status: c.Status,
		Ringing: c.Ringing, Finished: c.Finished, Created: c.Created}
	if c.Bridge != nil {
		v.TalksTo = c.Bridge.Other(c).Sid
	}
	if c.Member != nil {
		v.Queue = c.Member.Queue.Name
	}
	if withEvents {
		v.Events = append([]transcript.Event{}, c.Events...)
	}
	return v
}

// views returns all calls, oldest first.
func (s *Server) views(withEvents bool) []CallView {
	s.account.Lock()
	calls := append([]*account.Call(nil), s.account.Calls...) // view takes the lock for each
	s.account.Unlock()
	out := []CallView{}
	for _, c := range calls {
		out = append(out, view(c, withEvents))
	}
	return out
}

// listCalls is GET /sim/calls: all calls with their transcripts.
func (s *Server) listCalls(*http.Request) (any, *httpError) {
	return map[string]any{"calls": s.views(true)}, nil
}

// placeCall places a call: {"from", "to", "script"?}. The script runs in the background; its end
// shows as an event.
func (s *Server) placeCall(r *http.Request) (any, *httpError) {
	var in struct {
		From   string `json:"from"`
		To     string `json:"to"`
		Script string `json:"script"`
	}
	if e := readBody(r, &in); e != nil {
		return nil, e
	}
	// The script is read before the call is placed: a mistake in it must not leave a call behind.
	var script phone.Script
	if in.Script != "" {
		var err error
		if script, err = phone.ParseScript(in.Script); err != nil {
			return nil, refuse(http.StatusUnprocessableEntity, err)
		}
	}
	c, err := s.executor.Inbound(in.From, in.To)
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, err)
	}
	if in.Script != "" {
		s.follow(s.phones.Of(c), script)
	}
	return view(c, false), nil
}

// follow runs a script in the background; its end shows as an event with the note "completed" or
// "failed".
func (s *Server) follow(c *phone.Call, script phone.Script) {
	s.account.Go(func() {
		if c.Follow(s.account.Context, script) == nil {
			s.account.AddEvent(s.account.CallBySid(c.Sid), transcript.Event{Kind: transcript.Script, Text: "script completed", Note: "completed"})
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

// press is POST .../press: keys, as if the person at this end pressed them.
func press(c *phone.Call, a action) error { c.Presses(a.Keys); return nil }

// say is POST .../say: words, which take as long as they would when spoken, or for_ms.
func say(c *phone.Call, a action) error {
	if a.ForMS > 0 {
		c.SpeaksFor(a.Words, time.Duration(a.ForMS)*time.Millisecond)
	} else {
		c.Says(a.Words)
	}
	return nil
}

// followScript is POST .../script. A mistake in the script is the answer's, not an event.
func (s *Server) followScript(c *phone.Call, a action) error {
	script, err := phone.ParseScript(a.Script)
	if err != nil {
		return err
	}
	s.follow(c, script)
	return nil
}

// callInPath finds the call that a path names.
func (s *Server) callInPath(r *http.Request) (*account.Call, *httpError) {
	c := s.account.CallBySid(r.PathValue("call"))
	if c == nil {
		return nil, refuse(http.StatusNotFound, fmt.Errorf("call %s: unknown", r.PathValue("call")))
	}
	return c, nil
}

// onCall does something with the call in the path, and answers with its state afterwards.
func (s *Server) onCall(do func(*phone.Call, action) error) handler {
	return func(r *http.Request) (any, *httpError) {
		c, e := s.callInPath(r)
		if e != nil {
			return nil, e
		}
		var a action
		if r.Method == http.MethodPost && r.ContentLength != 0 {
			if e := readBody(r, &a); e != nil {
				return nil, e
			}
		}
		if err := do(s.phones.Of(c), a); err != nil {
			return nil, refuse(http.StatusConflict, fmt.Errorf("call %s: %w", c.Sid, err))
		}
		return view(c, r.Method == http.MethodGet), nil
	}
}

// largestSpeech bounds an uploaded speech, in bytes: two minutes of 48 kHz stereo do not fit,
// telephone sound does many times.
const largestSpeech = 8 << 20

// uploadSpeech is PUT /sim/calls/{call}/speech?words=: a WAV file. It ends a speech that POST
// began, or else is spoken now, and the request lasts as long as that takes. Errors: 404 call, 413
// too large, 415 no WAV file.
func (s *Server) uploadSpeech(r *http.Request) (any, *httpError) {
	c, e := s.callInPath(r)
	if e != nil {
		return nil, e
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, largestSpeech))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, refuse(http.StatusRequestEntityTooLarge, fmt.Errorf("body: larger than %d bytes: send 8 kHz mono, or less", largestSpeech))
		}
		return nil, refuse(http.StatusBadRequest, fmt.Errorf("body: %w", err))
	}
	sound, err := audio.ParseWAV(body)
	if err != nil {
		return nil, refuse(http.StatusUnsupportedMediaType, fmt.Errorf("body: %w", err))
	}
	s.phones.Of(c).SpeaksUploaded(r.URL.Query().Get("words"), sound)
	return view(c, false), nil
}
