package integrationtests

import (
	"net/http"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// TestDoctorAsksTwilioOfEachIntegration runs doctor beside a hotline: the integration's plugin asks
// the account itself, and doctor repeats its sentences with what is to be done.
func TestDoctorAsksTwilioOfEachIntegration(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	says := func(want ...string) {
		t.Helper()
		out, _ := h.switchboard("doctor") // its status: there is no switchboard file here
		for _, line := range want {
			level, text, _ := strings.Cut(line, " ")
			if !strings.Contains(out, level+" integration Sample hotline ("+h.ID+"): "+text) {
				t.Errorf("doctor does not say %q:\n%s", line, out)
			}
		}
	}
	says("ok: Twilio accepts the API key in region US1", "ok: The Auth Token is the account's.", "warning: +1 202-555-0100 is connected, but has no fallback address",
		"note: No signed request has come", "ok: DevOps: everybody who is on call now has a phone.")
	if _, err := h.Sim.AddFault(twiliosim.Fault{On: twiliosim.OnREST, Do: twiliosim.FaultStatus, Status: http.StatusUnauthorized, Count: -1}); err != nil {
		t.Fatal(err)
	}
	says("error: Twilio refuses the API key")
}
