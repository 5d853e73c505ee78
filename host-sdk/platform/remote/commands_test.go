package remote_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// perform sends a command until it is answered, as the engine does.
func perform(t *testing.T, adapter *remote.Platform, cmd integration.AlertCommand) (tries int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		tries++
		err := adapter.Apply(t.Context(), scope, cmd)
		if err == nil {
			return tries
		}
		if integration.KindOf(err).Final() {
			t.Fatalf("command %d was given up: %v", cmd.Number, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("command %d was not answered in a minute", cmd.Number)
	return tries
}

var allThree = []string{"1 create", "2 route", "3 acknowledge"}

// Whatever happens to an answer, each command is done once and in order.
func TestACommandWhoseAnswerIsLostIsDoneOnce(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request, http.Handler){
		"reset before it is done": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { reset(w) },
		"reset after it is done": func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			reset(w)
		},
		"cut after it is done": func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			done := httptest.NewRecorder()
			next.ServeHTTP(done, r)
			w.Header().Set("Content-Length", "5000")
			_, _ = w.Write(done.Body.Bytes()[:20])
		},
		"head at once, body never": func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"no answer": func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			<-r.Context().Done()
		},
		"502 after it is done": func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			answer(502, "text/html", "<html>")(w, r, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, adapter := start(t, nil)
			adapter.SetTimes(0, 200*time.Millisecond, 0, 0, 0, 0, 0)
			var mu sync.Mutex
			n := 0
			p.breakIt(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				mu.Lock()
				n++
				broken := n%3 != 0
				mu.Unlock()
				if broken && r.Method == http.MethodPut {
					fault(w, r, next)
					return
				}
				next.ServeHTTP(w, r)
			})
			tries := 0
			for _, cmd := range first("CA1") {
				tries += perform(t, adapter, cmd)
			}
			if diff := cmp.Diff(allThree, p.commands("CA1")); diff != "" || tries <= 3 {
				t.Errorf("after %d tries (-want +done):\n%s", tries, diff)
			}
		})
	}
}

// Number, not order of arrival, decides: an old command alone changes nothing, a gap is no mistake.
func TestAnOldNumberAloneAndAGap(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	cmds := first("CA1")
	for _, cmd := range cmds {
		perform(t, adapter, cmd)
	}
	a, err := adapter.Alert(t.Context(), scope, "CA1")
	if err != nil {
		t.Fatal(err)
	}
	perform(t, adapter, integration.AlertCommand{Number: 9, Kind: integration.AlertReopen, AlertKey: "CA1", Ack: a.Acknowledgements[0].ID})
	perform(t, adapter, cmds[2])
	perform(t, adapter, cmds[2])
	a, err = adapter.Alert(t.Context(), scope, "CA1")
	if err != nil || a.Status != integration.AlertOpen || a.LastCommand != 9 {
		t.Errorf("an old acknowledgement after it was taken back: %+v, %v", a, err)
	}
	if diff := cmp.Diff(append(slices.Clone(allThree), "9 reopen"), p.commands("CA1")); diff != "" {
		t.Error(diff)
	}
}

func TestRetryAfterKeepsCommandsBackAndNoQuestion(t *testing.T) {
	t.Parallel()
	for after, want := range map[string][2]time.Duration{
		"30": {20 * time.Second, 30 * time.Second},
		time.Now().Add(40 * time.Second).UTC().Format(http.TimeFormat): {20 * time.Second, 40 * time.Second},
		"604800": {50 * time.Second, time.Minute}, "-5": {-1 << 63, 0}, "soon": {-1 << 63, 0}, "": {-1 << 63, 0},
	} {
		for _, status := range []int{429, 503} {
			p, adapter := start(t, nil)
			p.breakIt(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				w.Header().Set("Retry-After", after)
				answer(status, "text/plain", "busy")(w, r, next)
			})
			cmd := first("CA1")[0]
			if err := adapter.Apply(t.Context(), scope, cmd); integration.KindOf(err) != integration.KindUnavailable {
				t.Errorf("%d: %v, want unavailable", status, err)
			}
			p.breakIt(nil)
			if got := adapter.Paused(); got < want[0] || got > want[1] {
				t.Errorf("Retry-After %q keeps commands back for %v, want %v to %v", after, got, want[0], want[1])
			}
			before := p.requests.Load()
			err := adapter.Apply(t.Context(), scope, cmd)
			if back := want[1] > 0; back != (integration.KindOf(err) == integration.KindUnavailable) || back != (p.requests.Load() == before) {
				t.Errorf("Retry-After %q, then a command: %v", after, err)
			}
			if _, err := adapter.Teams(t.Context(), scope); err != nil {
				t.Errorf("Retry-After %q, then a question: %v", after, err)
			}
		}
	}
}

// A wrong token loses no command, and is said in words.
func TestCommandsOutliveAWrongToken(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	p.breakIt(answer(401, wire.ProblemType, `{"status":401,"kind":"unauthorized","detail":"no"}`))
	for _, cmd := range first("CA1") {
		err := adapter.Apply(t.Context(), scope, cmd)
		var known *integration.Error
		if !errors.As(err, &known) || known.Kind != integration.KindUnavailable || known.Code != remote.CodeToken {
			t.Errorf("401: %v, want unavailable with the code %s", err, remote.CodeToken)
		}
	}
	if err := adapter.Health(t.Context()); err == nil || !strings.Contains(err.Error(), "token") {
		t.Errorf("Health: %v, want an error about the token", err)
	}
	if text := strings.Join(adapter.Findings(), "\n"); !strings.Contains(text, "the platform refuses the token") {
		t.Errorf("the findings are %q", text)
	}
	p.breakIt(nil)
	for _, cmd := range first("CA1") {
		perform(t, adapter, cmd)
	}
	if diff := cmp.Diff(allThree, p.commands("CA1")); diff != "" {
		t.Error(diff)
	}
}
