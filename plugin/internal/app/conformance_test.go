package app

import (
	"net/url"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/integration/integrationtest"
	"github.com/livecallrouting/livecall/host-sdk/transport"
)

// conformance is what the suite needs to know of this integration; signed or not, a call begins a
// session.
func conformance(h *host, fresh func(t testing.TB) integration.Integration) integrationtest.Config {
	form := url.Values{"CallSid": {callSID}, "AccountSid": {accountSID}, "From": {callerNum}, "To": {calledNum}, "CallStatus": {"ringing"}, "Direction": {"inbound"}}
	req := h.request(endpointURL, form)
	req.Header["Content-Type"] = []string{"application/x-www-form-urlencoded; charset=UTF-8"}
	req.Facts = h.facts(callSID)
	return integrationtest.Config{New: fresh, Options: h.inst.Options, Webhook: req, Answer: h.answer}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, doc := range []map[string]any{
		{"voicemail": true, "voicemail_emails": []string{"ops@example.com"}},
		{"auth_token": "", "force_input": true},
	} {
		h := newHost(t, doc)
		t.Run("direct", func(t *testing.T) {
			integrationtest.TestIntegration(t, conformance(h, func(testing.TB) integration.Integration { return h.app }))
		})
		t.Run("over the wire", func(t *testing.T) {
			integrationtest.TestIntegration(t, conformance(h, func(t testing.TB) integration.Integration {
				conn, closeBoth, err := transport.DialInProcess(h.app)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(closeBoth)
				return conn
			}))
		})
		if asked := strings.Join(h.twilio.asked, " "); strings.Contains(asked, "POST") {
			t.Errorf("something was done at Twilio: %s", asked)
		}
	}
}
