package campaign

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// exchanges carries the simulated Twilio's requests to the host, and notes how long answers take
// and what nobody reads: a document as the answer to a callback.
type exchanges struct {
	next http.RoundTripper

	mu   sync.Mutex
	took []time.Duration // real time, of requests with an answer
	// Addresses of callbacks that were answered with a document to execute.
	documents []string
}

// newExchanges opens a connection for each request, so that each shows whether the host is there.
func newExchanges() *exchanges {
	return &exchanges{next: &http.Transport{DisableKeepAlives: true, Proxy: nil}}
}

// RoundTrip implements http.RoundTripper.
func (x *exchanges) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := x.next.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	x.mu.Lock()
	defer x.mu.Unlock()
	if r.Method == http.MethodPost {
		x.took = append(x.took, time.Since(began))
	}
	if isCallback(r.URL.String()) && resp.StatusCode == http.StatusOK && strings.Contains(string(body), "<Redirect") {
		x.documents = append(x.documents, r.URL.String())
	}
	return resp, nil
}

// take returns what was noted so far and forgets it.
func (x *exchanges) take() (took []time.Duration, documents []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	took, documents = x.took, x.documents
	x.took, x.documents = nil, nil
	return took, documents
}

// percentile returns the p-th percentile of times, 0 for none.
func percentile(times []time.Duration, p int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[(len(times)-1)*p/100].Round(time.Millisecond)
}
