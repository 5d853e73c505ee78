// Package balance is a load balancer for tests: it hands each request to the next of several hosts,
// strictly by turns, so that no two requests of a call in a row reach the same host.
package balance

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Balancer listens on a port of the loopback interface until it is closed. It serves once it has
// hosts.
type Balancer struct {
	URL      string
	listener net.Listener
	server   *http.Server

	mu      sync.Mutex
	hosts   []string
	turn    int
	served  map[string]int
	longest Answer
	// underWay are the requests since the hosts were last drained.
	underWay *sync.WaitGroup
}

// Answer is a request of a call and how long it took until its answer.
type Answer struct {
	Path   string
	Status int
	Took   time.Duration
}

// New begins to listen.
func New() (*Balancer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it only binds
	if err != nil {
		return nil, err
	}
	b := &Balancer{URL: "http://" + l.Addr().String(), listener: l, served: map[string]int{}, underWay: &sync.WaitGroup{}}
	b.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: &httputil.ReverseProxy{
		Transport:    b,
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "hosts"}); r.SetXForwarded() },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}}
	go func() { _ = b.server.Serve(l) }()
	return b, nil
}

// Close ends it.
func (b *Balancer) Close() error { return b.server.Close() }

// To sets the addresses of the hosts.
func (b *Balancer) To(hosts ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hosts = hosts
}

// Drain sets the addresses of the hosts and waits until all requests that came before are answered:
// a host that is no longer among them can be stopped in order.
func (b *Balancer) Drain(hosts ...string) {
	b.mu.Lock()
	before := b.underWay
	b.hosts, b.underWay = hosts, &sync.WaitGroup{}
	b.mu.Unlock()
	before.Wait()
}

// Served is how many requests each host has answered.
func (b *Balancer) Served() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	copied := make(map[string]int, len(b.served))
	for host, n := range b.served {
		copied[host] = n
	}
	return copied
}

// Longest is the request of a call whose answer took the longest so far.
func (b *Balancer) Longest() Answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.longest
}

// next returns the hosts, first the one whose turn it is, and what to call once the request is
// answered.
func (b *Balancer) next() (order []string, answered func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn++
	b.underWay.Add(1)
	order = make([]string, len(b.hosts))
	for i := range b.hosts {
		order[i] = b.hosts[(b.turn+i)%len(b.hosts)]
	}
	return order, b.underWay.Done
}

// direct makes a connection for each request: one that was kept would fail with the host.
var direct = &http.Transport{DisableKeepAlives: true}

// RoundTrip implements http.RoundTripper. A host that refuses the connection is passed over, as a
// load balancer would do.
func (b *Balancer) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	began := time.Now()
	var body []byte
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	err = errors.New("there is no host")
	hosts, answered := b.next()
	defer answered()
	for _, host := range hosts {
		r.URL.Host, r.Body = host, http.NoBody
		if len(body) > 0 {
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		resp, err = direct.RoundTrip(r)
		// What has been sent may have been done: only a refused connection was certainly not.
		if errors.Is(err, syscall.ECONNREFUSED) {
			continue
		}
		b.answered(host, r.URL.Path, resp, time.Since(began))
		return resp, err
	}
	return nil, err
}

// answered counts an answer, and remembers the longest one of a call; resp is nil where there was
// none.
func (b *Balancer) answered(host, path string, resp *http.Response, took time.Duration) {
	a := Answer{Path: path, Took: took}
	if resp != nil {
		a.Status = resp.StatusCode
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.served[host]++
	if took > b.longest.Took && strings.HasPrefix(path, "/integrations/") {
		b.longest = a
	}
}
