// Package fault disturbs requests on demand: a test says which requests shall be lost, doubled,
// late or refused.
package fault

import (
	"fmt"
	"regexp"
	"sync"
	"time"
)

// What a fault does to a request: the values of Fault.Do.
const (
	// Lose: the request never arrives. A webhook fails to connect, a callback is gone, a REST
	// request gets no answer.
	Lose = "lose"
	// LoseAnswer: the request arrives and its answer does not: a time-out.
	LoseAnswer = "lose_answer"
	// Double: the request arrives twice, and the second answer is ignored.
	Double = "double"
	// Delay: the request arrives Fault.Delay later.
	Delay = "delay"
	// Reset: the connection is cut at once, and the request is not carried out.
	Reset = "reset"
	// Status: a REST request is answered with Fault.Status and not carried out. A webhook is sent,
	// and its answer is taken for one with Fault.Status.
	Status = "status"
)

// What requests a fault is for.
const (
	OnWebhook  = "webhook"  // requests for TwiML
	OnCallback = "callback" // status callbacks
	OnMedia    = "media"    // files of <Play>
	OnREST     = "rest"     // requests to the REST API
)

// Fault is a disturbance that a test asks for.
type Fault struct {
	// ID is the number that Add gave it.
	ID int `json:"id"`
	// On is one of OnWebhook, OnCallback, OnMedia, OnREST.
	On string `json:"on"`
	// Match is a regular expression for "METHOD URL" (webhooks, callbacks, media) or "METHOD path"
	// (REST). Empty: all.
	Match string `json:"match,omitempty"`
	// To is the number that a REST request must want to call. Empty: any, or none.
	To string `json:"to,omitempty"`
	// Count is how many requests it disturbs; 0: one. Negative: until it is cleared.
	Count int `json:"count,omitempty"`
	// Do is one of Lose, LoseAnswer, Double, Reset, Delay and Status; the last two need the field
	// of their name.
	Do     string `json:"do"`
	Status int    `json:"status,omitempty"`
	// Code is Twilio's error code in an answer to a REST request with Status; 0: one for the
	// status.
	Code  int           `json:"code,omitempty"`
	Delay time.Duration `json:"delay_ns,omitempty"`
	// Hits counts the requests disturbed so far.
	Hits int `json:"hits"`

	match *regexp.Regexp
}

// List holds the faults of one simulator. The zero value has none. Its methods may be used from
// several goroutines.
type List struct {
	mu     sync.Mutex
	faults []*Fault
}

// Add arms a fault and returns its number, from 1. The error names the field that is wrong.
func (l *List) Add(f Fault) (int, error) {
	if err := f.compile(); err != nil {
		return 0, err
	}
	if f.Count == 0 {
		f.Count = 1
	}
	f.Hits = 0
	l.mu.Lock()
	defer l.mu.Unlock()
	f.ID = 1
	for _, x := range l.faults {
		f.ID = max(f.ID, x.ID+1)
	}
	l.faults = append(l.faults, &f)
	return f.ID, nil
}

// compile checks the fields and prepares Match.
func (f *Fault) compile() error {
	switch f.On {
	case OnWebhook, OnCallback, OnMedia, OnREST:
	default:
		return fmt.Errorf("fault on %q: want webhook, callback, media or rest", f.On)
	}
	switch f.Do {
	case Lose, LoseAnswer, Double, Reset:
	case Delay:
		if f.Delay <= 0 {
			return fmt.Errorf("fault delay %v: want more than zero", f.Delay)
		}
	case Status:
		if f.Status < 200 || f.Status > 599 {
			return fmt.Errorf("fault status %d: want an HTTP status from 200 to 599", f.Status)
		}
	default:
		return fmt.Errorf("fault do %q: want lose, lose_answer, double, reset, delay or status", f.Do)
	}
	var err error
	if f.match, err = regexp.Compile(f.Match); err != nil {
		return fmt.Errorf("fault match %q: %w", f.Match, err)
	}
	return nil
}

// ClearAll disarms all faults.
func (l *List) ClearAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = nil
}

// Clear disarms the fault of a number; it reports false if there is none.
func (l *List) Clear(id int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, f := range l.faults {
		if f.ID == id {
			l.faults = append(l.faults[:i:i], l.faults[i+1:]...)
			return true
		}
	}
	return false
}

// All returns the faults, also those that have disturbed all the requests they were for.
func (l *List) All() []Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Fault, 0, len(l.faults))
	for _, f := range l.faults {
		out = append(out, *f)
	}
	return out
}

// Take counts one hit of the first armed fault that fits a request ("METHOD URL") and returns the
// fault; nil if none fits. to is the number that the request wants to call, if any.
func (l *List) Take(on, request, to string) *Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.faults {
		if f.On != on || f.To != "" && f.To != to || !f.match.MatchString(request) || f.Count >= 0 && f.Hits >= f.Count {
			continue
		}
		f.Hits++
		found := *f
		return &found
	}
	return nil
}
