package goalertsim

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

// Version is the version of GoAlert that is stood in for.
type Version int

// V0341 is v0.34.1 of 2025-09-29; Head is the development version of 2026-08-19.
const (
	V0341 Version = iota
	Head
)

// Config is what an operator gives a server by flags, "add-user" and "set-config", and what a test
// wants otherwise.
type Config struct {
	Version       Version
	Clock         clock.Clock   // default: the system's
	PublicURL     string        // without a final slash; Start fills it in
	CycleTime     time.Duration // of the engine; 0: 5 s; negative: only when Cycle is called
	AdminUser     string        // default admin
	AdminPassword string        // default admin12345

	WebhooksOff           bool // Webhook.Enable is false
	DisableMessageBundles bool // General.DisableMessageBundles
	// StubNotifiers counts every message as sent and sends none.
	StubNotifiers bool
	// TwilioURL is where Twilio's API is; "" means that Twilio is not enabled.
	TwilioURL        string
	TwilioAccountSID string
	TwilioAuthToken  string
	TwilioFrom       string // default +12025550100

	// The observations leave the following open; a program must live with either.

	OldestFirst    bool // recentEvents begin with the oldest; with a limit, the newest are missing
	SinceExclusive bool // recentEvents leave out those of exactly "since"
	LateStatus     bool // every AlertStatus waits for the scan of the minute
}

// Sim is a GoAlert server without its database. Its methods may be used from several goroutines.
type Sim struct {
	cfg     Config
	clock   clock.Clock
	schema  *ast.Schema
	mux     *http.ServeMux
	cancel  context.CancelFunc
	engine  sync.WaitGroup
	cycling sync.Mutex // one cycle at a time

	lines lines

	mu       sync.Mutex // everything below
	db       database
	faults   []*Fault
	refusals []string
	assumed  map[string]bool
}

// New returns a server with one administrator. Close it.
func New(cfg Config) (*Sim, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.CycleTime == 0 {
		cfg.CycleTime = 5 * time.Second
	}
	for field, value := range map[*string]string{
		&cfg.AdminUser: "admin", &cfg.AdminPassword: "admin12345", &cfg.TwilioFrom: "+12025550100",
	} {
		if *field == "" {
			*field = value
		}
	}
	schema, err := loadSchema(cfg.Version)
	if err != nil {
		return nil, err
	}
	s := &Sim{
		cfg: cfg, clock: cfg.Clock, schema: schema, mux: http.NewServeMux(), assumed: map[string]bool{},
		db: newDatabase(cfg.Clock.Now()), lines: lines{of: map[string]*line{}},
	}
	s.db.addUser(&user{username: cfg.AdminUser, password: cfg.AdminPassword, name: cfg.AdminUser, role: "admin"})
	s.routes()
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	if cfg.CycleTime > 0 {
		s.engine.Go(func() { s.run(ctx) })
	}
	return s, nil
}

// Close stops the engine.
func (s *Sim) Close() {
	s.cancel()
	s.engine.Wait()
}

// routes are the paths that the observations name.
func (s *Sim) routes() {
	ok := func(http.ResponseWriter, *http.Request) {}
	s.mux.HandleFunc("GET /health", ok)
	s.mux.HandleFunc("GET /health/engine", ok)
	s.mux.HandleFunc("POST /api/v2/identity/providers/basic", s.logIn)
	s.mux.HandleFunc("POST /api/graphql", s.graphql)
	s.mux.HandleFunc("POST /api/v2/generic/incoming", s.generic)
	s.mux.HandleFunc("POST /api/v2/twilio/call", s.voiceCallback)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, fmt.Sprintf("what %s %s answers", r.Method, r.URL.Path))
	})
}

// ServeHTTP implements http.Handler. Connections are not kept alive.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	s.inLine(w, r)
}

// openError says what a request asked for that no observation shows.
type openError struct{ what string }

// Error implements error.
func (e openError) Error() string { return "goalertsim: the facts leave open " + e.what }

// open is the error for what no observation shows.
func open(format string, args ...any) error { return openError{fmt.Sprintf(format, args...)} }

// refuse answers 501 and notes what was asked for.
func (s *Sim) refuse(w http.ResponseWriter, what string) {
	s.mu.Lock()
	s.refusals = append(s.refusals, what)
	s.mu.Unlock()
	http.Error(w, openError{what}.Error(), http.StatusNotImplemented)
}

// Refusals returns what was asked for that the facts leave open, and forgets it.
func (s *Sim) Refusals() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.refusals
	s.refusals = nil
	return got
}

// Assumed lists names and shapes that requests relied on although no observation shows them.
func (s *Sim) Assumed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.assumed))
}

// newID is a random identifier that looks like GoAlert's.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// unspecified marks a text of which only the existence is known.
func unspecified(format string, args ...any) string {
	return "unspecified text: " + fmt.Sprintf(format, args...)
}

// publicURL is the public URL with a path below it.
func (s *Sim) publicURL(path string) string { return strings.TrimSuffix(s.cfg.PublicURL, "/") + path }
