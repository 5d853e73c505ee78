package remote_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// The token is in no error, no finding and no line of the log, and goes to no other host.
func TestTheTokenStaysBetweenTheTwo(t *testing.T) {
	t.Parallel()
	var elsewhere sync.Map
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { elsewhere.Store(r.URL.Path, true) }))
	defer other.Close()
	var log testlog.Buffer
	p, adapter := start(t, func(c *remote.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	var texts []string
	for _, fault := range []func(http.ResponseWriter, *http.Request, http.Handler){
		answer(403, wire.ProblemType, `{"status":403,"kind":"invalid","detail":"bad `+token+`","code":"`+token+`","field":"`+token+`"}`),
		answer(200, "text/html", token), answer(200, "application/json", `{"teams":[{"kind":"`+token+`"}],"key":"`+token+`","id":"`+token+`","on_call":7}`), answer(401, token, token),
		func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			http.Redirect(w, r, other.URL+"/"+token, http.StatusTemporaryRedirect)
		},
		func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { reset(w) },
	} {
		p.breakIt(fault)
		for _, call := range calls(adapter) {
			texts = append(texts, fmt.Sprint(call(t.Context())))
		}
		texts = append(texts, adapter.Findings()...)
	}
	for _, text := range append(texts, log.String()) {
		if strings.Contains(text, token) || strings.Contains(text, whsec(secret)) {
			t.Errorf("a secret is in %q", text)
		}
	}
	elsewhere.Range(func(path, _ any) bool { t.Errorf("another host was asked for %v", path); return true })
}

func TestSettingsThatCannotBeAreRefusedByName(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]remote.Config{
		"url: it is no web address": {URL: "platform", Token: token},
		"http to example.com":       {URL: "http://example.com", Token: token},
		"neither https nor http":    {URL: "ftp://example.com", Token: token},
		"name or password":          {URL: "https://a:b@example.com", Token: token},
		"query or a fragment":       {URL: "https://example.com?x=1", Token: token},
		"token: it has 5":           {URL: "https://example.com", Token: "short"},
		"without blanks":            {URL: "https://example.com", Token: token + " "},
		"hints_secret: number 2":    {URL: "https://example.com", Token: token, HintsSecrets: []string{whsec(secret), "whsec_"}},
	} {
		if _, err := remote.New(cfg); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) {
			t.Errorf("%v, want an error with %q and without the token", err, want)
		}
	}
	for _, address := range []string{"https://example.com/livecall/", "http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost"} {
		if _, err := remote.New(remote.Config{URL: address, Token: token}); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}
