package httpkit

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/audio"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

func instrument(t *testing.T, routes map[string]http.HandlerFunc) (*httptest.Server, *strings.Builder, *prometheus.Registry) {
	t.Helper()
	var log strings.Builder
	reg := prometheus.NewRegistry()
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.HandleFunc(pattern, h)
	}
	in := NewInstrument(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), clock.System(), reg)
	server := httptest.NewUnstartedServer(in.Wrap(mux))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	return server, &log, reg
}

func get(t *testing.T, url string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func TestPanicsAreAnsweredAndLogged(t *testing.T) {
	t.Parallel()
	server, log, reg := instrument(t, map[string]http.HandlerFunc{
		"/before": func(http.ResponseWriter, *http.Request) { panic("before the answer") },
		"/middle": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			_ = http.NewResponseController(w).Flush()
			panic("in the middle")
		},
		"/fine": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("fine")) },
	})
	resp, body, err := get(t, server.URL+"/before")
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 500 {
		t.Fatalf("resp.StatusCode = %v, want %v", resp.StatusCode, 500)
	}
	if strings.Contains(body, "before the answer") {
		t.Fatalf("body contains %q:\n%s", "before the answer", body)
	}
	if !strings.Contains(body, resp.Header.Get("X-Request-Id")) {
		t.Fatalf("body does not contain %q:\n%s", resp.Header.Get("X-Request-Id"), body)
	}
	_, _, err = get(t, server.URL+"/middle")
	if err == nil {
		t.Fatal("half an answer is not passed off as a whole one")
	}
	_, body, err = get(t, server.URL+"/fine?token=canary")
	if err != nil {
		t.Fatal(err)
	}
	if body != "fine" {
		t.Fatalf("body = %q, want %q", body, "fine")
	}
	server.Close()
	if got := log.String(); !strings.Contains(got, "before the answer") {
		t.Fatalf("log.String() does not contain %q:\n%s", "before the answer", got)
	}
	if got := log.String(); !strings.Contains(got, "in the middle") {
		t.Fatalf("log.String() does not contain %q:\n%s", "in the middle", got)
	}
	if got := log.String(); strings.Contains(got, "canary") {
		t.Fatalf("queries stay out of the log: contains %q:\n%s", "canary", got)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			key := f.GetName()
			for _, l := range m.GetLabel() {
				key += "," + l.GetName() + "=" + l.GetValue()
			}
			got[key] = m.GetCounter().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"switchboard_http_panics_total":                                       2,
		"switchboard_http_requests_total,method=GET,route=/before,status=500": 1,
		"switchboard_http_requests_total,method=GET,route=/fine,status=200":   1,
	} {
		if got[name] != want {
			t.Errorf("%s = %v, want %v", name, got[name], want)
		}
	}
	var line struct {
		Route  string `json:"route"`
		Status int    `json:"status"`
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil {
		t.Fatal(err)
	}
	if line.Route != "/fine" {
		t.Fatalf("line.Route = %q, want %q", line.Route, "/fine")
	}
	if line.Status != 200 {
		t.Fatalf("line.Status = %v, want %v", line.Status, 200)
	}
}

func TestInventedMethodsMakeOneSeries(t *testing.T) {
	t.Parallel()
	if got := methodLabel("BREW"); got != "other" {
		t.Fatalf(`methodLabel("BREW") = %q, want %q`, got, "other")
	}
	if got := methodLabel("GET"); got != "GET" {
		t.Fatalf(`methodLabel("GET") = %q, want %q`, got, "GET")
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, contentType, want string }{
		{"Welcome.MP3", "audio/mpeg", "Welcome.mp3"},
		{"welcome.mp3", "audio/wav", "welcome.wav"},
		{`C:\Users\alice\hold music.wav`, "audio/wav", "hold-music.wav"},
		{"../../etc/passwd", "audio/mpeg", "passwd.mp3"},
		{"a\r\nSet-Cookie: x.wav", "audio/wav", "a--Set-Cookie--x.wav"},
		{"", "audio/mpeg", "audio.mp3"},
		{"привет.wav", "audio/wav", "audio.wav"},
		{"x.svg", "image/svg+xml", "x.bin"},
		{strings.Repeat("a", 300) + ".wav", "audio/wav", strings.Repeat("a", 80) + ".wav"},
	} {
		if diff := cmp.Diff(c.want, FileName(integration.MediaRef{Name: c.name, ContentType: c.contentType})); diff != "" {
			t.Fatalf("%v (-want +got):\n%s", c.name, diff)
		}
	}
}

