package twiliosim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Limits of a webhook request. Source: Twilio docs, usage/webhooks/webhooks-connection-overrides; voice/twiml.
const (
	connectLimit = 5 * time.Second
	totalLimit   = 15 * time.Second
	mostRetries  = 5
	redirectsMax = 10
	largestMedia = 40 << 20
)

func defaultTransport() *http.Transport {
	return &http.Transport{DisableKeepAlives: true, TLSHandshakeTimeout: connectLimit, Proxy: nil}
}

func newJar() http.CookieJar {
	jar, _ := cookiejar.New(nil) // with nil options it cannot fail
	return jar
}

// webhook is one request to the program under test.
type webhook struct {
	on   string // OnWebhook, OnCallback or OnMedia
	call *Call
	target
	params url.Values
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	final  *url.URL // after redirects
}

// overrides are the connection settings in a URL's fragment.
type overrides struct {
	connect, read, total time.Duration
	retries              int
	on                   map[string]bool
}

func parseOverrides(fragment string) (overrides, *problem) {
	o := overrides{connect: connectLimit, read: totalLimit, total: totalLimit, retries: 1, on: map[string]bool{"ct": true}}
	if fragment == "" {
		return o, nil
	}
	values, err := url.ParseQuery(fragment)
	if err != nil {
		return o, &problem{code: 11243, text: "connection settings " + fragment}
	}
	span := func(key string, high int, into *time.Duration) *problem {
		if v := values.Get(key); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n < 100 || n > high {
				return &problem{code: 11243, text: fmt.Sprintf("connection setting %s=%s: want 100 to %d", key, v, high)}
			}
			*into = time.Duration(n) * time.Millisecond
		}
		return nil
	}
	for _, p := range []*problem{span("ct", 10000, &o.connect), span("rt", 15000, &o.read), span("tt", 15000, &o.total)} {
		if p != nil {
			return o, p
		}
	}
	if v := values.Get("rc"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > mostRetries {
			return o, &problem{code: 11243, text: "connection setting rc=" + v + ": want 0 to 5"}
		}
		o.retries = n
	}
	if v := values.Get("rp"); v != "" {
		o.on = map[string]bool{}
		for _, kind := range strings.Split(v, ",") {
			switch kind {
			case "4xx", "5xx", "ct", "rt":
				o.on[kind] = true
			case "all":
				for _, k := range []string{"4xx", "5xx", "ct", "rt"} {
					o.on[k] = true
				}
			default:
				return o, &problem{code: 11243, text: "connection setting rp=" + v + ": want 4xx, 5xx, ct, rt, all"}
			}
		}
	}
	for key := range values {
		if !strings.Contains(" ct rt tt rc rp sni e ", " "+key+" ") {
			return o, &problem{code: 11243, text: "connection setting " + key + " is unknown"}
		}
	}
	return o, nil
}

// send makes a request with retries and redirects, and records it in the transcript.
func (s *Sim) send(w webhook) (*answer, *problem) {
	if w.method == "" {
		w.method = http.MethodPost
	}
	u, err := url.Parse(strings.TrimSpace(w.url))
	if err != nil || !u.IsAbs() || u.Hostname() == "" {
		return nil, s.sent(w, nil, &problem{code: 11100, text: "invalid URL", url: w.url})
	}
	o, p := parseOverrides(u.Fragment)
	if p != nil {
		p.url = w.url
		return nil, s.sent(w, nil, p)
	}
	u.Fragment, u.RawFragment = "", ""

	token := newSid("")
	fault := s.faultFor(w.on, w.method+" "+u.String())
	if fault != nil {
		switch fault.Do {
		case FaultLose:
			s.sleep(connectLimit)
			return nil, s.sent(w, nil, &problem{code: 11205, text: "lost on demand", url: w.url, injected: true})
		case FaultDelay:
			s.sleep(fault.Delay)
		case FaultDouble:
			s.spawn(func() { _, _, _ = s.exchange(w, u, o, token) })
		}
	}
	deadline := s.clock.Now().Add(o.total)
	var a *answer
	for try := 0; ; try++ {
		var kind string
		a, kind, p = s.exchange(w, u, o, token)
		if fault != nil && fault.Do == FaultLoseAnswer {
			s.sleep(deadline.Sub(s.clock.Now()))
			a, p = nil, &problem{code: 11205, text: "answer lost on demand", url: w.url, injected: true}
			break
		}
		if fault != nil && fault.Do == FaultStatus {
			a, p = nil, &problem{code: 11200, text: fmt.Sprintf("HTTP %d on demand", fault.Status), url: w.url, injected: true}
			break
		}
		if p == nil || try >= o.retries || !o.on[kind] || !s.clock.Now().Before(deadline) || s.ctx.Err() != nil {
			break
		}
	}
	if p != nil {
		p.injected = p.injected || s.ctx.Err() != nil // Close cut it off
		return nil, s.sent(w, a, p)
	}
	_ = s.sent(w, a, nil)
	return a, nil
}

