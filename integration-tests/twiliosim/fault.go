package twiliosim

import (
	"fmt"
	"regexp"
	"time"
)

// What a fault does to a request.
const (
	FaultLose       = "lose"        // it never arrives: a webhook fails to connect, a callback is gone, REST has no answer
	FaultLoseAnswer = "lose_answer" // it arrives, and its answer does not: a time-out
	FaultDouble     = "double"      // it arrives twice; the second answer counts for nothing
	FaultDelay      = "delay"       // it arrives Delay later
	FaultStatus     = "status"      // it is answered with Status without being done (REST), or its answer is taken for one (webhooks)
)

// What requests a fault is for.
const (
	OnWebhook  = "webhook"  // requests for TwiML
	OnCallback = "callback" // status callbacks
	OnMedia    = "media"    // files of <Play>
	OnREST     = "rest"     // requests to the REST API
)

// Fault is a disturbance on demand.
type Fault struct {
	ID int `json:"id"`
	// On is one of OnWebhook, OnCallback, OnMedia, OnREST.
	On string `json:"on"`
	// Match is a regular expression for "METHOD URL" (webhooks, callbacks, media) or "METHOD path" (REST). Empty: all.
	Match string `json:"match,omitempty"`
	// Count is how many requests it disturbs; 0: one. Negative: until it is cleared.
	Count int `json:"count,omitempty"`
	// Do is one of the Fault constants; Status and Delay belong to it.
	Do     string        `json:"do"`
	Status int           `json:"status,omitempty"`
	Delay  time.Duration `json:"delay_ns,omitempty"`
	// Hits counts the requests disturbed so far.
	Hits int `json:"hits"`

	match *regexp.Regexp
}

// AddFault arms a fault and returns its number.
func (s *Sim) AddFault(f Fault) (int, error) {
	switch f.On {
	case OnWebhook, OnCallback, OnMedia, OnREST:
	default:
		return 0, fmt.Errorf("fault on %q: want webhook, callback, media or rest", f.On)
	}
	switch f.Do {
	case FaultLose, FaultLoseAnswer, FaultDouble:
	case FaultDelay:
		if f.Delay <= 0 {
			return 0, fmt.Errorf("fault delay %v: want more than nothing", f.Delay)
		}
	case FaultStatus:
		if f.Status < 200 || f.Status > 599 {
			return 0, fmt.Errorf("fault status %d: want an HTTP status", f.Status)
		}
	default:
		return 0, fmt.Errorf("fault do %q: want lose, lose_answer, double, delay or status", f.Do)
	}
	re, err := regexp.Compile(f.Match)
	if err != nil {
		return 0, fmt.Errorf("fault match %q: %w", f.Match, err)
	}
	if f.Count == 0 {
		f.Count = 1
	}
	f.match, f.Hits = re, 0
	s.mu.Lock()
	defer s.mu.Unlock()
	f.ID = 1
	for _, x := range s.faults {
		f.ID = max(f.ID, x.ID+1)
	}
	s.faults = append(s.faults, &f)
	return f.ID, nil
}

// ClearFaults disarms all faults.
func (s *Sim) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// ClearFault disarms one fault; false: there is none of that number.
func (s *Sim) ClearFault(id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.ID == id {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			return true
		}
	}
	return false
}

// Faults lists the armed faults, and spent ones with their hits.
func (s *Sim) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Fault, 0, len(s.faults))
	for _, f := range s.faults {
		out = append(out, *f)
	}
	return out
}

// faultFor takes one hit of the first armed fault that fits; nil: none.
func (s *Sim) faultFor(on, request string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.On != on || !f.match.MatchString(request) || f.Count >= 0 && f.Hits >= f.Count {
			continue
		}
		f.Hits++
		found := *f
		return &found
	}
	return nil
}
