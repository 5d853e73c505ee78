package twiliosim

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // X-Twilio-Signature is HMAC-SHA1 by definition
	"encoding/base64"
	"net/url"
	"sort"
	"strings"
)

// Sign makes the X-Twilio-Signature of a request: the base64 HMAC-SHA1, under the auth token, of the URL as requested
// and, for a form body, each parameter's name and value in the order of the names. form is nil for GET. Source: Twilio
// docs, usage/webhooks/webhooks-security.
func Sign(authToken, requestURL string, form url.Values) string {
	var b strings.Builder
	b.WriteString(requestURL)
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, v := range form[name] {
			b.WriteString(name)
			b.WriteString(v)
		}
	}
	mac := hmac.New(sha1.New, []byte(authToken))
	mac.Write([]byte(b.String()))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signedURL is the URL that the signature covers: without the fragment and, for https, without a port (unless
// Behaviour.SignHTTPSPort).
func (s *Sim) signedURL(u *url.URL) string {
	c := *u
	c.Fragment, c.RawFragment = "", ""
	if c.Scheme == "https" && !s.cfg.Behaviour.SignHTTPSPort {
		c.Host = strings.TrimSuffix(c.Host, ":"+c.Port())
	}
	return c.String()
}
