package api_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// foreign is a platform that shows its alerts itself.
type foreign struct{ platform.Platform }

func (foreign) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	return nil, integration.Errorf(integration.KindUnavailable, "the platform is being updated")
}

// hub is an engine that has only events.
type hub struct {
	api.Engine
	events chan engine.Event
}

func (h hub) Subscribe() (<-chan engine.Event, func()) { return h.events, func() {} }

// forgetful is an engine that forgets whomever it is asked to, while it is waited for.
type forgetful struct{ api.Engine }

func (forgetful) Forget(ctx context.Context, _ string, _ store.Deletion) (engine.Forgotten, error) {
	return engine.Forgotten{}, ctx.Err()
}

// A client that leaves, or whose proxy does, leaves no caller half forgotten.
func TestForgettingGoesOnWithoutItsClient(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	handler := asAdmin(api.New(api.Config{Engine: forgetful{}, Platform: foreign{}, People: h.People(nil), Clock: h.Clock, Logger: h.Logger}).Handler())
	ctx, leave := context.WithCancel(t.Context())
	leave()
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, httptest.NewRequestWithContext(ctx, "POST", "/api/v1/forget", strings.NewReader(`{"number": "+12025550191"}`)))
	if rec.Code != http.StatusOK {
		t.Errorf("status %d: %s", rec.Code, rec.Body)
	}
}

// A file that comes too slowly is refused with what to do.
func TestAnUploadThatTakesTooLong(t *testing.T) {
	t.Parallel()
	handler := asAdmin(api.New(api.Config{Platform: foreign{}, People: people.New(people.Config{}), Clock: clock.System(), Logger: slog.New(slog.DiscardHandler)}).Handler())
	const part = "--x\r\nContent-Disposition: form-data; name=file; filename=a.wav\r\n\r\nRIFF"
	for contentType, begins := range map[string]string{"audio/wav": "RIFF", "multipart/form-data; boundary=x": part} {
		slow := io.MultiReader(strings.NewReader(begins), iotest.ErrReader(fmt.Errorf("read tcp: %w", os.ErrDeadlineExceeded)))
		req := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v1/media?name=a.wav", slow)
		req.Header.Set("Content-Type", contentType)
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, req)
		if rec.Code != http.StatusRequestTimeout || !strings.Contains(rec.Body.String(), "came too slowly: send a smaller one") {
			t.Errorf("%s: status %d: %s", contentType, rec.Code, rec.Body)
		}
	}
}

// asAdmin lets the requests be those of an admin.
func asAdmin(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(people.With(r.Context(), people.Identity{Role: people.Admin, How: people.ByNamedToken})))
	})
}

func TestPlatformThatShowsItsAlertsItself(t *testing.T) {
	t.Parallel()
	handler := asAdmin(api.New(api.Config{Platform: foreign{}, Clock: clock.System(), Logger: slog.New(slog.DiscardHandler)}).Handler())
	for path, status := range map[string]int{
		"GET /api/v1/alerts": 501, "GET /api/v1/alerts/1": 501, "POST /api/v1/alerts/1/acknowledge": 501, "GET /api/v1/teams": 503,
	} {
		method, address, _ := strings.Cut(path, " ")
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), method, address, strings.NewReader(`{"user": "alice"}`)))
		if diff := cmp.Diff(status, rec.Code); diff != "" {
			t.Fatalf("%v (-want +got):\n%s", path, diff)
		}
	}
}

// streamed is what has come of an answer that goes on.
type streamed struct {
	testlog.Buffer
	header http.Header
}

func (s *streamed) Header() http.Header { return s.header }
func (s *streamed) WriteHeader(int)     {}
func (s *streamed) Flush()              {}

