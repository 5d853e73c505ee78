package softphone

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// What a sound file may cost the page, far above any that Twilio would play in a test.
const (
	mediaTime    = 15 * time.Second
	largestMedia = 20 << 20
	mostHops     = 3
)

// playedURLs are the addresses that calls have played: the only ones that the page fetches.
type playedURLs struct {
	mu    sync.Mutex
	after int64
	known map[string]bool
}

// has looks through what happened since it last looked.
func (k *playedURLs) has(sim *twiliosim.Sim, u string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil {
		k.known = map[string]bool{}
	}
	for _, e := range sim.Events(k.after) {
		k.after = e.Seq
		if e.Kind == twiliosim.EventPlayed {
			k.known[e.URL] = true
		}
	}
	return k.known[u]
}

// media is GET /media?url=: a sound file that a call has played, fetched here because a browser may
// not ask elsewhere.
func (p *Page) media(w http.ResponseWriter, r *http.Request) {
	address := r.URL.Query().Get("url")
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		http.Error(w, "url: want an http or https address", http.StatusBadRequest)
		return
	case !p.played.has(p.sim, address):
		http.Error(w, "url: no call has played it", http.StatusForbidden)
		return
	}
	kind, body, err := p.fetch(r.Context(), u)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "private, max-age=60")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// fetch reads a sound file. It follows redirects within the same host.
func (p *Page) fetch(ctx context.Context, u *url.URL) (kind string, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, mediaTime)
	defer cancel()
	at := *u
	at.Fragment, at.RawFragment = "", "" // connection settings of Twilio, no part of the address
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return "", nil, err
	}
	client := &http.Client{Transport: p.cfg.Transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if next.URL.Host != at.Host || len(via) > mostHops {
			return errors.New("it redirects to " + next.URL.Host + ", or too often")
		}
		return nil
	}}
	res, err := client.Do(req)
	if err != nil {
		return "", nil, fmt.Errorf("the sound file cannot be fetched: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	kind, _, err = mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode != http.StatusOK:
		return "", nil, fmt.Errorf("the sound file cannot be fetched: HTTP %d", res.StatusCode)
	case err != nil || !strings.HasPrefix(kind, "audio/"):
		return "", nil, fmt.Errorf("the sound file is %q, no sound", res.Header.Get("Content-Type"))
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, largestMedia+1))
	if err != nil {
		return "", nil, fmt.Errorf("the sound file cannot be read: %w", err)
	}
	if len(body) > largestMedia {
		return "", nil, fmt.Errorf("the sound file is larger than %d bytes", largestMedia)
	}
	return kind, body, nil
}

// recording is GET /softphone/recordings/{RE….wav}: what somebody left.
func (p *Page) recording(w http.ResponseWriter, r *http.Request) {
	sid, ok := strings.CutSuffix(r.PathValue("recording"), ".wav")
	var sound twiliosim.Sound
	if ok {
		sound, ok = p.sim.RecordingSound(sid)
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "audio/wav")
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(sound.WAV()))
}
