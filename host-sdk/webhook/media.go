package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// MediaPrefix is where GuardedMedia is mounted.
const MediaPrefix = "/call-media/"

// mediaTime bounds sending one medium to a slow client, by the wall clock.
const mediaTime = 5 * time.Minute

// Media finds stored media; a store.Store does.
type Media interface {
	// Medium reads content by its reference. None: not_found.
	Medium(ctx context.Context, ref string) (store.Medium, error)
}

// GuardedMedia makes and serves public addresses of stored media that are good for a limited time,
// such as of a recording that a call plays. The addresses are signed, so that nothing has to be
// kept of them, and hosts that share the key serve each other's. Use URL as the engine's
// GuardedMediaURL and mount the value at MediaPrefix.
type GuardedMedia struct {
	Media     Media
	PublicURL string      // without trailing slash
	Key       []byte      // secret, at least 16 random bytes, the same after a restart
	Clock     clock.Clock // the engine's; nil: the system's
}

// URL is an address of the medium that is served until expires, to the second. "" for what is no
// reference of a stored medium.
func (g *GuardedMedia) URL(ref string, expires time.Time) string {
	hash, ok := strings.CutPrefix(ref, "media:")
	if !ok || hash == "" || strings.Contains(hash, "/") {
		return ""
	}
	until := strconv.FormatInt(expires.Unix(), 10)
	return g.PublicURL + MediaPrefix + hash + "/" + until + "/" + g.sign(hash, until)
}

// sign covers all of an address but the host.
func (g *GuardedMedia) sign(hash, until string) string {
	mac := hmac.New(sha256.New, g.Key)
	mac.Write([]byte("media/" + hash + "/" + until))
	return hex.EncodeToString(mac.Sum(nil))
}

// ref is the reference that a path is a valid address of, now. The signature is compared before the
// time is looked at, and in constant time: only what was signed is believed.
func (g *GuardedMedia) ref(path string) (string, bool) {
	parts := strings.Split(strings.TrimPrefix(path, MediaPrefix), "/")
	if len(parts) != 3 || !hmac.Equal([]byte(parts[2]), []byte(g.sign(parts[0], parts[1]))) {
		return "", false
	}
	now := time.Now()
	if g.Clock != nil {
		now = g.Clock.Now()
	}
	until, err := strconv.ParseInt(parts[1], 10, 64)
	return "media:" + parts[0], err == nil && now.Unix() <= until
}

// ServeHTTP implements http.Handler. Nothing it answers may be stored on the way: recordings are
// private, and an address must not live on in a cache.
func (g *GuardedMedia) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	ref, ok := g.ref(r.URL.Path)
	if !ok {
		http.Error(w, "no such file, or not any more", http.StatusNotFound)
		return
	}
	m, err := g.Media.Medium(r.Context(), ref)
	switch {
	case integration.KindOf(err) == integration.KindNotFound:
		http.Error(w, "no such file, or not any more", http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, "try again later", http.StatusServiceUnavailable)
		return
	}
	contentType := m.ContentType
	if t, _, err := mime.ParseMediaType(contentType); err != nil || !strings.HasPrefix(t, "audio/") {
		contentType = "application/octet-stream" // nothing that a browser would run
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(mediaTime))
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	// It answers requests for a range, which players send, and HEAD.
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(m.Data))
}
