package main

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- what Twilio signs with
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// client reuses its connections, as Twilio does: what is measured is the answer, not the handshake.
// 20 s are longer than Twilio's own patience (15 s), so that an answer that comes too late is seen
// as slow and not as missing.
var client = &http.Client{Transport: &byTurns{keeps: &http.Transport{MaxIdleConnsPerHost: 64}}, Timeout: 20 * time.Second}

// byTurns sends requests to a public address to the hosts behind it strictly by turns, on
// connections that it keeps: a load balancer that costs nothing.
type byTurns struct {
	keeps  http.RoundTripper
	behind sync.Map // public host → *hosts
}

type hosts struct {
	addrs []string
	next  atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (b *byTurns) RoundTrip(r *http.Request) (*http.Response, error) {
	if found, ok := b.behind.Load(r.URL.Host); ok {
		to := found.(*hosts)
		r = r.Clone(r.Context())
		r.Host, r.URL.Host = r.URL.Host, to.addrs[int(to.next.Add(1))%len(to.addrs)]
	}
	return b.keeps.RoundTrip(r)
}

// result is what a load came to. The times include failed requests, so they say little where any
// failed.
type result struct {
	rate     float64
	p50, p99 time.Duration
	longest  time.Duration
	failed   int
	err      error
}

func (r result) String() string {
	s := fmt.Sprintf("%10.0f   %8.2f ms %8.2f ms", r.rate, ms(r.p50), ms(r.p99))
	if r.failed > 0 {
		s += fmt.Sprintf("   %d FAILED: %v", r.failed, r.err)
	}
	return s
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// load runs do, n at a time, for span.
func load(n int, span time.Duration, do func() error) result {
	warm(n, do)
	var s sample
	s.measure(n, span, do)
	return s.result()
}

// warm makes connections, caches and the plugin's code paths warm before the clock starts.
func warm(n int, do func() error) {
	for range 20 * n {
		_ = do()
	}
}

// sample is what was measured so far of one load.
type sample struct {
	took    []time.Duration
	elapsed time.Duration
	failed  int
	err     error // the last one
}

// measure adds a span in which do runs n at a time.
func (s *sample) measure(n int, span time.Duration, do func() error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for range n {
		wg.Go(func() {
			// Each worker counts for itself, or the lock would be measured.
			var mine []time.Duration
			failed := 0
			var last error
			for time.Since(began) < span {
				t := time.Now()
				if err := do(); err != nil {
					failed, last = failed+1, err
				}
				mine = append(mine, time.Since(t))
			}
			mu.Lock()
			defer mu.Unlock()
			s.took = append(s.took, mine...)
			if s.failed += failed; last != nil {
				s.err = last
			}
		})
	}
	wg.Wait()
	s.elapsed += time.Since(began)
}

// result sums up.
func (s *sample) result() result {
	slices.Sort(s.took)
	n := len(s.took)
	return result{rate: float64(n) / s.elapsed.Seconds(), p50: s.took[n/2], p99: s.took[n*99/100], longest: s.took[n-1], failed: s.failed, err: s.err}
}

// percentiles sorts all, which must not be empty.
func percentiles(all []time.Duration) string {
	slices.Sort(all)
	return fmt.Sprintf("min %.1f ms, median %.1f ms, max %.1f ms", ms(all[0]), ms(all[len(all)/2]), ms(all[len(all)-1]))
}

// post is postText for whoever does not read the answer.
func post(target, body, signature string) error {
	_, err := postText(target, body, signature)
	return err
}

// postText posts a form's body; signature "" sends none, for the echo.
func postText(target, body, signature string) (string, error) {
	req, err := http.NewRequest("POST", target, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	if signature != "" {
		req.Header.Set("X-Twilio-Signature", signature)
	}
	return answer(req)
}

// getText reads a page of the host with a token of its API.
func getText(target, token string) (string, error) {
	req, err := http.NewRequest("GET", target, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	// To compress would be work of the host's that nobody asked for.
	req.Header.Set("Accept-Encoding", "identity")
	return answer(req)
}

// answer returns the text; any status above 299 is an error that holds it. It reads to the end,
// without which the connection would not be used again.
func answer(req *http.Request) (string, error) {
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode > 299 {
		err = errors.New(resp.Status + ": " + string(b))
	}
	return string(b), err
}

// signed makes a request as Twilio does.
func signed(target string, form url.Values) (string, error) {
	target, _, _ = strings.Cut(target, "#")
	mac := hmac.New(sha1.New, []byte(twiliosim.DefaultAuthToken))
	mac.Write([]byte(target))
	for _, k := range slices.Sorted(maps.Keys(form)) {
		mac.Write([]byte(k + form.Get(k)))
	}
	return postText(target, form.Encode(), base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// clone is a form to which one request's fields are added; the values are shared and never changed
// in place.
func clone(v url.Values) url.Values { return maps.Clone(v) }

// unescape undoes the only escape that our URLs have in a document.
func unescape(s string) string { return strings.ReplaceAll(s, "&amp;", "&") }

// residents is the resident memory of a process and of its one child, in bytes (Linux).
func residents(pid int) (parent, child int64) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		status, err := os.ReadFile("/proc/" + e.Name() + "/status")
		if err != nil {
			continue
		}
		field := func(name string) int64 {
			_, rest, _ := strings.Cut(string(status), "\n"+name+":")
			words := strings.Fields(rest)
			if len(words) == 0 {
				return 0
			}
			v, _ := strconv.ParseInt(words[0], 10, 64)
			return v
		}
		if n == pid {
			parent = field("VmRSS") << 10
		} else if field("PPid") == int64(pid) {
			child += field("VmRSS") << 10
		}
	}
	return parent, child
}
