package integration

import (
	"net/url"
	"time"
)

// WebhookRequest is one HTTP request of the foreign service, as a plain value.
type WebhookRequest struct {
	Facts  Facts
	Method string // GET or POST
	// The absolute public URL as it was requested, with query, without fragment.
	URL string
	// The part below the endpoint: "/" for the endpoint itself, "/c/K/menu".
	Path string
	// Canonical names; without credentials and what concerns the connection.
	Header     map[string][]string
	Body       []byte // raw, as received; at most 64 KiB
	RemoteAddr string // IP of the peer, for logs
	Deferred   bool   // handled later than it came: the answer is thrown away
	// When it came, of a repeated request the first time; zero = Facts.Now.
	ReceivedAt time.Time
}

// Form returns the fields of query and body together, body first. It does not fail: what cannot be
// parsed is left out.
func (r WebhookRequest) Form() url.Values {
	form := url.Values{}
	if body, err := url.ParseQuery(string(r.Body)); err == nil && r.Method == "POST" {
		form = body
	}
	if u, err := url.Parse(r.URL); err == nil {
		for k, vs := range u.Query() {
			form[k] = append(form[k], vs...)
		}
	}
	return form
}

// Response is an HTTP answer.
type Response struct {
	Status int // 0 means 200
	Header map[string][]string
	Body   []byte
}