// sent writes the request into the transcript and returns p.
func (s *Sim) sent(w webhook, a *answer, p *problem) *problem {
	kind := map[string]string{OnWebhook: EventWebhook, OnCallback: EventCallback, OnMedia: EventMedia}[w.on]
	e := Event{Kind: kind, Method: w.method, URL: w.url, Params: flat(w.params)}
	if a != nil {
		e.Status = a.status
	}
	if p != nil {
		e.Note, e.Code = p.text, p.code
	}
	s.addEvent(w.call, e)
	return p
}

func flat(v url.Values) map[string]string {
	if len(v) == 0 {
		return nil
	}
	out := make(map[string]string, len(v))
	for k, vs := range v {
		out[k] = strings.Join(vs, " ")
	}
	return out
}

// exchange is one attempt, redirects included. The kind of a failure is what rp= names: ct, rt, 4xx, 5xx.
func (s *Sim) exchange(w webhook, u *url.URL, o overrides, token string) (*answer, string, *problem) {
	limit := max(s.clock.Real(min(o.read, o.total)), s.cfg.PatienceFloor)
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	method, params, at := w.method, w.params, u
	for redirects := 0; ; redirects++ {
		res, body, err := s.roundTrip(ctx, w, method, at, params, token, "")
		if err == nil && res.StatusCode == http.StatusUnauthorized && at.User != nil &&
			strings.HasPrefix(strings.ToLower(res.Header.Get("WWW-Authenticate")), "basic") {
			// As Twilio does: credentials of the URL are sent only when they are asked for.
			res, body, err = s.roundTrip(ctx, w, method, at, params, token, at.User.String())
		}
		if err != nil {
			return nil, failureKind(err), &problem{code: failureCode(err), text: "no answer: " + rootCause(err), url: at.String()}
		}
		a := &answer{status: res.StatusCode, header: res.Header, body: body, final: at}
		switch code := res.StatusCode; {
		case code >= 300 && code < 400 && code != http.StatusNotModified:
			next, err := at.Parse(res.Header.Get("Location"))
			if err != nil || res.Header.Get("Location") == "" {
				return a, "", &problem{code: 11206, text: fmt.Sprintf("HTTP %d without a usable Location", code), url: at.String()}
			}
			if redirects+1 > redirectsMax {
				return a, "", &problem{code: 11215, text: "too many redirects", url: at.String()}
			}
			if code != http.StatusTemporaryRedirect && code != http.StatusPermanentRedirect {
				method, params = http.MethodGet, nil // the form is lost, as in a browser
			}
			next.Fragment = ""
			at = next
			continue
		case code >= 500:
			return a, "5xx", &problem{code: 11200, text: fmt.Sprintf("HTTP %d", code), url: at.String()}
		case code >= 400:
			return a, "4xx", &problem{code: 11200, text: fmt.Sprintf("HTTP %d", code), url: at.String()}
		}
		return a, "", nil
	}
}

