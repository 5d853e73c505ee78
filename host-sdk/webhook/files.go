package webhook

import (
	"net/http"
	"strings"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// maxFiles bounds the copies of a plugin's files, in bytes: the sounds that plugins bring along are a
// few hundred kilobytes each.
const maxFiles = 32 << 20

// files holds copies of sounds that a plugin has served, for the seconds in which it is away: a
// foreign service that fetches a sound can do nothing with a document that asks for patience.
type files struct {
	mu    sync.Mutex
	held  map[fileKey]integration.Response
	order []fileKey // the oldest first
	bytes int
}

// fileKey names a file of an integration.
type fileKey struct{ integration, path string }

// isFetch reports whether a request fetches a file: a webhook of a foreign service always has
// parameters.
func isFetch(req integration.WebhookRequest) bool {
	return (req.Method == http.MethodGet || req.Method == http.MethodHead) && !strings.Contains(req.URL, "?")
}

// keep copies an answer if it is a sound that its plugin says never changes.
func (f *files) keep(id string, req integration.WebhookRequest, resp integration.Response) {
	if req.Method != http.MethodGet || !isFetch(req) || (resp.Status != 0 && resp.Status != http.StatusOK) || len(resp.Body) == 0 || len(resp.Body) > maxFiles {
		return
	}
	header := http.Header{}
	for k, values := range resp.Header {
		header[http.CanonicalHeaderKey(k)] = values
	}
	caching := strings.ToLower(header.Get("Cache-Control"))
	if !strings.HasPrefix(header.Get("Content-Type"), "audio/") || !strings.Contains(caching, "public") || !strings.Contains(caching, "immutable") {
		return
	}
	key := fileKey{id, req.Path}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held == nil {
		f.held = map[fileKey]integration.Response{}
	}
	if _, known := f.held[key]; known {
		return
	}
	for f.bytes += len(resp.Body); f.bytes > maxFiles; f.order = f.order[1:] {
		f.bytes -= len(f.held[f.order[0]].Body)
		delete(f.held, f.order[0])
	}
	f.held[key], f.order = resp, append(f.order, key)
}

// copied returns the copy of a file; false if none was kept.
func (f *files) copied(id string, req integration.WebhookRequest) (integration.Response, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	resp, ok := f.held[fileKey{id, req.Path}]
	return resp, ok
}
