package attacks

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// request is sent exactly as it is written: the path is not cleaned on the way.
type request struct {
	method string // "": POST with a body, else GET
	target string // path and query
	header map[string]string
	body   string
	form   url.Values // instead of body
	signed bool       // as Twilio would
	from   string     // address of this machine that it comes from; "": any
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // of the connection
}

const formType = "application/x-www-form-urlencoded"

// send makes the request to the target.
func (h *hotline) send(t *testing.T, r request) answer {
	t.Helper()
	if r.form != nil {
		r.body = r.form.Encode()
	}
	if r.method == "" {
		r.method = "GET"
		if r.body != "" {
			r.method = "POST"
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), r.method, h.URL, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Opaque = r.target
	if strings.HasPrefix(r.target, "//") {
		req.URL.Opaque = h.URL + r.target
	}
	if r.form != nil {
		req.Header.Set("Content-Type", formType)
	}
	if r.signed {
		req.Header.Set("X-Twilio-Signature", twiliosim.Sign(twiliosim.DefaultAuthToken, h.URL+r.target, r.form))
	}
	for k, v := range r.header {
		if k == "Host" {
			req.Host = v
			continue
		}
		req.Header[http.CanonicalHeaderKey(k)] = []string{v}
	}
	return exchange(client(r.from), req)
}

// client makes a client whose connections come from an address.
func client(from string) *http.Client {
	dialer := &net.Dialer{}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}
}

func exchange(c *http.Client, req *http.Request) answer {
	resp, err := c.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(b), err}
}

// path is the part of an address below the target's, as it is sent: without fragment.
func (h *hotline) path(address string) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(address, h.URL), "#")
	return path
}

// voice is the form that Twilio sends about a call of the caller's.
func voice(sid string, more ...string) url.Values {
	v := url.Values{"CallSid": {sid}, "AccountSid": {twiliosim.DefaultAccountSid}, "From": {caller}, "To": {demo.Number}, "CallStatus": {"ringing"}, "Direction": {"inbound"}, "ApiVersion": {"2010-04-01"}}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

// browser is a browser with its cookies.
type browser struct {
	h *hotline
	c *http.Client
}

func (h *hotline) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := client("")
	c.Jar = jar
	return &browser{h, c}
}

// loggedIn is a browser after the log-in.
func (h *hotline) loggedIn(t *testing.T) *browser {
	t.Helper()
	b := h.browser(t)
	if got := b.post(t, "/login", url.Values{"token": {h.Token}}, nil); got.status != 303 {
		t.Fatalf("the log-in was answered %d: %s", got.status, got.body)
	}
	return b
}

func (b *browser) get(t *testing.T, path string) answer {
	t.Helper()
	return b.do(t, "GET", path, nil, nil)
}

func (b *browser) post(t *testing.T, path string, form url.Values, header map[string]string) answer {
	t.Helper()
	return b.do(t, "POST", path, form, header)
}

func (b *browser) do(t *testing.T, method, path string, form url.Values, header map[string]string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.h.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", formType)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	return exchange(b.c, req)
}

// cookies are those that the browser would send.
func (b *browser) cookies() []*http.Cookie {
	u, _ := url.Parse(b.h.URL)
	return b.c.Jar.Cookies(u)
}

var attribute = regexp.MustCompile(`(?:action|url|waitUrl|recordingStatusCallback|transcribeCallback|statusCallback)="([^"]+)"|<Redirect[^>]*>([^<]+)<`)

// issued are the addresses in a document, by the part behind the call's SID.
func issued(document string) map[string]string {
	found := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(document, -1) {
		address := strings.ReplaceAll(m[1]+m[2], "&amp;", "&")
		_, rest, ours := strings.Cut(address, "/c/CA")
		if !ours {
			continue
		}
		_, rest, _ = strings.Cut(rest, "/")
		sub, _, _ := strings.Cut(rest, "?")
		found[sub] = address
	}
	return found
}
