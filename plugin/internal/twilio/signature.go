package twilio

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/twilio/twilio-go/client"
)

// SignatureHeader carries the signature (Twilio docs: usage/webhooks/webhooks-security).
const SignatureHeader = "X-Twilio-Signature"

// Form holds the fields of one request, parsed once: for the signature, for [ParseWebhook], and for
// what we wrote into the address ourselves.
type Form struct {
	// Values holds the fields of body and address; where both have a field, the body's comes first.
	Values url.Values

	posted    map[string]string // the body's fields, which are signed with the address
	malformed bool              // the body is no form, so no signature over it can be right
}

// ParseForm reads the fields of a request. address is the absolute URL as Twilio asked for it. It
// does not fail: what cannot be parsed is left out, and a malformed body has no valid signature.
// Only a POST request has a body that counts.
func ParseForm(method, address string, body []byte) Form {
	f := Form{Values: url.Values{}, posted: map[string]string{}}
	if method == http.MethodPost {
		fields, err := url.ParseQuery(string(body))
		f.malformed = err != nil
		if err == nil {
			f.Values = fields
		}
	}
	for name, values := range f.Values {
		f.posted[name] = values[0]
	}
	if u, err := url.Parse(address); err == nil {
		for name, values := range u.Query() {
			f.Values[name] = append(f.Values[name], values...)
		}
	}
	return f
}

// ValidSignature reports whether the signature over a request was made with one of the tokens: the
// auth token of the account (or the one before, during a rotation). Of the address, which is the
// absolute URL as Twilio asked for it, the fragment is not signed. It is tried with and without its
// port, because Twilio's own practice differs. Empty tokens never match.
func ValidSignature(tokens []string, address string, f Form, signature string) bool {
	if signature == "" || f.malformed {
		return false
	}
	address, _, _ = strings.Cut(address, "#")
	valid := false
	for _, token := range tokens {
		if token == "" {
			continue
		}
		v := client.NewRequestValidator(token)
		// All tokens are tried, so that the time taken does not say which of them matched.
		if v.Validate(address, f.posted, signature) {
			valid = true
		}
	}
	return valid
}
