package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/sqlstoretest"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// get fetches without parameters, as a file is fetched.
func get(t *testing.T, method, u string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, u, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
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

// While the plugin is away its sounds come from a copy, or not at all: a document that asks for
// patience would be played as a sound.
func TestSoundsOfAPluginThatIsAway(t *testing.T) {
	t.Parallel()
	away := false
	answers := map[string]integration.Response{
		"/media/music-0.wav": {Header: map[string][]string{"content-type": {"audio/wav"}, "cache-control": {"public, max-age=9, immutable"}, "Etag": {`"1"`}}, Body: []byte("RIFF0")},
		"/media/changing":    {Header: map[string][]string{"Content-Type": {"audio/wav"}, "Cache-Control": {"public"}}, Body: []byte("RIFF1")},
		"/media/page":        {Header: map[string][]string{"Content-Type": {"text/html"}, "Cache-Control": {"public, immutable"}}, Body: []byte("<html>")},
		"/media/gone":        {Status: 404, Header: map[string][]string{"Content-Type": {"audio/wav"}, "Cache-Control": {"public, immutable"}}, Body: []byte("none")},
		"/c/K/menu":          {Header: map[string][]string{"Content-Type": {"audio/wav"}, "Cache-Control": {"public, immutable"}}, Body: []byte("<Menu/>")},
	}
	f := &fakeEngine{fallback: &integration.FallbackAnswers{Wait: integration.Response{Body: []byte("<Patience/>")}}}
	f.answer = func(_ context.Context, _ string, w integration.WebhookRequest) (integration.Response, error) {
		if away {
			return integration.Response{}, integration.ErrPluginGone
		}
		return answers[w.Path], nil
	}
	srv := serve(t, webhook.Config{Engine: f})
	base := srv.URL + "/integrations/int_1"
	for path := range answers {
		get(t, "GET", base+path)
		get(t, "GET", base+path+"?CallSid=CA1")
	}
	away = true
	status, body, header := get(t, "GET", base+"/media/music-0.wav")
	if status != 200 || body != "RIFF0" || header.Get("Content-Type") != "audio/wav" || header.Get("Etag") != `"1"` {
		t.Errorf("a sound that was served before: %d %q %v", status, body, header)
	}
	if status, body, _ := get(t, "HEAD", base+"/media/music-0.wav"); status != 200 || body != "" {
		t.Errorf("its head: %d %q", status, body)
	}
	for _, path := range []string{"/media/changing", "/media/page", "/media/gone", "/media/music-1.wav"} {
		if status, body, header := get(t, "GET", base+path); status != 503 || strings.Contains(body, "<") || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q %v, want 503 without a document", path, status, body, header)
		}
	}
	if status, _, _ := get(t, "GET", srv.URL+"/integrations/int_2/media/music-0.wav"); status != 503 {
		t.Errorf("a sound of another integration: %d", status)
	}
	// The address of a sound may change with its content.
	if status, body, _ := get(t, "GET", base+"/media/music-0.wav?h=0ff70ce07a33184c"); status != 200 || body != "RIFF0" {
		t.Errorf("a sound with a hash in its address: %d %q", status, body)
	}
	if status, body, _ := get(t, "GET", base+"/media/music-1.wav?h=84441de75b99f68e"); status != 503 || strings.Contains(body, "<") {
		t.Errorf("a sound that is not there, with a hash in its address: %d %q, want 503 without a document", status, body)
	}
	// No file, with parameters: a call.
	if status, body, _ := get(t, "GET", base+"/c/K/menu?CallSid=CA1"); status != 200 || body != "<Patience/>" {
		t.Errorf("a call: %d %q, want the fallback", status, body)
	}
	if status, body, _ := post(t, base+"/media/music-0.wav", ""); status != 200 || body != "<Patience/>" {
		t.Errorf("a post: %d %q, want the fallback", status, body)
	}
}

