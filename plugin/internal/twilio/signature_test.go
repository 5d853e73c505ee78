package twilio

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/url"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twilio/twilio-go/client"
)

// sign is a second implementation, written from the documentation.
func sign(token, address string, form url.Values) string {
	data := address
	var names []string
	for n := range form {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		data += n + form.Get(n)
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(data))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestPT04Signature(t *testing.T) {
	t.Parallel()
	const address = "https://mycompany.com/myapp.php?foo=1&bar=2"
	form := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"}}
	body := []byte(form.Encode())
	const vector = "RSOYDt4T1cUTdK1PDd93/VVr8B8=" // documented example
	if got := sign("12345", address, form); got != vector {
		t.Fatalf("our own signer is wrong: %s", got)
	}
	withPort := "https://calls.example.com:8443/i/7?x=1"
	tests := map[string]struct {
		tokens           []string
		method, url, sig string
		body             []byte
		want             bool
	}{
		"documented":            {[]string{"12345"}, "POST", address, vector, body, true},
		"fragment is unsigned":  {[]string{"12345"}, "POST", address + "#rc=3&rp=ct,5xx", vector, body, true},
		"second token":          {[]string{"other", "12345"}, "POST", address, vector, body, true},
		"wrong token":           {[]string{"other"}, "POST", address, vector, body, false},
		"no token":              {nil, "POST", address, vector, body, false},
		"empty token":           {[]string{""}, "POST", address, sign("", address, form), body, false},
		"no signature":          {[]string{"12345"}, "POST", address, "", body, false},
		"other url":             {[]string{"12345"}, "POST", address + "3", vector, body, false},
		"other body":            {[]string{"12345"}, "POST", address, vector, []byte("Digits=9"), false},
		"GET signs the address": {[]string{"12345"}, "GET", address, sign("12345", address, nil), []byte("ignored=1"), true},
		"signed without port":   {[]string{"12345"}, "POST", withPort, sign("12345", "https://calls.example.com/i/7?x=1", form), body, true},
		"signed with port":      {[]string{"12345"}, "POST", withPort, sign("12345", withPort, form), body, true},
		"default port":          {[]string{"12345"}, "POST", address, sign("12345", "https://mycompany.com:443/myapp.php?foo=1&bar=2", form), body, true},
		"bad body":              {[]string{"12345"}, "POST", address, vector, []byte("%zz=1"), false},
	}
	for name, tt := range tests {
		if got := ValidSignature(tt.tokens, tt.url, ParseForm(tt.method, tt.url, tt.body), tt.sig); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestParseForm(t *testing.T) {
	t.Parallel()
	const address = "https://calls.example.com/i/7?s=3&Digits=9"
	for name, tt := range map[string]struct {
		method, body string
		want         url.Values
	}{
		"the body comes first": {"POST", "Digits=1&Digits=2", url.Values{"s": {"3"}, "Digits": {"1", "2", "9"}}},
		"GET has no body":      {"GET", "Digits=1", url.Values{"s": {"3"}, "Digits": {"9"}}},
		"malformed body":       {"POST", "Digits=1&%zz", url.Values{"s": {"3"}, "Digits": {"9"}}},
	} {
		if diff := cmp.Diff(tt.want, ParseForm(tt.method, address, []byte(tt.body)).Values); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// jsonVector is the documented example of a body that is no form: token, address, body, signature.
const (
	jsonAddress   = "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
	jsonBody      = `{"property": "value", "boolean": true}`
	jsonSignature = "a9nBmqA0ju/hNViExpshrM61xv4="
)

func TestASignedAddressVouchesForABodyByItsHash(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		address, body, signature string
		want                     bool
	}{
		"documented":              {jsonAddress, jsonBody, jsonSignature, true},
		"another body":            {jsonAddress, jsonBody + " ", jsonSignature, false},
		"no body":                 {jsonAddress, "", jsonSignature, false},
		"a form in its place":     {jsonAddress, "Digits=1", sign("12345", jsonAddress, url.Values{"Digits": {"1"}}), false},
		"the hash in the body":    {"https://mycompany.com/", "bodySHA256=ff&a=1", sign("12345", "https://mycompany.com/", nil), false},
		"the hash as a field":     {"https://mycompany.com/", "bodySHA256=ff&a=1", sign("12345", "https://mycompany.com/", url.Values{"bodySHA256": {"ff"}, "a": {"1"}}), true},
		"an empty hash is a form": {"https://mycompany.com/?bodySHA256=", "a=1", sign("12345", "https://mycompany.com/?bodySHA256=", url.Values{"a": {"1"}}), true},
	} {
		if got := ValidSignature([]string{"12345"}, tt.address, ParseForm("POST", tt.address, []byte(tt.body)), tt.signature); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAPortIsTakenOffAnIPv6Address(t *testing.T) {
	t.Parallel()
	const with, without = "http://[::1]:8080/i/7?x=1", "http://[::1]/i/7?x=1"
	for _, signed := range []string{with, without} {
		if !ValidSignature([]string{"tok"}, with, ParseForm("POST", with, nil), sign("tok", signed, nil)) {
			t.Errorf("the signature over %s is refused", signed)
		}
	}
}

// manyFields is a form of n fields, each different.
func manyFields(n int) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "&f%x=1", i)
	}
	return []byte(strings.TrimPrefix(b.String(), "&"))
}

func TestMoreFieldsThanTwilioSendsAreRefusedUnread(t *testing.T) {
	t.Parallel()
	const address = "https://calls.example.com/i/7"
	for name, tt := range map[string]struct {
		address string
		body    []byte
		want    bool
	}{
		"as many as allowed":        {address, manyFields(MaxFields), true},
		"one more":                  {address, manyFields(MaxFields + 1), false},
		"some of them in the query": {address + "?" + string(manyFields(2)), manyFields(MaxFields - 1), false},
		"one field repeated":        {address, []byte(strings.Repeat("a=1&", MaxFields) + "a=1"), false},
		"nothing but separators":    {address, []byte(strings.Repeat("&", 60_000)), false},
	} {
		f := ParseForm("POST", tt.address, tt.body)
		form, _ := url.ParseQuery(string(tt.body)) // the standard library has a limit of its own
		if got := ValidSignature([]string{"tok"}, tt.address, f, sign("tok", tt.address, form)); got != tt.want || f.TooMany == tt.want {
			t.Errorf("%s: valid %v, too many %v", name, got, f.TooMany)
		}
		if f.TooMany && len(f.Values) > 0 {
			t.Errorf("%s: %d fields were parsed", name, len(f.Values))
		}
	}
}

// FuzzFields holds our reading of a form against the standard library's.
func FuzzFields(f *testing.F) {
	for _, form := range []string{"", "a=1&b=%41+x&a=2&c", "&&=&a=%zz&b=1", "a=1;b=2&c=3", "%3D=%26&\xff=\xe9"} {
		f.Add(form)
	}
	f.Fuzz(func(t *testing.T, form string) {
		got := newFields(countFields([]byte(form)))
		err := got.parse(form)
		want, wantErr := url.ParseQuery(form)
		if diff := cmp.Diff(want, got.values); diff != "" || (err == nil) != (wantErr == nil) {
			t.Errorf("errors: ours %v, the library's %v; values (-want +got):\n%s", err, wantErr, diff)
		}
	})
}

// FuzzValidSignature holds our validator against twilio-go's, on signatures made over the address
// as it is, with a port, without one, and over something else.
func FuzzValidSignature(f *testing.F) {
	f.Add(true, "https://mycompany.com/myapp.php?foo=1&bar=2", []byte("CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309"), "12345", "mycompany.com:443")
	f.Add(true, jsonAddress, []byte(jsonBody), "12345", "")
	f.Add(true, "http://calls.example.com:8080/i/7?x=1#rc=3", []byte("a=1&a=2&A=3&b=&c"), "tok", "calls.example.com")
	f.Add(false, "https://user:secret@calls.example.com:8443/i/7?x=%41+b", []byte("a=1"), "tok", "calls.example.com")
	f.Add(true, "https://calls.example.com:/i/7;v=1?a;b=2", []byte("%zz=1"), "tok", "calls.example.com::443")
	f.Add(true, "http://calls.example.com:80", []byte("a=1;b=2"), "t\x00k", "calls.example.com")
	f.Add(true, "#%", []byte("0"), "tok", "calls.example.com")
	f.Add(true, "//calls.example.com/ ü?bodySHA256=&x", []byte("a=%ff"), "tok", "calls.example.com:80")
	f.Fuzz(func(t *testing.T, post bool, address string, body []byte, token, host string) {
		signed, _, _ := strings.Cut(address, "#")
		u, err := url.Parse(signed)
		if token == "" || err == nil && (strings.Contains(u.Host, "[") || strings.Count(u.Host, ":") > 1) {
			t.Skip("twilio-go signs with an empty token, and loses the address of an IPv6 host")
		}
		method := "GET"
		if post {
			method = "POST"
		} else {
			body = nil
		}
		form := ParseForm(method, address, body)
		if form.TooMany {
			t.Skip("twilio-go has no limit")
		}
		fields, err := url.ParseQuery(string(body))
		if err != nil || form.bodyHash != "" {
			fields = nil
		}
		candidates := []string{"", "nonsense", sign(token, signed, fields), sign(token, signed, nil), sign(token+"x", signed, fields)}
		if u != nil {
			u.Host = host
			candidates = append(candidates, sign(token, u.String(), fields))
		}
		v := client.NewRequestValidator(token)
		for i, signature := range candidates {
			want := v.ValidateBody(signed, body, signature)
			if got := ValidSignature([]string{"another", "", token}, address, form, signature); got != want {
				t.Errorf("signature %d over %q with body %q: ours %v, twilio-go's %v", i, address, body, got, want)
			}
		}
	})
}

// BenchmarkSignature compares our validator with twilio-go's on one token and a wrong signature.
// Ours refuses the large form unread.
func BenchmarkSignature(b *testing.B) {
	const address = "https://calls.example.com/i/7?v=1&s=1&n=3&t=AAAAAAAAAAAAAAAAAAAAAA"
	for _, fields := range []int{20, 9286} {
		body := manyFields(fields)
		b.Run(fmt.Sprintf("ours/%d", fields), func(b *testing.B) {
			for b.Loop() {
				ValidSignature([]string{"tok"}, address, ParseForm("POST", address, body), "nonsense")
			}
		})
		b.Run(fmt.Sprintf("twilio-go/%d", fields), func(b *testing.B) {
			for b.Loop() {
				v := client.NewRequestValidator("tok")
				v.ValidateBody(address, body, "nonsense")
			}
		})
	}
}
