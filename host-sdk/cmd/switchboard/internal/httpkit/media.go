package httpkit

import (
	"bytes"
	"context"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/audio"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// PublicMediaRoute is where prompt media are served without login, and PublicSliceRoute where
// pieces of them are.
const (
	PublicMediaRoute = "GET /media/{token}/{name}"
	PublicSliceRoute = "GET /media/{token}/{piece}/{name}"
)

// mediaTime bounds sending one file to a slow client.
const mediaTime = 5 * time.Minute

// PublicMediaURL is the public address of a prompt medium; "" for a medium that is not public. The
// content never changes under an address, so that it may be cached forever. The token is as hard to
// guess as a password: the telephone service has no login.
func PublicMediaURL(publicURL string, m store.Medium) string {
	if !m.Public || m.Token == "" {
		return ""
	}
	return publicURL + "/media/" + m.Token + "/" + url.PathEscape(FileName(m.MediaRef))
}

// PublicSliceURLs are the public addresses of the pieces of a long prompt medium, in order; none
// for a short one. Hold music is played piece by piece, so that a caller can be taken out between
// two of them.
func PublicSliceURLs(publicURL string, m store.Medium) []string {
	n := audio.SliceCount(m.Duration)
	if !m.Public || m.Token == "" || n < 2 {
		return nil
	}
	urls := make([]string, n)
	for i := range urls {
		urls[i] = publicURL + "/media/" + m.Token + "/" + pieceName(i+1, n) + "/" + url.PathEscape(FileName(m.MediaRef))
	}
	return urls
}

// pieceName is a piece in an address. It names the number of pieces too, so that what is cached
// stays right should files one day be cut otherwise.
func pieceName(i, n int) string { return strconv.Itoa(i) + "-of-" + strconv.Itoa(n) }

// parsePiece reads a piece's name; false unless it is one of n. The name must be written just as
// pieceName writes it: one address for each content, which caches rely on.
func parsePiece(name string, n int) (int, bool) {
	first, _, _ := strings.Cut(name, "-")
	i, err := strconv.Atoi(first)
	return i, err == nil && i >= 1 && i <= n && pieceName(i, n) == name
}

// FileName is a safe name with the right extension for a medium: letters, digits, dots,
// underscores, hyphens. Names come from the uploader's machine; nothing of them may reach a header
// or an address as it is.
func FileName(m integration.MediaRef) string {
	base := strings.TrimSuffix(path.Base(strings.ReplaceAll(m.Name, "\\", "/")), path.Ext(m.Name))
	base = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '-'
	}, base)
	if base = strings.Trim(base, "-"); base == "" {
		base = "audio"
	}
	if len(base) > 80 {
		base = base[:80]
	}
	switch m.ContentType {
	case "audio/mpeg":
		return base + ".mp3"
	case "audio/wav", "audio/x-wav", "audio/wave":
		return base + ".wav"
	}
	return base + ".bin"
}

// MediaByToken finds public media.
type MediaByToken interface {
	MediumByToken(ctx context.Context, token string) (store.Medium, error)
}

// PublicMedia serves prompt media, whole and in pieces. Whatever the name, the token counts. Once a
// medium is no longer public, its address answers 404, except where it is cached.
func PublicMedia(media MediaByToken) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, err := media.MediumByToken(r.Context(), r.PathValue("token"))
		// 503 rather than 404: the telephone service gives up a file that does not exist.
		if kind := integration.KindOf(err); err != nil && kind != integration.KindNotFound && kind != integration.KindInvalid {
			noMedium(w, http.StatusServiceUnavailable, "try again later")
			return
		}
		if err != nil || !m.Public {
			noMedium(w, http.StatusNotFound, "no such file")
			return
		}
		if piece := r.PathValue("piece"); piece != "" {
			n := audio.SliceCount(m.Duration)
			i, ok := parsePiece(piece, n)
			if !ok || n < 2 {
				noMedium(w, http.StatusNotFound, "no such file")
				return
			}
			// A file that cannot be cut after all is played from its beginning each time: better
			// than silence.
			if data, ok := audio.Slice(m.Data, i, n); ok {
				m.Data = data
				m.Ref += "-" + piece // for the ETag
			}
		}
		ServeMedium(w, r, m, "public, max-age=31536000, immutable", "inline")
	})
}

// noMedium answers without audio. It is never cached: the carrier asks again for the next call.
func noMedium(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, text, status)
}

// ServeMedium sends audio with ranges and conditional requests. disposition is inline or
// attachment. Players ask for ranges to jump; a whole file is in memory already.
func ServeMedium(w http.ResponseWriter, r *http.Request, m store.Medium, cacheControl, disposition string) {
	// Wall clock: a deadline of real I/O.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(mediaTime))
	contentType := m.ContentType
	if t, _, err := mime.ParseMediaType(contentType); err != nil || !strings.HasPrefix(t, "audio/") {
		contentType = "application/octet-stream" // nothing that a browser would run
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": FileName(m.MediaRef)}))
	h.Set("ETag", `"`+strings.TrimPrefix(m.Ref, "media:")+`"`)
	h.Set("Cache-Control", cacheControl)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(m.Data))
}
