package goalert_test

import (
	"os"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform/platformtest"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

// Against the stand-in the suite runs once for each version: with each capability taken away as
// well, it takes minutes.
func TestConformance(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]goalertsim.Version{"v0.34.1": goalertsim.V0341, "HEAD": goalertsim.Head} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, version)
			alice, bob := w.Person("Alice Example", ""), w.Person("Bob Example", "")
			requests, suites := 0, 0
			platformtest.Test(t, platformtest.Config{HintWithin: 30 * time.Second, OnceOnly: os.Getenv("GOALERT_URL") == "", New: func(t *testing.T) platformtest.Fixture {
				team := w.service(0, []admin.Dest{admin.User(alice.ID)}, []admin.Dest{admin.User(alice.ID), admin.User(bob.ID)})
				other := w.service(0, []admin.Dest{admin.User(bob.ID)})
				idle := w.service(0, []admin.Dest{admin.Webhook("http://127.0.0.1:9/nobody")})
				h := w.platform(t, team, other, idle)
				w.Await("people on call", func() bool {
					all, err := h.OnCall(t.Context(), h.scope, team.ID, 0, time.Now())
					rest, err2 := h.OnCall(t.Context(), h.scope, other.ID, 0, time.Now())
					return err == nil && err2 == nil && len(all) == 3 && len(rest) == 1
				})
				before := h.sent("")
				t.Cleanup(func() { requests, suites = requests+h.sent("")-before, suites+1 })
				return platformtest.Fixture{Platform: h, Scope: h.scope, Team: team.ID, OtherTeam: other.ID, IdleTeam: idle.ID, Users: [2]string{alice.ID, bob.ID}}
			}})
			t.Logf("%d requests in %d tests of the suite", requests, suites)
		})
	}
}
