package webhook

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // X-Twilio-Signature is HMAC-SHA1 by definition
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Sign returns the X-Twilio-Signature of a request: the base64 HMAC-SHA1, under the auth token, of
// the URL as requested and, for a form body, each parameter's name and value in the order of the
// names. form is nil for GET. Source: Twilio docs, usage/webhooks/webhooks-security.
func Sign(authToken, requestURL string, form url.Values) string {
	var b strings.Builder
	b.WriteString(requestURL)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, v := range form[name] {
			b.WriteString(name)
			b.WriteString(v)
		}
	}
	mac := hmac.New(sha1.New, []byte(authToken))
	mac.Write([]byte(b.String()))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signedURL returns the URL that the signature covers: without the fragment and, for https, without
// a port (unless Client.SignHTTPSPort).
func (c *Client) signedURL(u *url.URL) string {
	signed := *u
	signed.Fragment, signed.RawFragment = "", ""
	if signed.Scheme == "https" && !c.SignHTTPSPort {
		signed.Host = strings.TrimSuffix(signed.Host, ":"+signed.Port())
	}
	return signed.String()
}
