package webhook_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// media holds media by reference; a nil map is a store that is down.
type media map[string]store.Medium

func (m media) Medium(_ context.Context, ref string) (store.Medium, error) {
	if m == nil {
		return store.Medium{}, integration.Errorf(integration.KindUnavailable, "down")
	}
	got, ok := m[ref]
	if !ok {
		return got, integration.Errorf(integration.KindNotFound, "none")
	}
	return got, nil
}

func fetch(g *webhook.GuardedMedia, method, url string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, nil)
	if len(header) == 2 {
		r.Header.Set(header[0], header[1])
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

func TestGuardedMediaAreServedToWhoeverHasTheAddressWhileItLasts(t *testing.T) {
	t.Parallel()
	const ref, page = "media:abc", "media:def"
	clk := clock.NewManual(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	g := &webhook.GuardedMedia{
		PublicURL: "https://hotline.example.com", Key: []byte("0123456789abcdef"), Clock: clk,
		Media: media{
			ref:  {MediaRef: integration.MediaRef{Ref: ref, ContentType: "audio/mpeg"}, Data: []byte("0123456789")},
			page: {MediaRef: integration.MediaRef{Ref: page, ContentType: "text/html"}, Data: []byte("<script>")},
		},
	}
	url := g.URL(ref, clk.Now().Add(10*time.Minute))
	if !strings.HasPrefix(url, "https://hotline.example.com/call-media/") {
		t.Fatalf("the address is %s", url)
	}
	w := fetch(g, "GET", url)
	if w.Code != 200 || w.Body.String() != "0123456789" || w.Header().Get("Content-Type") != "audio/mpeg" || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("answer %d %q, %v", w.Code, w.Body, w.Header())
	}
	if w := fetch(g, "GET", url, "Range", "bytes=2-3"); w.Code != http.StatusPartialContent || w.Body.String() != "23" {
		t.Errorf("a range: %d %q", w.Code, w.Body)
	}
	if w := fetch(g, "HEAD", url); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d %q", w.Code, w.Body)
	}
	if w := fetch(g, "POST", url); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, allowed %q", w.Code, w.Header().Get("Allow"))
	}
	if w := fetch(g, "GET", g.URL(page, clk.Now())); w.Code != 200 || w.Header().Get("Content-Type") != "application/octet-stream" {
		t.Errorf("what is no audio: %d %v", w.Code, w.Header())
	}
	other := &webhook.GuardedMedia{Media: g.Media, PublicURL: g.PublicURL, Key: []byte("another key of 16"), Clock: clk}
	for why, forged := range map[string]string{
		"another medium":        strings.Replace(url, "/abc/", "/def/", 1),
		"a later end":           g.URL(ref, clk.Now().Add(time.Hour))[:len(url)-64] + url[len(url)-64:],
		"another key":           other.URL(ref, clk.Now().Add(10*time.Minute)),
		"no signature":          url[:len(url)-64],
		"a medium that is gone": g.URL("media:gone", clk.Now().Add(time.Minute)),
		"too long":              url + "/x",
	} {
		if w := fetch(g, "GET", forged); w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, %v", why, w.Code, w.Header())
		}
	}
	for _, none := range []string{"", "abc", "media:", "media:../x"} {
		if u := g.URL(none, clk.Now()); u != "" {
			t.Errorf("the address of %q is %s", none, u)
		}
	}
	clk.Advance(10 * time.Minute)
	if w := fetch(g, "GET", url); w.Code != 200 {
		t.Errorf("in the last second: %d", w.Code)
	}
	clk.Advance(time.Second)
	if w := fetch(g, "GET", url); w.Code != http.StatusNotFound {
		t.Errorf("after its time: %d", w.Code)
	}
	down := &webhook.GuardedMedia{Media: media(nil), Key: g.Key}
	if w := fetch(down, "GET", down.URL(ref, time.Now().Add(time.Minute))); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a store that is down: %d", w.Code)
	}
}
