package platformcheck

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// ask is one request of a check's own. Fields that are zero are left out of the request.
type ask struct {
	method string
	path   string // below the base URL, escaped
	query  url.Values
	body   any    // nil: none
	raw    []byte // in place of body
	token  *string
	within time.Duration // 0: 10 s
	alone  bool          // on a connection of its own
}

// as sends the request with another token. "": without any.
func (a ask) as(token string) ask {
	a.token = &token
	return a
}

// send sends a request as the adapter would, and returns what came back; never nil. It goes through
// the recorder, by whose copy the answer is found.
func (r *run) send(ctx context.Context, a ask) *record.Exchange {
	ctx, cancel := context.WithTimeout(ctx, orElse(a.within, 10*time.Second))
	defer cancel()
	body := a.raw
	if a.body != nil {
		var err error
		if body, err = json.Marshal(a.body); err != nil {
			return &record.Exchange{Method: a.method, Target: a.path, Err: err}
		}
	}
	address := r.base + a.path
	if len(a.query) > 0 {
		address += "?" + a.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, a.method, address, bytes.NewReader(body))
	if err != nil {
		return &record.Exchange{Method: a.method, Target: a.path, Err: err}
	}
	req.Close = a.alone
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	token := r.cfg.Token
	if a.token != nil {
		token = *a.token
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	try := random()
	req.Header.Set("Accept", "application/json, "+wire.ProblemType)
	req.Header.Set("User-Agent", "switchboard/"+r.cfg.Version)
	req.Header.Set("Livecall-Request-Id", try)
	req.Header.Set("Livecall-Deadline-Ms", strconv.FormatInt(orElse(a.within, 10*time.Second).Milliseconds(), 10))
	resp, err := r.client.Do(req)
	if err == nil {
		_ = resp.Body.Close() // the recorder has read it
	}
	if x := r.rec.Tried(try); x != nil {
		return x
	}
	return &record.Exchange{Method: a.method, Target: a.path, Err: err}
}

// orElse is d, or another duration where d is not set.
func orElse(d, other time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return other
}

// in is a scope's query. Most addresses want to know for which integration and tenant they are
// asked.
func (r *run) in() url.Values {
	q := url.Values{"integration": {r.cfg.Integration}}
	if r.cfg.Tenant != "" {
		q.Set("tenant", r.cfg.Tenant)
	}
	return q
}

// get asks a question within the scope.
func (r *run) get(ctx context.Context, path string) *record.Exchange {
	return r.send(ctx, ask{method: http.MethodGet, path: path, query: r.in()})
}

// random is an id that was never used. 96 bits in hexadecimal digits.
func random() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
