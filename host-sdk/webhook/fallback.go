package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// fallbackFor is how long callers are asked for patience when the plugin does not say.
const fallbackFor = 10 * time.Minute

// fallback asks the caller to hold and the foreign service to come again with the same request, for
// as long as the plugin allows; then come the last words.
func (h *handler) fallback(ctx context.Context, id string, req integration.WebhookRequest) (integration.Response, bool) {
	answers, ok := h.cfg.Engine.Fallback(ctx, id)
	if !ok {
		return integration.Response{}, false
	}
	limit := answers.For
	if limit == 0 {
		limit = fallbackFor
	}
	// The retry must come to the same address, whose path says what was asked, or the plugin would
	// not know later what it was about.
	u, err := url.Parse(req.URL)
	if err != nil {
		return answers.LastWords, true
	}
	now := h.cfg.Clock.Now()
	query := u.Query()
	count, _ := strconv.Atoi(query.Get(integration.FallbackCountField))
	since, asked := sinceOf(query)
	// The first failure of this request: time is counted from now.
	if !asked {
		since = now
	}
	// The count and the time come back in a URL that anybody can write: what cannot be true ends
	// the waiting instead of making it endless. A minute is left for the clock of another host.
	if now.Sub(since) >= limit || count < 0 || since.After(now.Add(time.Minute)) {
		return answers.LastWords, true
	}
	form := req.Form()
	// The foreign service does not repeat what the caller did, such as a key: it goes into the URL,
	// or the repeated request would tell of nothing.
	for _, k := range answers.Keep {
		if v := form.Get(k); v != "" {
			query.Set(k, v)
		}
	}
	query.Set(integration.FallbackCountField, strconv.Itoa(count+1))
	query.Set(integration.FallbackSinceField, strconv.FormatInt(since.Unix(), 10))
	u.RawQuery = query.Encode()
	// The stored answer is shared by all requests; ReplaceAll below makes a new body.
	resp := answers.Wait
	resp.Body = bytes.ReplaceAll(resp.Body, []byte(integration.FallbackURLMark), escapeFor(resp.Header, u.String()))
	return resp, true
}

// escapeFor writes an address as an answer of this type must hold it. An & in the address would end
// an XML document, and the caller with it.
func escapeFor(header map[string][]string, address string) []byte {
	kind, _, _ := mime.ParseMediaType(http.Header(header).Get("Content-Type"))
	switch {
	case kind == "text/plain":
		return []byte(address)
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		text, _ := json.Marshal(address) // a string does not fail
		return bytes.Trim(text, `"`)
	}
	var escaped bytes.Buffer
	_ = xml.EscapeText(&escaped, []byte(address)) // a buffer does not fail
	return escaped.Bytes()
}

// sinceOf is when a request came first, of one that a fallback asked to repeat; false for others.
func sinceOf(query url.Values) (time.Time, bool) {
	s, err := strconv.ParseInt(query.Get(integration.FallbackSinceField), 10, 64)
	return time.Unix(s, 0), err == nil
}

// firstCame is when the event happened that a repeated request tells of; zero: now. A conversation
// must not seem longer by the time for which nobody could hear of its end.
func (h *handler) firstCame(u *url.URL) time.Time {
	if !strings.Contains(u.RawQuery, integration.FallbackSinceField) {
		return time.Time{} // nearly every request
	}
	query := u.Query()
	since, asked := sinceOf(query)
	if !asked || since.After(h.cfg.Clock.Now()) {
		return time.Time{}
	}
	return since
}
