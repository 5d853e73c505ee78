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

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

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
	require.NoError(t, err)
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
	require.NoError(t, err)
	require.Equal(t, 500, resp.StatusCode)
	require.NotContains(t, body, "before the answer")
	require.Contains(t, body, resp.Header.Get("X-Request-Id"))
	_, _, err = get(t, server.URL+"/middle")
	require.Error(t, err, "half an answer is not passed off as a whole one")
	_, body, err = get(t, server.URL+"/fine?token=canary")
	require.NoError(t, err)
	require.Equal(t, "fine", body)
	server.Close()
	require.Contains(t, log.String(), "before the answer")
	require.Contains(t, log.String(), "in the middle")
	require.NotContains(t, log.String(), "canary", "queries stay out of the log")
	families, err := reg.Gather()
	require.NoError(t, err)
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
	require.InDelta(t, 2, got["switchboard_http_panics_total"], 0)
	require.InDelta(t, 1, got["switchboard_http_requests_total,method=GET,route=/before,status=500"], 0)
	require.InDelta(t, 1, got["switchboard_http_requests_total,method=GET,route=/fine,status=200"], 0)
	var line struct {
		Route  string `json:"route"`
		Status int    `json:"status"`
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &line))
	require.Equal(t, "/fine", line.Route)
	require.Equal(t, 200, line.Status)
}

func TestInventedMethodsMakeOneSeries(t *testing.T) {
	t.Parallel()
	require.Equal(t, "other", methodLabel("BREW"))
	require.Equal(t, "GET", methodLabel("GET"))
}

func TestGuard(t *testing.T) {
	t.Parallel()
	const token = "a-long-token-4711"
	request := func(authorization string) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.Header.Set("Authorization", authorization)
		return r
	}
	g := NewGuard(token)
	for authorization, want := range map[string]bool{
		"Bearer " + token: true, "bearer " + token: true, "Bearer " + token + "x": false, "Bearer " + token[1:]: false,
		"Bearer ": false, "Bearer": false, "": false, token: false, "Basic " + token: false,
	} {
		require.Equal(t, want, g.Allows(request(authorization)), authorization)
	}
	for _, authorization := range []string{"", "Bearer ", "Bearer x"} {
		require.False(t, NewGuard("").Allows(request(authorization)), "without a token nobody is let in")
	}
	g.Session = func(r *http.Request) bool { return r.Header.Get("Cookie") == "session=1" }
	r := request("")
	require.False(t, g.Allows(r))
	r.Header.Set("Cookie", "session=1")
	r.Header.Del("Authorization")
	require.True(t, g.Allows(r))
	r.Header.Set("Authorization", "Bearer wrong")
	require.False(t, g.Allows(r), "a wrong token is not made good by a session")
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
		require.Equal(t, c.want, FileName(integration.MediaRef{Name: c.name, ContentType: c.contentType}), c.name)
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
		require.Equal(t, c.status, rec.Code, name)
		if c.status == 200 {
			require.Equal(t, "application/octet-stream", rec.Header().Get("Content-Type"), "never what a browser would run")
			require.Equal(t, `"ab"`, rec.Header().Get("ETag"))
		} else {
			require.Equal(t, "no-store", rec.Header().Get("Cache-Control"), name)
		}
	}
	require.Equal(t, "https://h.example.com/media/t/x.bin", PublicMediaURL("https://h.example.com", page))
	require.Empty(t, PublicMediaURL("https://h.example.com", private))
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
	require.Equal(t, []string{
		"https://h.example.com/media/t/1-of-3/tune.wav", "https://h.example.com/media/t/2-of-3/tune.wav", "https://h.example.com/media/t/3-of-3/tune.wav",
	}, urls)
	var joined []byte
	tags := map[string]bool{}
	for _, u := range urls {
		res := get(u)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, 200, res.StatusCode)
		require.Equal(t, "audio/wav", res.Header.Get("Content-Type"))
		require.Equal(t, "public, max-age=31536000, immutable", res.Header.Get("Cache-Control"))
		info, err := audio.Inspect(body)
		require.NoError(t, err)
		require.InDelta(t, seconds/3.0, info.Duration.Seconds(), 0.01)
		joined = append(joined, body[44:]...)
		tags[res.Header.Get("ETag")] = true
		require.Equal(t, 304, get(u, "If-None-Match", res.Header.Get("ETag")).StatusCode)
	}
	require.True(t, bytes.Equal(samples, joined), "the pieces are the whole")
	require.Len(t, tags, 3, "each piece has a tag of its own")
	for _, bad := range []string{"0-of-3", "4-of-3", "1-of-2", "01-of-3", "1", "x", "1-of-3-of-3", "-1-of-3"} {
		require.Equal(t, 404, get("https://h.example.com/media/t/"+bad+"/tune.wav").StatusCode, bad)
	}
	whole, err := io.ReadAll(get("https://h.example.com/media/t/tune.wav").Body)
	require.NoError(t, err)
	require.True(t, bytes.Equal(file, whole))

	m.Duration = 19 * time.Second
	require.Empty(t, PublicSliceURLs("https://h.example.com", m), "a short file is served whole")
	m.Duration, m.Public = 47*time.Second, false
	require.Empty(t, PublicSliceURLs("https://h.example.com", m))
}
