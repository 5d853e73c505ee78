package platformcheck

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

var (
	digits     = regexp.MustCompile(`[0-9]+`)
	quotedText = regexp.MustCompile(`"[^"]*"`)
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
func (r *run) send(ctx context.Context, a ask) *exchange {
	ctx, cancel := context.WithTimeout(ctx, orElse(a.within, 10*time.Second))
	defer cancel()
	body := a.raw
	if a.body != nil {
		var err error
		if body, err = json.Marshal(a.body); err != nil {
			return &exchange{method: a.method, target: a.path, err: err}
		}
	}
	address := r.base + a.path
	if len(a.query) > 0 {
		address += "?" + a.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, a.method, address, bytes.NewReader(body))
	if err != nil {
		return &exchange{method: a.method, target: a.path, err: err}
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
	if x := r.rec.tried(try); x != nil {
		return x
	}
	return &exchange{method: a.method, target: a.path, err: err}
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
func (r *run) get(ctx context.Context, path string) *exchange {
	return r.send(ctx, ask{method: http.MethodGet, path: path, query: r.in()})
}

// random is an id that was never used. 96 bits in hexadecimal digits.
func random() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// cause leaves out the address, which *url.Error repeats.
func cause(err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// kind is the kind of a problem document, "" if the answer is none.
func (x *exchange) kind() string {
	var doc wire.Problem
	if x.status < 400 || json.Unmarshal(x.body, &doc) != nil {
		return ""
	}
	return doc.Kind
}

// says is the answer in a few words. It is for sentences: "was answered with …".
func (x *exchange) says() string {
	switch {
	case x.err != nil:
		return "no answer (" + cause(x.err).Error() + ")"
	case x.kind() != "":
		return strconv.Itoa(x.status) + " with the kind " + x.kind()
	}
	return "status " + strconv.Itoa(x.status)
}

// withoutQuery is the path of a target.
func withoutQuery(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}
