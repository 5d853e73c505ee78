package goalertsim_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

// world is a server with what tests ask of it again and again.
type world struct {
	*testing.T
	*goalertsim.Target
	ctx context.Context
}

// open begins a test. Its server's clock moves in Await only.
func open(t *testing.T, cfg goalertsim.Config) *world {
	t.Parallel()
	cfg.CycleTime = -1
	return &world{t, goalertsim.Open(t, cfg), t.Context()}
}

// ok ends the test on an error.
func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// must is ok for a call with a result.
func must[T any](w *world) func(T, error) T {
	return func(v T, err error) T {
		w.Helper()
		w.ok(err)
		return v
	}
}

// ask sends a document and returns the data.
func (w *world) ask(c *admin.Client, document string) map[string]any {
	w.Helper()
	var out map[string]any
	w.ok(c.Query(w.ctx, document, &out))
	return out
}

// refused sees that a request is an error of the server with a text and a code; "" matches any.
func (w *world) refused(err error, text, code string) {
	w.Helper()
	var e *admin.Error
	if !errors.As(err, &e) {
		w.Fatalf("error %v, want one of the server", err)
	}
	if e.Status == http.StatusNotImplemented {
		w.Fatalf("left open: %v", err)
	}
	all := e.Body
	got := ""
	for _, one := range e.Errors {
		all, got = all+one.Message, got+one.Extensions.Code
	}
	if !strings.Contains(all, text) || code != "" && got != code {
		w.Errorf("error %q with code %q, want %q with %q", all, got, text, code)
	}
}

// leftOpen sees that a request asks for what the facts do not tell.
func (w *world) leftOpen(err error, what string) {
	w.Helper()
	got := w.Sim.Refusals()
	if err == nil || len(got) != 1 || !strings.Contains(got[0], what) {
		w.Errorf("error %v, refusals %q, want one that names %q", err, got, what)
	}
}

// equal compares by JSON, so that a test can write what it expects as text.
func (w *world) equal(what string, got any, want string) {
	w.Helper()
	text, _ := json.Marshal(got)
	var a, b any
	_ = json.Unmarshal(text, &a)
	w.ok(json.Unmarshal([]byte(want), &b))
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if string(x) != string(y) {
		w.Errorf("%s is %s, want %s", what, x, y)
	}
}

// policy adds a policy with one step for each list of actions, a minute each.
func (w *world) policy(repeat int, steps ...[]admin.Dest) string {
	w.Helper()
	id := must[string](w)(w.Admin.CreatePolicy(w.ctx, w.Unique("Policy"), repeat))
	for _, actions := range steps {
		must[int](w)(w.Admin.AddStep(w.ctx, id, 1, actions...))
	}
	return id
}

// service adds a service with a policy of such steps and the integration key live-call-routing.
func (w *world) service(repeat int, steps ...[]admin.Dest) admin.Service {
	w.Helper()
	return must[admin.Service](w)(w.Admin.CreateService(w.ctx, w.Unique("Payments"), w.policy(repeat, steps...), "live-call-routing"))
}

// alert creates an alert and returns its number.
func (w *world) alert(s admin.Service, dedup string) int {
	w.Helper()
	c := must[admin.Created](w)(s.Post(w.ctx, admin.Alert{Summary: "Live call", Details: "Payments", Dedup: dedup}))
	if !c.IsNew || c.AlertID == 0 || c.ServiceID != s.ID {
		w.Fatalf("created %+v", c)
	}
	return c.AlertID
}

// status reads an alert.
func (w *world) status(id int) *admin.Status {
	w.Helper()
	return must[*admin.Status](w)(w.Admin.AlertStatus(w.ctx, id))
}

// atStep waits until an alert has reached a step of a repetition.
func (w *world) atStep(id, repeat, step int) {
	w.Helper()
	w.Await("the step", func() bool {
		s := w.status(id).State
		return s != nil && s.LastEscalation != nil && s.RepeatCount == repeat && s.StepNumber == step
	})
}

// key makes an API key of role user for a document.
func (w *world) key(document string) *admin.Client {
	w.Helper()
	return must[*admin.Client](w)(w.Admin.CreateKey(w.ctx, w.Unique("key"), "user", document, w.Now().Add(24*time.Hour)))
}

// post posts a body and returns status and answer.
func (w *world) post(address, kind, body string, header ...string) (int, string) {
	w.Helper()
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	w.ok(err)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, answer, err := (&admin.Client{}).Do(r)
	w.ok(err)
	return resp.StatusCode, string(answer)
}

// inbox receives webhooks.
type inbox struct {
	URL  string
	mu   sync.Mutex
	got  []map[string]any
	all  []string
	does func(w http.ResponseWriter, r *http.Request) // instead of 200
}

func (w *world) inbox() *inbox {
	b := &inbox{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		var body map[string]any
		_ = json.Unmarshal(text, &body)
		b.mu.Lock()
		b.got, b.all = append(b.got, body), append(b.all, string(text))
		does := b.does
		b.mu.Unlock()
		if does != nil {
			does(rw, r)
		}
	}))
	w.Cleanup(server.Close)
	b.URL = server.URL
	return b
}

// of returns the webhooks of a type.
func (b *inbox) of(kind string) (all []map[string]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, body := range b.got {
		if body["Type"] == kind {
			all = append(all, body)
		}
	}
	return all
}

// soon waits, without moving the server's clock, until another goroutine has done something.
func (w *world) soon(what string, happened func() bool) {
	w.Helper()
	for deadline := time.Now().Add(time.Minute); !happened(); {
		if time.Now().After(deadline) {
			w.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// later moves the clock of a stand-in, with its cycles.
func (w *world) later(d time.Duration) {
	for range int(d / time.Second) {
		w.Cycle()
	}
}
