package twilio

import (
	"net/http"
	"strings"

	"github.com/twilio/twilio-go/client"
)

// SignatureHeader carries the signature (Twilio docs: usage/webhooks/webhooks-security).
const SignatureHeader = "X-Twilio-Signature"

// ValidSignature reports whether the signature over a request was made with one of the tokens: the auth token of the account
// (or the one before, during a rotation). address is the absolute URL as Twilio asked for it; its fragment is not signed.
// It is tried with and without its port, as Twilio signs now one, now the other. Empty tokens never match.
func ValidSignature(tokens []string, method, address string, body []byte, signature string) bool {
	if signature == "" {
		return false
	}
	address, _, _ = strings.Cut(address, "#")
	if method != http.MethodPost {
		body = nil
	}
	ok := false
	for _, t := range tokens {
		if t == "" {
			continue
		}
		v := client.NewRequestValidator(t)
		if v.ValidateBody(address, body, signature) {
			ok = true
		}
	}
	return ok
}
