package webhook_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// fakeEngine answers by function and remembers what it was asked.
type fakeEngine struct {
	answer   func(ctx context.Context, id string, w integration.WebhookRequest) (integration.Response, error)
	fallback *integration.FallbackAnswers
	got      []integration.WebhookRequest
}

func (f *fakeEngine) Webhook(ctx context.Context, id string, w integration.WebhookRequest) (integration.Response, error) {
	f.got = append(f.got, w)
	return f.answer(ctx, id, w)
}

// Fallback needs its context, as an engine does that must read the integration first.
func (f *fakeEngine) Fallback(ctx context.Context, _ string) (integration.FallbackAnswers, bool) {
	if f.fallback == nil || ctx.Err() != nil {
		return integration.FallbackAnswers{}, false
	}
	return *f.fallback, true
}

// Refused needs its context as well.
func (f *fakeEngine) Refused(ctx context.Context, _ string) (integration.Response, bool) {
	return integration.Response{Body: []byte("<Refused/>")}, ctx.Err() == nil
}

func (*fakeEngine) IgnoresAnswer(_, path string) bool { return path == "/status" }

func serve(t *testing.T, cfg webhook.Config) *httptest.Server {
	t.Helper()
	cfg.PublicURL = "https://hotline.example.com/base/"
	h, err := webhook.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(webhook.Prefix, h)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

func post(t *testing.T, u, body string) (int, string, http.Header) {
	t.Helper()
	resp, err := http.Post(u, "application/x-www-form-urlencoded", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

func TestRequestReachesTheEngineAsItWasSent(t *testing.T) {
	t.Parallel()
	f := &fakeEngine{answer: func(_ context.Context, id string, _ integration.WebhookRequest) (integration.Response, error) {
		return integration.Response{Header: map[string][]string{"content-type": {"text/xml"}}, Body: []byte("<Response/>" + id)}, nil
	}}
	srv := serve(t, webhook.Config{Engine: f})
	req, _ := http.NewRequest("POST", srv.URL+"/integrations/int_1/c/K%20x/menu?s=3&t=a%2Bb", strings.NewReader("A=1&B=%C3%BC"))
	req.Header.Set("Authorization", "Bearer nobody's business")
	req.Header.Set("X-Some-Signature", "sig")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || string(body) != "<Response/>int_1" || resp.Header.Get("Content-Type") != "text/xml" {
		t.Errorf("answer %d %q %q", resp.StatusCode, body, resp.Header.Get("Content-Type"))
	}
	got := f.got[0]
	if want := "https://hotline.example.com/base/integrations/int_1/c/K%20x/menu?s=3&t=a%2Bb"; got.URL != want {
		t.Errorf("URL %s, want %s", got.URL, want)
	}
	if got.Path != "/c/K x/menu" || string(got.Body) != "A=1&B=%C3%BC" || got.Method != "POST" || got.RemoteAddr != "127.0.0.1" {
		t.Errorf("request %+v", got)
	}
	if got.Header["X-Some-Signature"] == nil || got.Header["Authorization"] != nil || got.Header["Accept-Encoding"] != nil || got.Header["Content-Length"] != nil {
		t.Errorf("headers %v", got.Header)
	}
}

func TestWhatCannotBeACallIsRefusedByStatus(t *testing.T) {
	t.Parallel()
	f := &fakeEngine{answer: func(_ context.Context, id string, _ integration.WebhookRequest) (integration.Response, error) {
		switch id {
		case "gone":
			return integration.Response{}, integration.Errorf(integration.KindNotFound, "no such integration")
		case "bad":
			return integration.Response{}, integration.Errorf(integration.KindInvalid, "bad form")
		}
		return integration.Response{Status: 204}, nil
	}}
	srv := serve(t, webhook.Config{Engine: f})
	if status, _, _ := post(t, srv.URL+"/integrations/x", strings.Repeat("a", webhook.MaxBody+1)); status != 413 {
		t.Errorf("oversize body: %d, want 413", status)
	}
	if status, _, _ := post(t, srv.URL+"/integrations/x", strings.Repeat("a", webhook.MaxBody)); status != 204 {
		t.Errorf("body of just 64 KiB: %d, want 204", status)
	}
	if status, _, _ := post(t, srv.URL+"/integrations/gone", "A=1"); status != 404 {
		t.Errorf("unknown integration: %d, want 404", status)
	}
	if status, body, _ := post(t, srv.URL+"/integrations/bad", "A=1"); status != 200 || body != "<Refused/>" {
		t.Errorf("invalid request: %d %q, want the fixed answer", status, body)
	}
	if status, _, _ := post(t, srv.URL+"/integrations/", "A=1"); status != 404 {
		t.Errorf("no integration named: %d, want 404", status)
	}
	req, _ := http.NewRequest("PUT", srv.URL+"/integrations/x", nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 405 {
		t.Errorf("PUT: %d, want 405", resp.StatusCode)
	}
}

func TestFallbackAsksForPatienceThenSaysLastWords(t *testing.T) {
	t.Parallel()
	clk := clock.NewManual(time.Unix(1_800_000_000, 0))
	f := &fakeEngine{
		answer: func(context.Context, string, integration.WebhookRequest) (integration.Response, error) {
			return integration.Response{}, integration.ErrPluginGone
		},
		fallback: &integration.FallbackAnswers{
			Wait:      integration.Response{Body: []byte("<Wait>{{retry_url}}#rc=3</Wait>")},
			LastWords: integration.Response{Body: []byte("<Goodbye/>")},
			Keep:      []string{"Digits"},
		},
	}
	srv := serve(t, webhook.Config{Engine: f, Clock: clk})
	target := srv.URL + "/integrations/i/c/K/menu?s=1"
	form := "Digits=2&CallKey=K"
	for i := 1; ; i++ {
		status, body, _ := post(t, target, form)
		if status != 200 {
			t.Fatalf("fallback %d: status %d", i, status)
		}
		if body == "<Goodbye/>" {
			if i < 3 {
				t.Fatalf("last words already at answer %d", i)
			}
			return
		}
		if i > 100 {
			t.Fatal("no last words after 100 answers")
		}
		var wait struct {
			URL string `xml:",chardata"`
		}
		if err := xml.Unmarshal([]byte(body), &wait); err != nil {
			t.Fatalf("answer %d is not well-formed: %v: %s", i, err, body)
		}
		u, err := url.Parse(strings.TrimSuffix(wait.URL, "#rc=3"))
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if u.Host != "hotline.example.com" || q.Get("s") != "1" || q.Get("Digits") != "2" || q.Get(integration.FallbackCountField) != fmt.Sprint(i) {
			t.Fatalf("retry URL %d is %s", i, u)
		}
		// The digits travel in the URL from now on.
		target, form = srv.URL+strings.TrimPrefix(u.Path, "/base")+"?"+u.RawQuery, "CallKey=K"
		clk.Advance(4 * time.Minute)
	}
}

func TestNoAnswerWithinBudgetIsTheFallback(t *testing.T) {
	t.Parallel()
	f := &fakeEngine{
		answer: func(ctx context.Context, _ string, _ integration.WebhookRequest) (integration.Response, error) {
			<-ctx.Done()
			return integration.Response{}, ctx.Err()
		},
		fallback: &integration.FallbackAnswers{Wait: integration.Response{Body: []byte("<Wait/>")}},
	}
	srv := serve(t, webhook.Config{Engine: f, Budget: 20 * time.Millisecond})
	if status, body, _ := post(t, srv.URL+"/integrations/i", "A=1"); status != 200 || body != "<Wait/>" {
		t.Errorf("answer %d %q, want the fallback", status, body)
	}
	f.fallback = nil
	if status, _, _ := post(t, srv.URL+"/integrations/i", "A=1"); status != 503 {
		t.Errorf("without any plugin: %d, want 503", status)
	}
}

func TestTheHandlersTimeIsTheBudget(t *testing.T) {
	t.Parallel()
	budgets := make(chan time.Duration, 2)
	f := &fakeEngine{answer: func(ctx context.Context, _ string, _ integration.WebhookRequest) (integration.Response, error) {
		deadline, _ := ctx.Deadline()
		budgets <- time.Until(deadline)
		return integration.Response{}, nil
	}}
	for cfg, want := range map[time.Duration]time.Duration{0: webhook.Budget, time.Hour: time.Hour} {
		srv := serve(t, webhook.Config{Engine: f, Budget: cfg})
		if status, _, _ := post(t, srv.URL+"/integrations/i", ""); status != 200 {
			t.Errorf("status %d", status)
		}
		if got := <-budgets; got > want || got < want-time.Minute {
			t.Errorf("configured %v: the handler has %v, want %v", cfg, got, want)
		}
	}
}

func TestABodyThatBreaksOffIsRefused(t *testing.T) {
	t.Parallel()
	f := &fakeEngine{answer: func(context.Context, string, integration.WebhookRequest) (integration.Response, error) {
		t.Error("half a request reached the engine")
		return integration.Response{}, nil
	}}
	h, err := webhook.New(webhook.Config{Engine: f, PublicURL: "https://hotline.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("POST", "/integrations/i", io.MultiReader(strings.NewReader("A="), errReader{})))
	if rec.Code != 400 {
		t.Errorf("status %d, want 400", rec.Code)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestAnAnswerWithoutContentHasNone: the standard library would complain, and the connection be
// lost.
func TestAnAnswerWithoutContentHasNone(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{0: "text", 200: "text", 404: "text", 204: "", 304: ""} {
		f := &fakeEngine{answer: func(context.Context, string, integration.WebhookRequest) (integration.Response, error) {
			return integration.Response{Status: status, Body: []byte("text")}, nil
		}}
		h, err := webhook.New(webhook.Config{Engine: f, PublicURL: "https://hotline.example.com"})
		if err != nil {
			t.Fatal(err)
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", "/integrations/i", nil))
		if rec.Body.String() != want || rec.Code != max(status, 200) {
			t.Errorf("status %d: answer %d %q, want %q", status, rec.Code, rec.Body, want)
		}
		// So that the peer knows the end when it has it, whatever the handler does afterwards.
		if got := rec.Header().Get("Content-Length"); got != map[string]string{"text": "4"}[want] {
			t.Errorf("status %d: the header says a length of %q", status, got)
		}
	}
}

func TestARemoteAddressWithoutPortIsHandedOnAsItIs(t *testing.T) {
	t.Parallel()
	f := &fakeEngine{answer: func(context.Context, string, integration.WebhookRequest) (integration.Response, error) {
		return integration.Response{}, nil
	}}
	h, err := webhook.New(webhook.Config{Engine: f, PublicURL: "https://hotline.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for remote, want := range map[string]string{"192.0.2.1:99": "192.0.2.1", "[2001:db8::1]:99": "2001:db8::1", "@": "@"} {
		r := httptest.NewRequest("GET", "/integrations/i", nil)
		r.RemoteAddr = remote
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got := f.got[len(f.got)-1].RemoteAddr; got != want {
			t.Errorf("%s is handed on as %s, want %s", remote, got, want)
		}
	}
}

// TestFallbackEndsWithLastWords when its time is over or the counters in the address make no sense.
func TestFallbackEndsWithLastWords(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	at := func(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }
	count, since := integration.FallbackCountField, integration.FallbackSinceField
	for _, tc := range []struct {
		query string
		limit time.Duration
		last  bool
	}{
		{"", 0, false},
		{count + "=3&" + since + "=" + at(-10*time.Minute+time.Second), 0, false},
		{count + "=3&" + since + "=" + at(-10*time.Minute), 0, true},
		{count + "=3&" + since + "=" + at(-10*time.Minute), 11 * time.Minute, false},
		{count + "=3&" + since + "=" + at(-11*time.Minute), 11 * time.Minute, true},
		{count + "=-1&" + since + "=" + at(0), 0, true},
		{count + "=0&" + since + "=" + at(0), 0, false},
		{count + "=3&" + since + "=" + at(time.Minute), 0, false}, // another host's clock
		{count + "=3&" + since + "=" + at(61*time.Second), 0, true},
		{count + "=3&" + since + "=soon", 0, false},
	} {
		f := &fakeEngine{
			answer: func(context.Context, string, integration.WebhookRequest) (integration.Response, error) {
				return integration.Response{}, integration.ErrPluginGone
			},
			fallback: &integration.FallbackAnswers{
				Wait: integration.Response{Body: []byte("wait")}, LastWords: integration.Response{Body: []byte("last")}, For: tc.limit, Keep: []string{"Digits"},
			},
		}
		h, err := webhook.New(webhook.Config{Engine: f, PublicURL: "https://hotline.example.com", Clock: clock.NewManual(now)})
		if err != nil {
			t.Fatal(err)
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("POST", "/integrations/i?"+tc.query, nil))
		if want := map[bool]string{true: "last", false: "wait"}[tc.last]; rec.Body.String() != want {
			t.Errorf("%s within %v: %s, want %s", tc.query, tc.limit, rec.Body, want)
		}
	}
}

// TestARepeatedRequestCarriesWhenItCameFirst: a fallback has asked to send it again.
func TestARepeatedRequestCarriesWhenItCameFirst(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	for query, want := range map[string]time.Time{
		"": {}, integration.FallbackSinceField + "=soon": {},
		integration.FallbackSinceField + "=" + fmt.Sprint(now.Add(-40*time.Second).Unix()): now.Add(-40 * time.Second),
		// Another host's clock.
		integration.FallbackSinceField + "=" + fmt.Sprint(now.Add(40*time.Second).Unix()): {},
	} {
		f := &fakeEngine{answer: func(context.Context, string, integration.WebhookRequest) (integration.Response, error) {
			return integration.Response{}, nil
		}}
		h, err := webhook.New(webhook.Config{Engine: f, PublicURL: "https://hotline.example.com", Clock: clock.NewManual(now)})
		if err != nil {
			t.Fatal(err)
		}
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/integrations/i?"+query, nil))
		if got := f.got[0].ReceivedAt; !got.Equal(want) {
			t.Errorf("%q: received at %v, want %v", query, got, want)
		}
	}
}

func TestNewRefusesRelativePublicURL(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "hotline.example.com", "/x", "https://u:p@h.example.com", "https://h.example.com?x=1"} {
		if _, err := webhook.New(webhook.Config{PublicURL: bad}); err == nil {
			t.Errorf("public URL %q is accepted", bad)
		}
	}
}