// roundTrip is one HTTP request, signed.
func (s *Sim) roundTrip(ctx context.Context, w webhook, method string, u *url.URL, params url.Values, token, userinfo string) (*http.Response, []byte, error) {
	at := *u
	var body io.Reader
	var form url.Values
	if method == http.MethodGet || params == nil {
		if len(params) > 0 {
			at.RawQuery = strings.TrimPrefix(at.RawQuery+"&"+params.Encode(), "&")
		}
	} else {
		form = params
		body = strings.NewReader(params.Encode())
	}
	signature := Sign(s.cfg.AuthToken, s.signedURL(&at), form)
	at.User = nil
	req, err := http.NewRequestWithContext(ctx, method, at.String(), body)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("X-Twilio-Signature", signature)
	req.Header.Set("I-Twilio-Idempotency-Token", token)
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("Accept", "*/*")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	}
	if userinfo != "" {
		password, _ := u.User.Password()
		req.SetBasicAuth(u.User.Username(), password)
	}
	if w.call != nil {
		for _, c := range w.call.cookie.Cookies(&at) {
			req.AddCookie(c)
		}
	}
	if w.on == OnMedia {
		s.conditional(req)
	}
	res, err := s.cfg.Transport.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if w.call != nil {
		w.call.cookie.SetCookies(&at, res.Cookies())
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, largestMedia))
	return res, data, err
}

func failureKind(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" || isTLS(err) {
		return "ct"
	}
	return "rt"
}

func isTLS(err error) bool {
	text := err.Error()
	return strings.Contains(text, "tls:") || strings.Contains(text, "x509:") || strings.Contains(text, "TLS handshake")
}

func failureCode(err error) int {
	var dns *net.DNSError
	switch {
	case isTLS(err):
		return 11220
	case errors.As(err, &dns):
		return 11210
	case errors.Is(err, context.DeadlineExceeded), failureKind(err) == "ct":
		return 11205
	}
	return 11200
}

func rootCause(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "time-out"
	}
	return err.Error()
}

// parametersLocked are what Twilio sends with every request about a call. Source: Twilio docs, voice/twiml, request parameters.
func (c *Call) parametersLocked() url.Values {
	v := url.Values{}
	set := func(k, value string) { v.Set(k, value) }
	set("CallSid", c.Sid)
	set("AccountSid", c.sim.cfg.AccountSid)
	set("ApiVersion", "2010-04-01")
	set("Direction", c.Direction)
	set("CallStatus", c.status)
	for _, k := range []string{"From", "Caller"} {
		set(k, c.From)
	}
	for _, k := range []string{"To", "Called"} {
		set(k, c.To)
	}
	geo := func(number string, prefixes ...string) {
		p, ok := c.sim.place(number)
		if !ok {
			return
		}
		for _, prefix := range prefixes {
			set(prefix+"City", p.City)
			set(prefix+"State", p.State)
			set(prefix+"Zip", p.Zip)
			set(prefix+"Country", p.Country)
		}
	}
	geo(c.From, "From", "Caller")
	geo(c.To, "To", "Called")
	if c.ParentSid != "" {
		set("ParentCallSid", c.ParentSid)
	}
	if c.answeredBy != "" {
		set("AnsweredBy", c.answeredBy)
	}
	if c.Direction == DirectionInbound && !isWithheld(c.From) {
		set("StirVerstat", "TN-Validation-Passed-A")
	}
	return v
}

// request makes a webhook of this call with its parameters as they are now.
func (c *Call) request(t target, extra url.Values) webhook {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	params := c.parametersLocked()
	for k, vs := range extra {
		params[k] = vs
	}
	return webhook{on: OnWebhook, call: c, target: t, params: params}
}

// fetch requests a document. An interruption of the call is returned at once; the request goes on, its answer is lost.
func (c *Call) fetch(w webhook) (*answer, error) {
	var a *answer
	var p *problem
	done := false
	c.sim.spawn(func() {
		got, failed := c.sim.send(w)
		c.sim.mu.Lock()
		defer c.sim.mu.Unlock()
		a, p, done = got, failed, true
		c.notifyLocked()
	})
	why := errClosed
	finished := false
	c.sim.await(c, time.Time{}, func() bool {
		finished, why = done, c.interruptLocked()
		return finished || why != nil
	})
	switch {
	case !finished && why != nil:
		return nil, why
	case !finished:
		return nil, errClosed
	case p != nil:
		return nil, p
	}
	return a, nil
}

// fetchIgnored requests an action whose answer Twilio ignores.
func (c *Call) fetchIgnored(t target, extra url.Values) {
	if t.url == "" {
		return
	}
	if _, p := c.sim.send(c.request(t, extra)); p != nil {
		c.sim.report(c, p)
	}
}
