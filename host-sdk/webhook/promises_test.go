package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// lateEngine fails as soon as the budget is over, and its other answers come from a store that,
// like every store, does nothing for an expired context.
type lateEngine struct {
	kind     integration.Kind // of the error; "" means the context's own
	answers  integration.FallbackAnswers
	refused  integration.Response
	nothing  bool // there are neither fallback answers nor one for refused requests
	deadline bool // whether the context of Webhook had a deadline
}

func (l *lateEngine) Webhook(ctx context.Context, _ string, _ integration.WebhookRequest) (integration.Response, error) {
	_, l.deadline = ctx.Deadline()
	<-ctx.Done()
	if l.kind == "" {
		return integration.Response{}, ctx.Err()
	}
	return integration.Response{}, integration.Errorf(l.kind, "too late")
}

func (l *lateEngine) Fallback(ctx context.Context, _ string) (integration.FallbackAnswers, bool) {
	return l.answers, ctx.Err() == nil && !l.nothing
}

func (l *lateEngine) Refused(ctx context.Context, _ string) (integration.Response, bool) {
	return l.refused, ctx.Err() == nil && !l.nothing
}

func (*lateEngine) IgnoresAnswer(_, path string) bool { return path == "/status" }

func TestAnswersAfterTheBudgetDoNotDependOnIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind integration.Kind
		want string
	}{
		"fallback": {"", "<Wait/>"},
		"refused":  {integration.KindInvalid, "<Refused/>"},
	} {
		l := &lateEngine{
			kind: c.kind, refused: integration.Response{Body: []byte("<Refused/>")},
			answers: integration.FallbackAnswers{Wait: integration.Response{Body: []byte("<Wait/>")}},
		}
		srv := serve(t, webhook.Config{Engine: l, Budget: time.Millisecond})
		if status, body, _ := post(t, srv.URL+"/integrations/i", "A=1"); status != 200 || body != c.want {
			t.Errorf("%s: answer %d %q, want %q", name, status, body, c.want)
		}
		if !l.deadline {
			t.Errorf("%s: the engine was given no deadline", name)
		}
	}
}

func TestEscapedPathIsPartOfTheSignedAddress(t *testing.T) {
	t.Parallel()
	f := &fakeEngine{answer: func(context.Context, string, integration.WebhookRequest) (integration.Response, error) {
		return integration.Response{}, nil
	}}
	srv := serve(t, webhook.Config{Engine: f})
	post(t, srv.URL+"/integrations/i/c/K%2Fx/menu", "A=1")
	if got, want := f.got[0].URL, "https://hotline.example.com/base/integrations/i/c/K%2Fx/menu"; got != want {
		t.Errorf("URL %s, want %s: a signature is computed over the address as it was requested", got, want)
	}
}

func TestEveryRequestIsObservedOnce(t *testing.T) {
	t.Parallel()
	failure := map[string]error{
		"ok": nil, "fallback": integration.ErrPluginGone, "nothing": integration.ErrPluginGone,
		"refused":   integration.Errorf(integration.KindInvalid, "bad form"),
		"bad":       integration.Errorf(integration.KindInvalid, "bad form"),
		"not_found": integration.Errorf(integration.KindNotFound, "no such integration"),
	}
	engine := &engineByID{failure: failure}
	var mu sync.Mutex
	observed := map[string][]string{}
	srv := serve(t, webhook.Config{Engine: engine, Observe: func(o webhook.Observation) {
		mu.Lock()
		defer mu.Unlock()
		if o.Took < 0 {
			t.Errorf("%s took %v", o.Integration, o.Took)
		}
		observed[o.Integration] = append(observed[o.Integration], o.Kind+" "+o.Answer)
	}})
	for id := range failure {
		post(t, srv.URL+"/integrations/"+id, "A=1")
	}
	post(t, srv.URL+"/integrations/notice/status", "A=1")
	get, err := http.Get(srv.URL + "/integrations/sound/hold.mp3")
	if err != nil {
		t.Fatal(err)
	}
	_ = get.Body.Close()
	post(t, srv.URL+"/integrations/large", strings.Repeat("a", webhook.MaxBody+1))
	req, err := http.NewRequest(http.MethodDelete, srv.URL+"/integrations/method", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := resp.Header.Get("Allow"); got != "GET, POST" {
		t.Errorf("Allow is %q", got)
	}
	srv.Close() // waits for the handlers
	for id, want := range map[string]string{
		"ok": "call ok", "fallback": "call fallback", "nothing": "call unavailable", "refused": "call refused", "bad": "call refused",
		"not_found": "call not_found", "large": "call refused", "method": "call refused", "notice": "notice ok", "sound": "file ok",
	} {
		if got := observed[id]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s was observed as %q, want once as %s", id, got, want)
		}
	}
}

func TestWithoutAFallbackTheServiceAsksToComeAgain(t *testing.T) {
	t.Parallel()
	srv := serve(t, webhook.Config{Engine: &engineByID{failure: map[string]error{"nothing": integration.ErrPluginGone}}})
	status, _, header := post(t, srv.URL+"/integrations/nothing", "A=1")
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("answer %d, Retry-After %q", status, header.Get("Retry-After"))
	}
}

// engineByID fails as the table says; the integrations "nothing" and "bad" have no answers for
// that.
type engineByID struct{ failure map[string]error }

func (e *engineByID) Webhook(_ context.Context, id string, _ integration.WebhookRequest) (integration.Response, error) {
	return integration.Response{}, e.failure[id]
}

func (e *engineByID) Fallback(_ context.Context, id string) (integration.FallbackAnswers, bool) {
	return integration.FallbackAnswers{}, id != "nothing"
}

func (e *engineByID) Refused(_ context.Context, id string) (integration.Response, bool) {
	return integration.Response{}, id != "bad"
}

func (*engineByID) IgnoresAnswer(_, path string) bool { return path == "/status" }

func TestAnotherPathIsNotFound(t *testing.T) {
	t.Parallel()
	h, err := webhook.New(webhook.Config{Engine: &engineByID{}, PublicURL: "https://hotline.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/elsewhere/i", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("status %d, want 404", w.Code)
	}
}

// A host that was frozen finds requests whose sender has given them up, half a minute old: a caller
// who was still on hold then may talk by now. None of those requests is handled.
func TestARequestWhoseSenderHasGivenItUpIsGivenUp(t *testing.T) {
	t.Parallel()
	gone := make(chan error, 1)
	f := &fakeEngine{answer: func(ctx context.Context, _ string, _ integration.WebhookRequest) (integration.Response, error) {
		<-ctx.Done()
		gone <- ctx.Err()
		return integration.Response{}, ctx.Err()
	}}
	h, err := webhook.New(webhook.Config{Engine: f, PublicURL: "https://hotline.example.com", Budget: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// The request waits at the listener; nobody has accepted its connection when the sender closes
	// it.
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	body := "CallSid=CA1"
	_, err = fmt.Fprintf(conn, "POST /integrations/i HTTP/1.1\r\nHost: hotline.example.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if err := errors.Join(err, conn.Close()); err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	select {
	case err := <-gone:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the context ended with %v, want that it was cancelled", err)
		}
	case <-time.After(time.Minute):
		t.Error("a request is still handled a minute after its sender has gone")
	}
}
