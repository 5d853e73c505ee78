package callflow

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
)

func TestAHotlineDoesNotRingItsOwnNumber(t *testing.T) {
	t.Parallel()
	for name, phones := range map[string][]string{"alone": {calledNum}, "beside another": {calledNum, "+12025550177"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conf := config.Defaults()
			conf.Reach = config.ReachRing
			c := newCall(t, conf)
			c.users["alice"] = integration.User{ID: "alice", Name: "Alice Example", Phones: phones}
			c.onCall = map[int][]integration.User{1: {c.users["alice"]}}
			c.arrive()
			c.hold()
			c.alert(integration.AlertOpen, 1)
			for _, d := range of[effect.DialLeg](c.all) {
				if d.Phone == calledNum {
					t.Error("the hotline calls itself")
				}
			}
			same(t, len(of[effect.DialLeg](c.all)), len(phones)-1)
			c.logged("Alice Example's phone " + calledNum + " is this hotline's own number: it is not rung.")
			told := 0
			for _, f := range of[integration.Finding](c.all) {
				if f.Code == effect.FindingLoop && strings.Contains(f.Message, "Give Alice Example another phone.") {
					told++
				}
			}
			same(t, told, 1)
		})
	}
}

// An automation acknowledges whatever is opened, and each time it is taken back.
func TestWhatIsRememberedOfAcknowledgementsIsBounded(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.MaxWait = time.Hour
	c := newCall(t, conf).holding()
	for i := range 3 * maxAckIDs {
		c.wait(time.Second).ack(fmt.Sprint("a", i), "carol")
	}
	if n := len(c.state.Alert.SeenAcks); n == 0 || n > maxAckIDs {
		t.Errorf("%d acknowledgements are remembered, want %d at most", n, maxAckIDs)
	}
	newest := fmt.Sprint("a", 3*maxAckIDs-1)
	if !slices.Contains(c.state.Alert.SeenAcks, newest) {
		t.Errorf("the one in force is forgotten: %v", c.state.Alert.SeenAcks)
	}
	ids := []string{}
	inForce := []call.Ack{}
	for i := range 2 * maxAckIDs {
		inForce = append(inForce, call.Ack{ID: fmt.Sprint("b", i)})
		ids = remember(ids, inForce[i].ID, inForce)
	}
	same(t, len(ids), 2*maxAckIDs) // none that is in force is forgotten
}
