package goalertsim

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/internal/freeport"
)

// Server serves a Sim on a loopback port for a test.
type Server struct {
	*Sim
	URL string // without a final slash

	t    testing.TB
	addr string
	http *http.Server
}

// Start serves a stand-in until the test ends. It then fails the test if a request asked for what
// the facts leave open (take those that the test means to cause with Refusals), and logs what was
// assumed.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", freeport.Address(t)) // Resume needs it again
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, addr: listener.Addr().String(), URL: "http://" + listener.Addr().String()}
	if cfg.PublicURL == "" {
		cfg.PublicURL = s.URL
	}
	if s.Sim, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	s.serve(listener)
	t.Cleanup(func() {
		s.Stop()
		s.Close()
		for _, what := range s.Refusals() {
			t.Errorf("a request asked for what the facts of GoAlert leave open: %s", what)
		}
		for _, what := range s.Assumed() {
			t.Logf("GoAlert is assumed to have %s", what)
		}
	})
	return s
}

func (s *Server) serve(listener net.Listener) {
	s.http = &http.Server{Handler: s.Sim, ReadHeaderTimeout: time.Minute}
	s.http.SetKeepAlivesEnabled(false)
	go func(h *http.Server) {
		if err := h.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.t.Errorf("goalertsim: %v", err)
		}
	}(s.http)
}

// Stop refuses connections and cuts those that are open, as a server that crashes. The engine goes
// on: a real one that is started again catches up too.
func (s *Server) Stop() { _ = s.http.Close() }

// Resume serves again at the same address, with all data, sessions and keys.
func (s *Server) Resume() {
	s.t.Helper()
	var listen net.ListenConfig
	listener, err := listen.Listen(context.Background(), "tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.serve(listener)
}
