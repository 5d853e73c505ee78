package goalertsim

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

// Cut says when a connection is cut without an answer.
type Cut int

// CutBefore cuts before the request has an effect, CutAfter after it had one.
const (
	NoCut Cut = iota
	CutBefore
	CutAfter
)

// Fault is what happens to requests that match. It happens while the request holds the place of its
// session or key, so others of the same wait. A real server cannot be asked for faults.
type Fault struct {
	Path      string // beginning of the path; "": any
	Operation string // operationName of a GraphQL request; "": any
	Times     int    // how many requests it happens to; 0: until it is removed

	Delay  time.Duration   // of the clock, first
	Hold   <-chan struct{} // then until it is closed
	Status int             // answered without effect, such as 500 or 429; 0: none
	Cut    Cut

	hits int
}

// Inject adds a fault; remove ends it. Of several that match, the oldest happens.
func (s *Sim) Inject(f Fault) (remove func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := &f
	s.faults = append(s.faults, own)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		own.hits, own.Times = 1, 1
	}
}

// faultOf finds the fault of a request and counts the hit.
func (s *Sim) faultOf(path, operation string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		spent := f.Times > 0 && f.hits >= f.Times
		if !spent && strings.HasPrefix(path, f.Path) && (f.Operation == "" || f.Operation == operation) {
			f.hits++
			return *f, true
		}
	}
	return Fault{}, false
}

// serveWithFault serves a request, or what a fault makes of it.
func (s *Sim) serveWithFault(w http.ResponseWriter, r *http.Request, operation string) {
	f, ok := s.faultOf(r.URL.Path, operation)
	if !ok {
		s.mux.ServeHTTP(w, r)
		return
	}
	if clock.Sleep(r.Context(), s.clock, f.Delay) != nil || !held(r.Context(), f.Hold) {
		panic(http.ErrAbortHandler)
	}
	switch {
	case f.Cut == CutBefore:
		panic(http.ErrAbortHandler)
	case f.Cut == CutAfter:
		s.mux.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		http.Error(w, http.StatusText(f.Status), f.Status)
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// held waits until hold is closed; false if the request ended first.
func held(ctx context.Context, hold <-chan struct{}) bool {
	if hold == nil {
		return true
	}
	select {
	case <-hold:
		return true
	case <-ctx.Done():
		return false
	}
}
