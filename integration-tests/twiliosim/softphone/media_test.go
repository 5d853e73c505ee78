package softphone

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// music is a host of sound files, and of what should be none.
func music(t *testing.T, sound []byte) *httptest.Server {
	t.Helper()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		t.Error("the other host was asked")
		w.Header().Set("Content-Type", "audio/wav")
		_, _ = w.Write(sound)
	}))
	t.Cleanup(elsewhere.Close)
	mux := http.NewServeMux()
	var mu sync.Mutex
	asked := map[string]int{}
	serve := func(w http.ResponseWriter, r *http.Request) {
		// The simulator asks first, the page second: what the page gets may be another thing.
		mu.Lock()
		asked[r.URL.Path]++
		again := asked[r.URL.Path] > 1
		mu.Unlock()
		w.Header().Set("Content-Type", "audio/wav")
		if again {
			switch r.URL.Path {
			case "/page.wav":
				w.Header().Set("Content-Type", "text/html")
			case "/gone.wav":
				w.WriteHeader(http.StatusGone)
			case "/moved.wav":
				http.Redirect(w, r, "/tune.wav", http.StatusFound)
				return
			case "/away.wav":
				http.Redirect(w, r, elsewhere.URL+"/x.wav", http.StatusFound)
				return
			case "/round.wav":
				http.Redirect(w, r, "/round.wav", http.StatusFound)
				return
			case "/huge.wav":
				_, _ = io.Copy(w, io.LimitReader(zeros{}, largestMedia+1))
				return
			}
		}
		_, _ = w.Write(sound)
	}
	mux.HandleFunc("/", serve)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestMedia(t *testing.T) {
	t.Parallel()
	sound := make(twiliosim.Sound, 80).WAV()
	host := music(t, sound)
	names := []string{"tune", "page", "gone", "moved", "away", "round", "huge"}
	var doc strings.Builder
	for _, n := range names {
		doc.WriteString("<Play>" + host.URL + "/" + n + ".wav#rc=2</Play>")
	}
	s := newStage(t, Config{}, documents(map[string]string{"/voice": doc.String()}))
	before := s.get("/media?" + url.Values{"url": {host.URL + "/tune.wav#rc=2"}}.Encode())
	if before.code != http.StatusForbidden {
		t.Errorf("before it is played: HTTP %d, want 403", before.code)
	}
	s.call()
	s.event(func(e twiliosim.Event) bool {
		return e.Kind == twiliosim.EventPlayed && strings.Contains(e.URL, "huge")
	})
	for name, want := range map[string]int{"tune": 200, "moved": 200, "page": 502, "gone": 502, "away": 502, "round": 502, "huge": 502} {
		got := s.get("/media?" + url.Values{"url": {host.URL + "/" + name + ".wav#rc=2"}}.Encode())
		if got.code != want {
			t.Errorf("%s: HTTP %d %.80s, want %d", name, got.code, got.body, want)
		}
		if want == http.StatusOK && (got.body != string(sound) || got.header.Get("Content-Type") != "audio/wav") {
			t.Errorf("%s: %d bytes of %s", name, len(got.body), got.header.Get("Content-Type"))
		}
	}
}

// TestMediaRefuses: only what calls have played is fetched, and nothing that is no web address.
func TestMediaRefuses(t *testing.T) {
	t.Parallel()
	cfg := Config{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s was asked", r.URL)
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"audio/wav"}}, Body: io.NopCloser(bytes.NewReader(nil))}, nil
	})}
	host := music(t, make(twiliosim.Sound, 80).WAV())
	s := newStage(t, cfg, documents(map[string]string{"/voice": "<Play>" + host.URL + "/tune.wav</Play>"}))
	s.call()
	s.event(func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventPlayed })
	for address, want := range map[string]int{
		"": 400, "file:///etc/passwd": 400, "ftp://example.com/x.wav": 400, "/tune.wav": 400, "javascript:alert(1)": 400, "http://": 400, "http://%zz/": 400,
		host.URL + "/other.wav": 403, host.URL + "/tune.wav?x=1": 403, host.URL + "/tune.wav#rc=3": 403, "http://169.254.169.254/tune.wav": 403,
	} {
		if got := s.get("/media?" + url.Values{"url": {address}}.Encode()); got.code != want {
			t.Errorf("%q: HTTP %d, want %d", address, got.code, want)
		}
	}
}
