package twilio

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseWebhook(t *testing.T) {
	t.Parallel()
	f, err := url.ParseQuery("CallSid=" + callA + "&AccountSid=" + acct + "&From=%2B12025550143&To=%2B12025550100&CallStatus=in-progress&Digits=&QueueSid=" + queueA +
		"&QueueTime=17&QueueResult=leave&DequeingCallSid=" + callB + "&DialBridged=True&DialCallDuration=5&RecordingSid=" + recA + "&RecordingDuration=9&SequenceNumber=2" +
		"&CallerCity=WASHINGTON&CallerZip=20001&FromCity=&Unknown=1&CallDuration=-4&SipResponseCode=486&StirVerstat=TN-Validation-Passed-A" +
		"&ErrorCode=11200&ErrorUrl=https%3A%2F%2Fx.example.com%2Fa.mp3")
	if err != nil {
		t.Fatal(err)
	}
	got := ParseWebhook(f)
	want := Webhook{
		CallSID: callA, AccountSID: acct, From: "+12025550143", To: "+12025550100", CallStatus: "in-progress",
		QueueSID: queueA, QueueResult: "leave", QueueTime: 17 * time.Second, DequeuingCallSID: callB, DialBridged: "true",
		DialCallDuration: 5 * time.Second, RecordingSID: recA, RecordingDuration: 9 * time.Second, FromCity: "WASHINGTON", FromZip: "20001",
		StirVerstat: "TN-Validation-Passed-A", SIPResponseCode: "486", ErrorCode: "11200", ErrorURL: "https://x.example.com/a.mp3",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAddressesAreKeptAsTheyCame(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"+12025550143":          "+12025550143",
		" 12025550143":          "+12025550143", // a plus sign that was not encoded
		"12025550143":           "12025550143",
		" anonymous ":           "anonymous",
		"sip:alice@example.com": "sip:alice@example.com",
		"+1202\x00555\n0143":    "+1202555 0143", // read as a number later
	} {
		if got := address(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

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

func FuzzParseWebhook(f *testing.F) {
	f.Add("CallSid=" + callA + "&From=anonymous&Digits=%23")
	f.Add("SequenceNumber=99999999999999999999&QueueTime=-1&Digits=\xff")
	f.Fuzz(func(t *testing.T, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			form = url.Values{"From": {body}, "Digits": {body}, "CallSid": {body}, "QueueTime": {body}, "TranscriptionText": {body}}
		}
		w := ParseWebhook(form)
		if w.CallSID != "" && !IsSID(SIDCall, w.CallSID) {
			t.Errorf("call sid %q", w.CallSID)
		}
		for _, s := range []string{w.From, w.Digits, w.FromCity, w.TranscriptionText, w.CallStatus} {
			if strings.ToValidUTF8(s, "") != s || strings.ContainsAny(s, "\x00\r\n") {
				t.Errorf("unclean %q", s)
			}
		}
		if w.CallDuration < 0 {
			t.Error("negative time")
		}
	})
}
