package twiliosim

import (
	"fmt"
	"strings"
	"time"
)

// Violation is something the program under test did wrong, with Twilio's error code where there is one. Source: Twilio
// docs, api/errors.
type Violation struct {
	At      time.Time `json:"at"`
	Call    string    `json:"call,omitempty"`
	Code    int       `json:"code"` // 0: a rule of the simulator, see Text
	Warning bool      `json:"warning"`
	Text    string    `json:"text"`
	URL     string    `json:"url,omitempty"`
}

func (v Violation) String() string {
	kind := "error"
	if v.Warning {
		kind = "warning"
	}
	out := fmt.Sprintf("%s %d: %s", kind, v.Code, v.Text)
	if v.URL != "" {
		out += " (" + v.URL + ")"
	}
	return out
}

// problem is an error of a document or a request, on its way to the fallback URL.
type problem struct {
	code    int
	warning bool
	text    string
	url     string
	// injected: a fault asked for by the test caused it; it is no violation.
	injected bool
	// reported: it is in the transcript already.
	reported bool
}

func (p *problem) Error() string { return fmt.Sprintf("%d: %s", p.code, p.text) }

// report records a problem on the call, and counts it as a violation unless a test asked for it.
func (s *Sim) report(c *Call, p *problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reportLocked(c, p)
}

func (s *Sim) reportLocked(c *Call, p *problem) {
	if p.reported {
		return
	}
	p.reported = true
	note := ""
	if p.warning {
		note = "warning"
	}
	s.addEventLocked(c, Event{Kind: EventProblem, Code: p.code, Text: p.text, URL: p.url, Note: note})
	if p.injected || s.cfg.Lenient {
		return
	}
	v := Violation{At: s.clock.Now(), Code: p.code, Warning: p.warning, Text: p.text, URL: p.url}
	if c != nil {
		v.Call = c.Sid
	}
	s.violations = append(s.violations, v)
}

// Violations returns what was done wrong so far, oldest first.
func (s *Sim) Violations() []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Violation(nil), s.violations...)
}

// TakeViolations returns what was done wrong so far and forgets it.
func (s *Sim) TakeViolations() []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.violations
	s.violations = nil
	return out
}

// Allow makes Check overlook violations of these codes; a test that provokes them says so.
func (s *Sim) Allow(codes ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, code := range codes {
		s.allowed[code] = true
	}
}

// Check fails the test for every violation that was not allowed, with the calls' transcripts.
func (s *Sim) Check(t TB) {
	t.Helper()
	s.mu.Lock()
	var bad []Violation
	calls := map[string]*Call{}
	for _, v := range s.violations {
		if !s.allowed[v.Code] {
			bad = append(bad, v)
			if c := s.calls[v.Call]; c != nil {
				calls[v.Call] = c
			}
		}
	}
	s.mu.Unlock()
	for _, v := range bad {
		t.Errorf("twiliosim: %v", v)
	}
	for _, c := range calls {
		t.Errorf("transcript of %s:\n%s", c.Sid, FormatTranscript(c.Transcript()))
	}
}

// FormatTranscript writes events one a line: time, leg, words.
func FormatTranscript(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(FormatEvent(e))
		b.WriteByte('\n')
	}
	return b.String()
}

// FormatEvent writes one event as a line without a line end.
func FormatEvent(e Event) string {
	words := e.Text
	switch e.Kind {
	case EventPlayed:
		words = e.URL
	case EventWebhook, EventCallback, EventMedia, EventREST:
		words = fmt.Sprintf("%s %s -> %d", e.Method, e.URL, e.Status)
	case EventProblem:
		words = fmt.Sprintf("%d %s %s", e.Code, e.Text, e.URL)
	case EventBridged, EventUnbridged, EventHeard:
		words = strings.TrimSpace(e.Peer + " " + e.Text)
	}
	if e.Note != "" {
		words += " [" + e.Note + "]"
	}
	return fmt.Sprintf("%s  %-14s %-10s %s", e.At.UTC().Format("15:04:05.000"), e.Leg, e.Kind, words)
}
