package twilio

import (
	"net/url"
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

// A connection of less than a second is said to have lasted 0 seconds, which is not the same as an
// unknown length: it was no conversation.
func TestAConnectionOfLessThanASecondHasALength(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]time.Duration{"0": time.Second, "": 0, "4": 4 * time.Second, "-1": 0} {
		if got := ParseWebhook(url.Values{"DialCallDuration": {said}}).DialCallDuration; got != want {
			t.Errorf("%q: %s, want %s", said, got, want)
		}
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
