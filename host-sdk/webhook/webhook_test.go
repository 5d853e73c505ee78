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

func (f *fakeEngine) Fallback(context.Context, string) (integration.FallbackAnswers, bool) {
	if f.fallback == nil {
		return integration.FallbackAnswers{}, false
	}
	return *f.fallback, true
}

func (f *fakeEngine) Refused(context.Context, string) (integration.Response, bool) {
	return integration.Response{Body: []byte("<Refused/>")}, true
}

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
	if got.Header["X-Some-Signature"] == nil || got.Header["Authorization"] != nil {
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
		target, form = srv.URL+strings.TrimPrefix(u.Path, "/base")+"?"+u.RawQuery, "CallKey=K" // the digits travel in the URL from now on
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

func TestNewRefusesRelativePublicURL(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "hotline.example.com", "/x", "https://u:p@h.example.com", "https://h.example.com?x=1"} {
		if _, err := webhook.New(webhook.Config{PublicURL: bad}); err == nil {
			t.Errorf("public URL %q is accepted", bad)
		}
	}
}