type oneMedium struct {
	m   store.Medium
	err error
}

func (o oneMedium) MediumByToken(context.Context, string) (store.Medium, error) { return o.m, o.err }

func TestPublicMedia(t *testing.T) {
	t.Parallel()
	page := store.Medium{MediaRef: integration.MediaRef{Ref: "media:ab", Name: "x.html", ContentType: "text/html"}, Public: true, Token: "t", Data: []byte("<script>")}
	private := page
	private.Public = false
	for name, c := range map[string]struct {
		media  oneMedium
		status int
	}{
		"public":     {oneMedium{m: page}, 200},
		"private":    {oneMedium{m: private}, 404},
		"unknown":    {oneMedium{err: integration.Errorf(integration.KindNotFound, "none")}, 404},
		"store down": {oneMedium{err: integration.Errorf(integration.KindUnavailable, "down")}, 503},
	} {
		rec := httptest.NewRecorder()
		mux := http.NewServeMux()
		mux.Handle(PublicMediaRoute, PublicMedia(c.media))
		mux.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/media/t/x", nil))
		if diff := cmp.Diff(c.status, rec.Code); diff != "" {
			t.Fatalf("%v (-want +got):\n%s", name, diff)
		}
		if c.status == 200 {
			if got := rec.Header().Get("Content-Type"); got != "application/octet-stream" {
				t.Fatalf("never what a browser would run: got %q, want %q", got, "application/octet-stream")
			}
			if got := rec.Header().Get("ETag"); got != `"ab"` {
				t.Fatalf(`rec.Header().Get("ETag") = %q, want %q`, got, `"ab"`)
			}
		} else {
			if got := rec.Header().Get("Cache-Control"); got != "no-store" {
				t.Fatalf("%v: got %q, want %q", name, got, "no-store")
			}
		}
	}
	if got := PublicMediaURL("https://h.example.com", page); got != "https://h.example.com/media/t/x.bin" {
		t.Fatalf(`PublicMediaURL("https://h.example.com", page) = %q, want %q`, got, "https://h.example.com/media/t/x.bin")
	}
	if got := PublicMediaURL("https://h.example.com", private); len(got) != 0 {
		t.Fatalf(`PublicMediaURL("https://h.example.com", private) is not empty: %v`, got)
	}
}

