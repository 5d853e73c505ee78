package softphone

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// fakeVoice says how often it was asked; it can fail.
type fakeVoice struct {
	asked chan string
	err   error
}

func newVoice() *fakeVoice { return &fakeVoice{asked: make(chan string, 100)} }

func (*fakeVoice) Name() string { return "fake" }

func (v *fakeVoice) Speak(_ context.Context, text, language string, _ bool) (twiliosim.Sound, error) {
	v.asked <- language + ":" + text
	if v.err != nil {
		return nil, v.err
	}
	s := make(twiliosim.Sound, 1600)
	for i := range s {
		s[i] = 4321
	}
	return s, nil
}

// roundTripper is a function as an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// stage is a page on a simulator, which calls a program that answers with document at every path.
type stage struct {
	t    *testing.T
	sim  *twiliosim.Sim
	page *Page
	base string
}

func newStage(t *testing.T, cfg Config, under http.Handler) *stage {
	t.Helper()
	program := httptest.NewServer(under)
	t.Cleanup(program.Close)
	if cfg.Voice == nil {
		cfg.Voice = newVoice()
	}
	page := New(cfg)
	sim, err := twiliosim.New(twiliosim.Config{Page: page, Lenient: true, Behaviour: twiliosim.Behaviour{RecordingDelay: time.Millisecond, ShortestRecording: time.Millisecond},
		Numbers: []twiliosim.Number{{PhoneNumber: "+12025550100", VoiceURL: program.URL + "/voice"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	page.Attach(sim)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return &stage{t, sim, page, server.URL}
}

// documents answers with TwiML by path.
func documents(by map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, "<Response>"+by[r.URL.Path]+"</Response>")
	})
}

type answer struct {
	code   int
	header http.Header
	body   string
}

func (s *stage) ask(method, path, body string, header ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

func (s *stage) get(path string) answer { s.t.Helper(); return s.ask(http.MethodGet, path, "") }

// event waits for one that fits.
func (s *stage) event(fits func(twiliosim.Event) bool) twiliosim.Event {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for after := int64(0); ctx.Err() == nil; {
		for _, e := range s.sim.WaitEvents(ctx, after) {
			after = e.Seq
			if fits(e) {
				return e
			}
		}
	}
	s.t.Fatal("it did not happen")
	return twiliosim.Event{}
}

func (s *stage) call() *twiliosim.Call {
	s.t.Helper()
	c, err := s.sim.Call("+12025550199", "+12025550100")
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

var errDumb = errors.New("dumb")
