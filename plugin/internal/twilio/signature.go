package twilio

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio signs with HMAC-SHA1, which the weaknesses of SHA-1 do not touch
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// SignatureHeader carries the signature (Twilio docs: usage/webhooks/webhooks-security).
const SignatureHeader = "X-Twilio-Signature"

// MaxFields is the most fields that a request may have, in body and address together. A voice
// request of Twilio has about forty, and one more for each SIP header that a trunk passes on.
const MaxFields = 200

// fieldBodyHash is the query field in which Twilio puts the hash of a body that is no form; the
// address is then signed without the body's fields (Twilio docs: usage/webhooks/webhooks-security).
const fieldBodyHash = "bodySHA256"

// Form holds the fields of one request, parsed once: for the signature, for [ParseWebhook], and for
// what we wrote into the address ourselves.
type Form struct {
	// Values holds the fields of body and address; where both have a field, the body's comes first.
	Values url.Values
	// TooMany says that the request has more than [MaxFields] fields and is not Twilio's. Nothing
	// of it was parsed, so Values is empty, and no signature over it counts.
	TooMany bool

	// What is signed after the address: the body's fields, sorted, each name before its value.
	signed    []byte
	body      []byte // as it came
	bodyHash  string // hexadecimal, as the address says it; "" where the body is a form
	malformed bool   // body or address cannot be parsed, so no signature over them can be right
}

// ParseForm reads the fields of a request. address is the absolute URL as Twilio asked for it. It
// does not fail: what cannot be parsed is left out, and a malformed body has no valid signature.
// Only a POST request has a body that counts.
func ParseForm(method, address string, body []byte) Form {
	f := Form{Values: url.Values{}}
	if method == http.MethodPost {
		f.body = body
	}
	address, _, _ = strings.Cut(address, "#")
	u, err := url.Parse(address)
	if err != nil {
		f.malformed = true
		u = &url.URL{}
	}
	// Counted before anything is parsed: parsing is what would cost.
	count := countFields(f.body) + countFields([]byte(u.RawQuery))
	if count > MaxFields {
		f.TooMany = true
		return f
	}
	if strings.Contains(u.RawQuery, fieldBodyHash) {
		f.bodyHash = u.Query().Get(fieldBodyHash)
	}
	fields := newFields(count)
	if err := fields.parse(string(f.body)); err != nil {
		fields = newFields(count)
		f.malformed = f.malformed || f.bodyHash == ""
	}
	if f.bodyHash == "" {
		f.signed = signedFields(fields.values)
	}
	_ = fields.parse(u.RawQuery) // what cannot be parsed is left out
	f.Values = fields.values
	return f
}

// countFields is how many fields a form has at most. It counts separators, so empty fields count as
// well.
func countFields(form []byte) int {
	if len(form) == 0 {
		return 0
	}
	return bytes.Count(form, []byte("&")) + 1
}

// fields collects the fields of forms. All values share one list: a request has forty fields, each
// of which would need one.
type fields struct {
	values url.Values
	all    []string
}

// newFields makes room for so many fields.
func newFields(n int) fields {
	return fields{values: make(url.Values, n), all: make([]string, 0, n)}
}

// parse adds the fields of a form as [url.ParseQuery] reads them. The error is the first one; what
// can be parsed is added all the same.
func (f *fields) parse(form string) (first error) {
	for form != "" {
		var field string
		field, form, _ = strings.Cut(form, "&")
		if err := f.add(field); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// add adds one field.
func (f *fields) add(field string) error {
	if strings.Contains(field, ";") {
		return errSemicolon
	}
	if field == "" {
		return nil
	}
	name, value, _ := strings.Cut(field, "=")
	name, err := url.QueryUnescape(name)
	if err != nil {
		return err
	}
	if value, err = url.QueryUnescape(value); err != nil {
		return err
	}
	if before := f.values[name]; len(before) > 0 {
		f.values[name] = append(before, value) // a list of its own: the shared one has no room
		return nil
	}
	f.all = append(f.all, value)
	f.values[name] = f.all[len(f.all)-1 : len(f.all) : len(f.all)]
	return nil
}

// errSemicolon is the error for a field that url.ParseQuery refuses, as some programs would read
// two.
var errSemicolon = errors.New("invalid semicolon separator in a form")

// signedFields writes a form's fields as they are signed: sorted by name, without separators. Of a
// field that is repeated the first value alone is signed, as twilio-go has it, and the first alone
// is read. Names are compared byte by byte, as Twilio sorts them.
func signedFields(form url.Values) []byte {
	names := make([]string, 0, len(form))
	size := 0
	for name, values := range form {
		names = append(names, name)
		size += len(name) + len(values[0])
	}
	slices.Sort(names)
	out := make([]byte, 0, size)
	for _, name := range names {
		out = append(append(out, name...), form[name][0]...)
	}
	return out
}

// ValidSignature reports whether the signature over a request was made with one of the tokens: the
// auth token of the account (or the one before, during a rotation). Of the address, which is the
// absolute URL as Twilio asked for it, the fragment is not signed. It is tried with and without its
// port, because Twilio's own practice differs. Empty tokens never match.
//
// Its time is linear in the request's size, and does not say how much of a signature was right or
// which token matched.
func ValidSignature(tokens []string, address string, f Form, signature string) bool {
	if signature == "" || f.malformed || f.TooMany {
		return false
	}
	address, _, _ = strings.Cut(address, "#")
	variants := portVariants(address)
	valid := 0
	for _, token := range tokens {
		if token == "" {
			continue
		}
		mac := hmac.New(sha1.New, []byte(token))
		for _, variant := range variants {
			valid |= subtle.ConstantTimeCompare(signatureOf(mac, variant, f.signed), []byte(signature))
		}
	}
	return valid == 1 && f.bodyMatches()
}

// signatureOf is Twilio's signature over an address and the fields of a form, by a hash with the
// token.
func signatureOf(mac hash.Hash, address string, fields []byte) []byte {
	mac.Reset()
	_, _ = io.WriteString(mac, address) // a hash does not fail
	_, _ = mac.Write(fields)
	return base64.StdEncoding.AppendEncode(nil, mac.Sum(nil))
}

// bodyMatches reports whether a body that is no form is the one whose hash is in the signed
// address.
func (f Form) bodyMatches() bool {
	if f.bodyHash == "" {
		return true
	}
	sum := sha256.Sum256(f.body)
	return subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(f.bodyHash)) == 1
}

// portVariants is an address with its port (that of the scheme, where it has none) and without. An
// address that cannot be parsed has none, and so no valid signature.
func portVariants(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	port := u.Port()
	if port != "" {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
		return []string{address, u.String()}
	}
	if port = "80"; u.Scheme == "https" {
		port = "443"
	}
	u.Host += ":" + port
	return []string{u.String(), address}
}
