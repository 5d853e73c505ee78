package control

import (
	"fmt"
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/rest"
)

// PhoneView is a telephone as the control API shows it, and the body that sets its behaviour.
type PhoneView struct {
	Number string `json:"number"`
	// Behaviour is one of ring, answer, busy, unreachable, mailbox, script. When read, it says in
	// words how the behaviour was set.
	Behaviour string `json:"behaviour"`
	// AfterMS is the time until it answers; Hear and Keys are for answer, Words for mailbox, Script
	// for script.
	AfterMS int    `json:"after_ms,omitempty"`
	Hear    string `json:"hear,omitempty"`
	Keys    string `json:"keys,omitempty"`
	Words   string `json:"words,omitempty"`
	Script  string `json:"script,omitempty"`
	Ringing string `json:"ringing,omitempty"` // SID of the call that rings
}

func (s *Server) phoneViews() []PhoneView {
	out := []PhoneView{}
	for _, p := range s.phones.All() {
		v := PhoneView{Number: p.Number, Behaviour: p.Behaviour()}
		if c := p.Ringing(); c != nil {
			v.Ringing = c.Sid
		}
		out = append(out, v)
	}
	return out
}

func (s *Server) listPhones(*http.Request) (any, *httpError) {
	return map[string]any{"phones": s.phoneViews()}, nil
}

func (s *Server) setPhone(r *http.Request) (any, *httpError) {
	var v PhoneView
	if e := readBody(r, &v); e != nil {
		return nil, e
	}
	v.Number = r.PathValue("number")
	if err := s.set(v); err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, err)
	}
	return v, nil
}

// set gives a telephone the behaviour that v describes.
func (s *Server) set(v PhoneView) error {
	if !account.IsE164(v.Number) {
		return fmt.Errorf("phone number %q: %s", v.Number, account.WantE164)
	}
	p, after := s.phones.Phone(v.Number), time.Duration(v.AfterMS)*time.Millisecond
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
		if v.Words == "" {
			v.Words = "This is the mailbox of " + v.Number + ". Please leave a message after the tone."
		}
		p.Mailbox(after, v.Words)
	case "script":
		return p.Follows(v.Script)
	default:
		return fmt.Errorf("phone behaviour %q: want ring, answer, busy, unreachable, mailbox or script", v.Behaviour)
	}
	return nil
}

// listNumbers answers with the account's numbers as the REST API shows them.
func (s *Server) listNumbers(*http.Request) (any, *httpError) {
	return map[string]any{"numbers": rest.Numbers(s.account)}, nil
}
