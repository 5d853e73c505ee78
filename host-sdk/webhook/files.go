package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// maxFiles bounds the copies of a plugin's files, in bytes: the sounds that plugins bring along are
// a few hundred kilobytes each.
const maxFiles = 32 << 20

// maxKept bounds how many files of an integration are kept in the store.
const maxKept = 64

// FileStore keeps copies of a plugin's files over restarts; a store.Store does.
type FileStore interface {
	Medium(ctx context.Context, ref string) (store.Medium, error)
	PutMedium(ctx context.Context, m store.Medium) (store.Medium, error)
	Setting(ctx context.Context, name string) (string, error)
	SetSetting(ctx context.Context, name, value string) error
}

// files holds copies of sounds that a plugin has served, for the time in which it is away: a
// foreign service that fetches a sound can do nothing with a document that asks for patience. With
// a store, the copies are still there after a restart of the host. A sound of hold music is asked
// for every few seconds by every caller on hold, so the copies in memory matter while the plugin
// restarts.
type files struct {
	store FileStore // nil: none

	mu    sync.Mutex
	held  map[fileKey]integration.Response
	order []fileKey // the oldest first
	bytes int

	saving sync.Mutex // held while an integration's list of kept files is changed
}

// keptCopy is a file in an integration's list of them, by path.
type keptCopy struct {
	Ref    string              `json:"ref"`
	Header map[string][]string `json:"header"`
}

// fileKey names a file of an integration.
type fileKey struct{ integration, path string }

// isFetch reports whether a request fetches a file: its path ends like a file's name, or it has no
// parameters, which a webhook of a foreign service always has. A file may have one parameter, so
// that its address changes with its content and it can be cached.
func isFetch(req integration.WebhookRequest) bool {
	return (req.Method == http.MethodGet || req.Method == http.MethodHead) && (path.Ext(req.Path) != "" || !strings.Contains(req.URL, "?"))
}

// keep copies an answer if it is a sound that its plugin says never changes, and reports whether
// the copy is new and must be saved. New content comes from a plugin that was upgraded. It is
// called with each answer, so it looks at the cheap conditions first. The oldest copies go when
// there are too many bytes.
func (f *files) keep(id string, req integration.WebhookRequest, resp integration.Response) bool {
	if req.Method != http.MethodGet || !isFetch(req) || (resp.Status != 0 && resp.Status != http.StatusOK) || len(resp.Body) == 0 || len(resp.Body) > maxFiles {
		return false
	}
	header := canonical(resp.Header)
	caching := strings.ToLower(header.Get("Cache-Control"))
	if !strings.HasPrefix(header.Get("Content-Type"), "audio/") || !strings.Contains(caching, "public") || !strings.Contains(caching, "immutable") {
		return false
	}
	key := fileKey{id, req.Path}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held == nil {
		f.held = map[fileKey]integration.Response{}
	}
	if old, known := f.held[key]; known {
		// The usual case: nothing changes, and nothing is written.
		if bytes.Equal(old.Body, resp.Body) {
			return false
		}
		f.order = slices.DeleteFunc(f.order, func(k fileKey) bool { return k == key })
		f.bytes -= len(old.Body)
	}
	for f.bytes += len(resp.Body); f.bytes > maxFiles; f.order = f.order[1:] {
		f.bytes -= len(f.held[f.order[0]].Body)
		delete(f.held, f.order[0])
	}
	f.held[key], f.order = resp, append(f.order, key)
	return f.store != nil
}

// canonical is a header with its names as net/http has them.
func canonical(given map[string][]string) http.Header {
	header := http.Header{}
	for k, values := range given {
		header[http.CanonicalHeaderKey(k)] = values
	}
	return header
}

// save puts a copy into the store. It reads, changes and writes the list under a lock of this
// process. Of two hosts that save at once one may lose its entry; it saves again at the next new
// file or start.
func (f *files) save(ctx context.Context, id string, req integration.WebhookRequest, resp integration.Response) error {
	f.saving.Lock()
	defer f.saving.Unlock()
	kept, err := f.list(ctx, id)
	if err != nil {
		return err
	}
	m, err := f.store.PutMedium(ctx, store.Medium{Data: resp.Body, MediaRef: integration.MediaRef{
		Name: path.Base(req.Path), ContentType: canonical(resp.Header).Get("Content-Type"),
	}})
	if err != nil {
		return err
	}
	// The list is full, or says this already.
	if old, known := kept[req.Path]; known && old.Ref == m.Ref || !known && len(kept) == maxKept {
		return nil
	}
	kept[req.Path] = keptCopy{Ref: m.Ref, Header: resp.Header}
	text, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	return f.store.SetSetting(ctx, listName(id), string(text))
}

// list reads which files of an integration the store has.
func (f *files) list(ctx context.Context, id string) (map[string]keptCopy, error) {
	kept := map[string]keptCopy{}
	text, err := f.store.Setting(ctx, listName(id))
	switch {
	case integration.KindOf(err) == integration.KindNotFound:
		return kept, nil
	case err != nil:
		return nil, err
	}
	return kept, json.Unmarshal([]byte(text), &kept)
}

// listName is the setting that holds an integration's list, as JSON.
func listName(id string) string { return "webhook_files/" + id }

// copied returns the copy of a file, from memory or else from the store; false if none was kept.
// Errors of the store count as no copy: the caller's music is worth no more than that.
func (f *files) copied(ctx context.Context, id string, req integration.WebhookRequest) (integration.Response, bool) {
	f.mu.Lock()
	resp, ok := f.held[fileKey{id, req.Path}]
	f.mu.Unlock()
	if ok || f.store == nil {
		return resp, ok
	}
	kept, err := f.list(ctx, id)
	copied, known := kept[req.Path]
	if err != nil || !known {
		return integration.Response{}, false
	}
	m, err := f.store.Medium(ctx, copied.Ref)
	if err != nil {
		return integration.Response{}, false
	}
	resp = integration.Response{Header: copied.Header, Body: m.Data}
	// For the next slice of a caller's music.
	f.keep(id, integration.WebhookRequest{Method: http.MethodGet, Path: req.Path}, resp)
	return resp, true
}
