package embedded_test

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const shiftsFile = `
users:
  - {id: alice, name: Alice Example, email: alice@example.com, phones: ["+12025550143"]}
  - {id: bob, name: Bob Example, email: bob@example.com, phones: ["+12025550144"]}
  - {id: carol, name: Carol Example, email: carol@example.com, phones: ["+12025550145"]}
teams:
  - id: devops
    name: DevOps
    schedule:
      timezone: America/New_York
      layers: [{users: [alice]}, {users: [carol]}]
      overrides: [{layer: 1, from: "2026-01-07T11:00", to: "2026-01-07T11:50", users: [bob]}]
    escalation: {layers: [{timeout: 5m}, {timeout: 10m}]}
`

// A machine's clock showed 12:00 and is set right: it is 11:30.
func TestAClockThatIsSetBackChangesTheShiftAtOnceAndNoTimeOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, shiftsFile)
	onCall := func(want string) {
		t.Helper()
		got, err := w.OnCall(t.Context(), scope, "devops", 1, time.Time{})
		if err != nil || len(got) != 1 || got[0].User.ID != want {
			t.Errorf("on call: %+v, %v; want %s", got, err, want)
		}
	}
	w.open("devops")
	onCall("alice")
	w.clock.Set(-30 * time.Minute)
	onCall("bob")
	w.clock.Advance(5 * time.Minute)
	w.lines(3)
	w.do(integration.AlertCommand{AlertKey: "CA2", Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Call"}})
	w.do(integration.AlertCommand{AlertKey: "CA2", Kind: integration.AlertRoute, Teams: []string{"devops"}})
	w.wantStory(
		"0s Created",
		"0s Routed to DevOps; waiting for layer 1: Alice Example (gets no mail or notification)",
		"5m0s Nobody in layer 1 acknowledged it within 5 minutes; waiting for layer 2: Carol Example (gets no mail or notification)",
	)
	second, err := w.Alert(t.Context(), scope, "CA2")
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.GetAlert(t.Context(), second.ID)
	if err != nil || r.Log[len(r.Log)-1].Message != "Routed to DevOps; waiting for layer 1: Bob Example (gets no mail or notification)" {
		t.Errorf("the next alert: %+v, %v", r.Log, err)
	}
}
