// Package control is the control API below /sim/: it places calls, answers telephones and follows
// what happens, for scripts and pages in other processes.
//
//	control.go  Server, its routes and its errors
//	calls.go    calls and what people do on them
//	phones.go   telephones
//	events.go   the transcript, by long poll and as a stream
//	page.go     a plain page at /
package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/executor"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/fault"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/phone"
)

// largestBody bounds a JSON body, in bytes.
const largestBody = 1 << 20

// Server answers the control API. It asks for no credentials: by default a simulator listens on
// this machine alone.
type Server struct {
	account  *account.Account
	executor *executor.Executor
	phones   *phone.Phones
}

// New returns a server.
func New(a *account.Account, x *executor.Executor, ps *phone.Phones) *Server {
	return &Server{a, x, ps}
}

// httpError is an error with its HTTP status.
type httpError struct {
	status int
	error
}

// refuse makes an error with a status.
func refuse(status int, err error) *httpError { return &httpError{status, err} }

// handler answers one request with a value, written as JSON.
type handler func(r *http.Request) (any, *httpError)

// Register adds the control API, and the account's page or the plain one, to mux.
func (s *Server) Register(mux *http.ServeMux) {
	for pattern, h := range s.handlers() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !sameOrigin(r) {
				writeJSON(w, http.StatusForbidden, map[string]string{"error": "a page of another origin may not control the simulator"})
				return
			}
			got, e := h(r)
			if e != nil {
				writeJSON(w, e.status, map[string]string{"error": e.Error()})
				return
			}
			writeJSON(w, http.StatusOK, got)
		})
	}
	mux.HandleFunc("GET /sim/events", s.events)
	if page := s.account.Config.Page; page != nil {
		mux.Handle("/", page)
	} else {
		mux.HandleFunc("GET /{$}", s.page)
	}
}

// handlers are the routes but for events.
func (s *Server) handlers() map[string]handler {
	return map[string]handler{
		"POST /sim/calls":                s.placeCall,
		"GET /sim/calls":                 s.listCalls,
		"GET /sim/calls/{call}":          s.onCall(func(*phone.Call, action) error { return nil }),
		"POST /sim/calls/{call}/press":   s.onCall(press),
		"POST /sim/calls/{call}/say":     s.onCall(say),
		"POST /sim/calls/{call}/speech":  s.onCall(func(c *phone.Call, _ action) error { c.BeginsToSpeak(); return nil }),
		"PUT /sim/calls/{call}/speech":   s.uploadSpeech,
		"POST /sim/calls/{call}/script":  s.onCall(s.followScript),
		"POST /sim/calls/{call}/hangup":  s.onCall(func(c *phone.Call, _ action) error { c.HangsUp(); return nil }),
		"POST /sim/calls/{call}/answer":  s.onCall(func(c *phone.Call, _ action) error { return rings(c.Answers()) }),
		"POST /sim/calls/{call}/decline": s.onCall(func(c *phone.Call, _ action) error { return rings(c.Declines()) }),
		"GET /sim/phones":                s.listPhones,
		"PUT /sim/phones/{number}":       s.setPhone,
		"GET /sim/numbers":               s.listNumbers,
		"GET /sim/violations":            s.listViolations,
		"DELETE /sim/violations":         s.takeViolations,
		"GET /sim/faults":                s.listFaults,
		"POST /sim/faults":               s.addFault,
		"DELETE /sim/faults":             s.clearFaults,
		"DELETE /sim/faults/{id}":        s.clearFault,
		"GET /sim/time":                  s.time,
	}
}

// sameOrigin refuses requests that a page of another site makes a browser send: the simulator asks
// for no credentials, and any page could drive it otherwise. Programs send no Origin.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}

// writeJSON sends a value; a client that is gone gets nothing.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// readBody reads the JSON body of a request.
func readBody(r *http.Request, into any) *httpError {
	dec := json.NewDecoder(http.MaxBytesReader(nil, r.Body, largestBody))
	dec.DisallowUnknownFields() // a misspelt field would do nothing, silently
	if err := dec.Decode(into); err != nil {
		return refuse(http.StatusBadRequest, fmt.Errorf("body: %w", err))
	}
	return nil
}

// rings turns "there was nothing to answer" into an error.
func rings(done bool) error {
	if !done {
		return errors.New("it does not ring")
	}
	return nil
}

// listViolations is GET /sim/violations: what Twilio would have objected to so far. takeViolations
// also forgets them, so that the next test begins without.
func (s *Server) listViolations(*http.Request) (any, *httpError) {
	return map[string]any{"violations": append([]account.Violation{}, s.account.Violations()...)}, nil
}

func (s *Server) takeViolations(*http.Request) (any, *httpError) {
	return map[string]any{"violations": append([]account.Violation{}, s.account.TakeViolations()...)}, nil
}

// listFaults, addFault, clearFaults and clearFault are the disturbances that a test has ordered.
func (s *Server) listFaults(*http.Request) (any, *httpError) {
	return map[string]any{"faults": s.account.Faults.All()}, nil
}

func (s *Server) addFault(r *http.Request) (any, *httpError) {
	var f fault.Fault
	if e := readBody(r, &f); e != nil {
		return nil, e
	}
	id, err := s.account.Faults.Add(f)
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, err)
	}
	return map[string]any{"id": id}, nil
}

func (s *Server) clearFaults(r *http.Request) (any, *httpError) {
	s.account.Faults.ClearAll()
	return s.listFaults(r)
}

func (s *Server) clearFault(r *http.Request) (any, *httpError) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || !s.account.Faults.Clear(id) {
		return nil, refuse(http.StatusNotFound, fmt.Errorf("fault %s: unknown", r.PathValue("id")))
	}
	return s.listFaults(r)
}

// time is GET /sim/time: the simulated time, which may run faster than the wall clock.
func (s *Server) time(*http.Request) (any, *httpError) {
	return map[string]time.Time{"now": s.account.Clock.Now()}, nil
}