func TestPublicSlices(t *testing.T) {
	t.Parallel()
	const seconds, rate = 47, 8000
	samples := make([]byte, seconds*rate*2)
	for i := range samples {
		samples[i] = byte(i * 7)
	}
	header := []byte("RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data")
	file := append(binary.LittleEndian.AppendUint32(header, uint32(len(samples))), samples...)
	m := store.Medium{
		MediaRef: integration.MediaRef{Ref: "media:ab", Name: "tune.wav", ContentType: "audio/wav", Bytes: int64(len(file)), Duration: seconds * time.Second},
		Public:   true, Token: "t", Data: file,
	}
	mux := http.NewServeMux()
	mux.Handle(PublicMediaRoute, PublicMedia(oneMedium{m: m}))
	mux.Handle(PublicSliceRoute, PublicMedia(oneMedium{m: m}))
	get := func(address string, header ...string) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), "GET", address, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, r)
		return rec.Result()
	}
	urls := PublicSliceURLs("https://h.example.com", m)
	if diff := cmp.Diff([]string{
		"https://h.example.com/media/t/1-of-3/tune.wav", "https://h.example.com/media/t/2-of-3/tune.wav", "https://h.example.com/media/t/3-of-3/tune.wav",
	}, urls); diff != "" {
		t.Fatalf("urls (-want +got):\n%s", diff)
	}
	var joined []byte
	tags := map[string]bool{}
	for _, u := range urls {
		res := get(u)
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != 200 {
			t.Fatalf("res.StatusCode = %v, want %v", res.StatusCode, 200)
		}
		if got := res.Header.Get("Content-Type"); got != "audio/wav" {
			t.Fatalf(`res.Header.Get("Content-Type") = %q, want %q`, got, "audio/wav")
		}
		if got := res.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Fatalf(`res.Header.Get("Cache-Control") = %q, want %q`, got, "public, max-age=31536000, immutable")
		}
		info, err := audio.Inspect(body)
		if err != nil {
			t.Fatal(err)
		}
		if off := seconds/3.0 - info.Duration.Seconds(); off < -0.01 || off > 0.01 {
			t.Fatalf("a third of %v s lasts %v", seconds, info.Duration)
		}
		joined = append(joined, body[44:]...)
		tags[res.Header.Get("ETag")] = true
		if got := get(u, "If-None-Match", res.Header.Get("ETag")).StatusCode; got != 304 {
			t.Fatalf(`get(u, "If-None-Match", res.Header.Get("ETag")).StatusCode = %v, want %v`, got, 304)
		}
	}
	if !bytes.Equal(samples, joined) {
		t.Fatal("the pieces are the whole")
	}
	if len(tags) != 3 {
		t.Fatalf("each piece has a tag of its own: got %d, want %d: %v", len(tags), 3, tags)
	}
	for _, bad := range []string{"0-of-3", "4-of-3", "1-of-2", "01-of-3", "1", "x", "1-of-3-of-3", "-1-of-3"} {
		if got := get("https://h.example.com/media/t/" + bad + "/tune.wav").StatusCode; got != 404 {
			t.Fatalf("%v: got %v, want %v", bad, got, 404)
		}
	}
	whole, err := io.ReadAll(get("https://h.example.com/media/t/tune.wav").Body)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, whole) {
		t.Fatal("the served file differs from the stored one")
	}

	m.Duration = 19 * time.Second
	if got := PublicSliceURLs("https://h.example.com", m); len(got) != 0 {
		t.Fatalf("a short file is served whole: %v", got)
	}
	m.Duration, m.Public = 47*time.Second, false
	if got := PublicSliceURLs("https://h.example.com", m); len(got) != 0 {
		t.Fatalf(`PublicSliceURLs("https://h.example.com", m) is not empty: %v`, got)
	}
}

// A form with files, a ring and forgetting take longer than others; a look at their pages does not.
func TestTimeFor(t *testing.T) {
	for _, c := range []struct {
		method, path, contentType string
		want                      time.Duration
	}{
		{"GET", "/settings/deletion/forget", "", RequestTime},
		{"POST", "/settings/deletion/forget", "application/x-www-form-urlencoded", RequestTime + ForgetTime},
		{"POST", "/api/v1/forget", "application/json", RequestTime + ForgetTime},
		{"POST", "/api/v1/doctor", "application/json", RequestTime + ExamineTime},
		{"POST", "/api/v1/integrations", "application/json", RequestTime},
		{"POST", "/me/test", "application/x-www-form-urlencoded", RequestTime + RingTime},
		{"POST", "/api/v1/media", "audio/wav", RequestTime + UploadTime},
		{"GET", "/api/v1/media", "", RequestTime},
		{"POST", "/settings/integrations/new", "multipart/form-data; boundary=x", RequestTime + UploadTime},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Header.Set("Content-Type", c.contentType)
		if got := TimeFor(r); got != c.want {
			t.Errorf("%s %s: %v, want %v", c.method, c.path, got, c.want)
		}
	}
}

// connection notes the deadlines that a handler sets.
type connection struct {
	http.ResponseWriter
	read, write time.Time
}

func (c *connection) SetReadDeadline(at time.Time) error  { c.read = at; return nil }
func (c *connection) SetWriteDeadline(at time.Time) error { c.write = at; return nil }

// The connection outlasts the request's context: a read deadline that passes first would end it,
// and a write deadline would swallow the answer.
func TestAConnectionOutlastsItsRequest(t *testing.T) {
	now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	for end, d := range longer {
		c := &connection{ResponseWriter: httptest.NewRecorder()}
		Extend(c, now, d)
		over := now.Add(TimeFor(httptest.NewRequest("POST", "/"+end, nil)))
		// An answer to a body that came too slowly needs time.
		if !c.read.After(over) || !c.write.After(c.read.Add(time.Second)) {
			t.Errorf("/%s: the request ends at %v, reading at %v and writing at %v", end, over, c.read, c.write)
		}
	}
}