// An upgraded plugin may bring another sound of the same name.
func TestTheCopyOfASoundIsOfTheNewestPlugin(t *testing.T) {
	t.Parallel()
	var body string
	f := &fakeEngine{answer: func(context.Context, string, integration.WebhookRequest) (integration.Response, error) {
		if body == "" {
			return integration.Response{}, integration.ErrPluginGone
		}
		return integration.Response{Header: map[string][]string{"Content-Type": {"audio/wav"}, "Cache-Control": {"public, immutable"}}, Body: []byte(body)}, nil
	}}
	address := serve(t, webhook.Config{Engine: f}).URL + "/integrations/int_1/media/music-0.wav"
	for _, body = range []string{"old", "new"} {
		get(t, "GET", address+"?h="+body)
	}
	body = ""
	if status, got, _ := get(t, "GET", address+"?h=new"); status != 200 || got != "new" {
		t.Errorf("%d %q, want the new sound", status, got)
	}
}

// A host that was restarted while the plugin cannot be started has the sounds of before.
func TestSoundsOfAPluginThatIsAwayOutliveTheHost(t *testing.T) {
	t.Parallel()
	kept := sqlstoretest.Open(t, clock.System())
	sound := func(path string) integration.Response {
		return integration.Response{Header: map[string][]string{"content-type": {"audio/wav"}, "cache-control": {"public, max-age=9, immutable"}, "Etag": {`"1"`}}, Body: []byte("RIFF" + path)}
	}
	alive := &fakeEngine{answer: func(_ context.Context, _ string, w integration.WebhookRequest) (integration.Response, error) {
		return sound(w.Path), nil
	}}
	before := serve(t, webhook.Config{Engine: alive, Files: kept})
	paths := []string{"/media/music-0.wav", "/media/music-1.wav"}
	for _, path := range append(paths, paths...) {
		get(t, "GET", before.URL+"/integrations/int_1"+path)
	}
	for i := range 80 { // more than are kept
		get(t, "GET", fmt.Sprint(before.URL, "/integrations/int_1/media/other-", i, ".wav"))
	}
	before.Close()

	dead := &fakeEngine{answer: func(context.Context, string, integration.WebhookRequest) (integration.Response, error) {
		return integration.Response{}, integration.ErrPluginGone
	}}
	after := serve(t, webhook.Config{Engine: dead, Files: kept})
	for _, path := range append(paths, paths...) {
		status, body, header := get(t, "GET", after.URL+"/integrations/int_1"+path)
		if status != 200 || body != "RIFF"+path || header.Get("Content-Type") != "audio/wav" || header.Get("Etag") != `"1"` {
			t.Errorf("%s: %d %q %v", path, status, body, header)
		}
	}
	for _, address := range []string{"/integrations/int_2/media/music-0.wav", "/integrations/int_1/media/other-79.wav"} {
		if status, _, _ := get(t, "GET", after.URL+address); status != 503 {
			t.Errorf("%s, of which no copy was kept: %d", address, status)
		}
	}
}

// Copies are bounded: the oldest make room.
func TestCopiesOfSoundsAreBounded(t *testing.T) {
	t.Parallel()
	away := false
	big := bytes.Repeat([]byte("x"), 12<<20)
	f := &fakeEngine{}
	f.answer = func(_ context.Context, _ string, w integration.WebhookRequest) (integration.Response, error) {
		if away {
			return integration.Response{}, integration.ErrPluginGone
		}
		return integration.Response{Header: map[string][]string{"Content-Type": {"audio/wav"}, "Cache-Control": {"public, immutable"}}, Body: big}, nil
	}
	srv := serve(t, webhook.Config{Engine: f})
	for _, path := range []string{"/a", "/b", "/b", "/c"} {
		get(t, "GET", srv.URL+"/integrations/int_1"+path)
	}
	away = true
	for path, want := range map[string]int{"/a": 503, "/b": 200, "/c": 200} {
		if status, _, _ := get(t, "GET", srv.URL+"/integrations/int_1"+path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}