// A quiet stream gives a sign of life 15 s after it has sent something, says of alerts it cannot
// read where they are, and ends when the host stops.
func TestEventStreamOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := hub{events: make(chan engine.Event, 1)}
		closing, stop := context.WithCancel(t.Context())
		who := people.New(people.Config{Token: hosttest.Token, PublicURL: &url.URL{}, Clock: clock.System()})
		handler := who.API(api.New(api.Config{
			Engine: events, Platform: foreign{}, People: who, Clock: clock.System(), Logger: slog.New(slog.DiscardHandler), Closing: closing,
		}).Handler())
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/events", nil)
		req.Header.Set("Authorization", "Bearer "+hosttest.Token)
		rec, over := &streamed{header: http.Header{}}, make(chan struct{})
		defer func() {
			stop()
			<-over
		}()
		go func() {
			defer close(over)
			handler.ServeHTTP(rec, req)
		}()
		read := 0
		after := func(passed time.Duration, want string) {
			t.Helper()
			time.Sleep(passed) // by the clock of this test alone
			synctest.Wait()
			if diff := cmp.Diff(want, rec.String()[read:]); diff != "" {
				t.Fatalf("%s later (-want +got):\n%s", passed, diff)
			}
			read += len(want)
		}
		const alive = ": still here\n\n"
		after(0, "retry: 2000\n: connected\n\n")
		after(14*time.Second, "")
		after(time.Second, alive)
		after(15*time.Second, alive)
		after(10*time.Second, "")
		events.events <- engine.Event{Type: "alert", Integration: "int_1", Key: "CA01"}
		after(0, "id: 1\nevent: alert\ndata: {\"integration_id\":\"int_1\",\"key\":\"CA01\"}\n\n")
		after(14*time.Second, "")
		after(time.Second, alive)
		stop()
		<-over
		after(time.Hour, "")
	})
}

// A switchboard file may be larger than other bodies. One that is too large is said to be, and what
// is no JSON object is refused as it is elsewhere.
func TestAPushedFileHasItsOwnLimit(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	pushed := 0
	push := func(_ context.Context, text []byte) (string, error) {
		pushed += len(text)
		return "a hash", nil
	}
	handler := asAdmin(api.New(api.Config{Platform: foreign{}, People: h.People(nil), Clock: h.Clock, Logger: h.Logger, PushFile: push}).Handler())
	for name, one := range map[string]struct {
		body   string
		status int
		said   string
	}{
		"a large file":     {`{"text": "` + strings.Repeat("x", 4<<20) + `"}`, 200, `"hash":"a hash"`},
		"too large":        {`{"text": "` + strings.Repeat("x", 10<<20) + `"}`, 413, "the body is larger than 10 MiB"},
		"nothing":          {"", 400, "the request has no body"},
		"two":              {`{"text": ""} {"text": ""}`, 400, "more than one JSON value"},
		"another field":    {`{"file": ""}`, 400, `unknown field \"file\"`},
		"no JSON":          {`users: []`, 400, "the body is not JSON"},
		"of another shape": {`{"text": 1}`, 400, "text has the wrong type: want a string"},
	} {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "PUT", "/api/v1/switchboard-file", strings.NewReader(one.body)))
		if rec.Code != one.status || !strings.Contains(rec.Body.String(), one.said) {
			t.Errorf("%s: %d, %s; want %d, %s", name, rec.Code, rec.Body, one.status, one.said)
		}
	}
	if pushed != 4<<20 {
		t.Errorf("%d bytes came into force", pushed)
	}
}

// awayPlatform is a platform on a machine that does not answer.
type awayPlatform struct{ platform.Platform }

func (awayPlatform) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	return nil, platform.Away(integration.KindDeadline, "the platform did not answer: lookup canary-platform.internal: no such host")
}

// While the platform is away the API says so, with what to do, and not where it is; the log does.
func TestThePlatformIsAway(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	handler := asAdmin(api.New(api.Config{Platform: awayPlatform{}, Clock: clock.System(), Logger: slog.New(slog.NewTextHandler(&log, nil))}).Handler())
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/api/v1/teams", nil))
	const want = `{"error":{"kind":"unavailable","message":"the platform cannot be used at the moment: try again; if it stays away, the log of switchboard says why"}}`
	if got := strings.TrimSpace(rec.Body.String()); rec.Code != 503 || got != want || rec.Header().Get("Retry-After") == "" || !strings.Contains(log.String(), "canary-platform.internal") {
		t.Errorf("%d, %s\nthe log: %s", rec.Code, got, log.String())
	}
}
