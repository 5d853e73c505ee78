package integrationtests

import (
	"bytes"
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/pace"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// moving is a hotline whose data moves to another place while a caller holds. The clock stands
// still meanwhile, as Twilio would ask the host that is gone.
type moving struct {
	*hotline
	dir     string // the data before
	message alert  // of an earlier call, with sound
	sound   []byte
	caller  *twiliosim.Call
	waits   alert // of the caller
	release func()
}

// aboutToMove starts a hotline, leaves a message and lets a caller hold. Then the clock stands
// still.
func aboutToMove(t *testing.T) *moving {
	t.Helper()
	leader := leaderFrom(time.Now(), pace.Fastest)
	m := &moving{dir: filepath.Join(t.TempDir(), "data")}
	m.hotline = start(t, voicemail, func(c *demo.Config) { c.DataDir, c.Env, c.Clock = m.dir, nil, leader.Followers() })
	before := m.onHold()
	before.Presses("*")
	m.leavesMessage(before)
	before.Hears(t, "thank")
	before.Ended(t)
	m.message = m.alert("with the message", func(a alert) bool { return len(a.Attachments) == 1 })
	_, m.sound = m.fetch(m.message.Attachments[0].URL, true)

	m.caller = m.onHold()
	m.waits = m.otherAlert(m.message.ID, "open")
	m.release = sync.OnceFunc(pacer.Hold(leader))
	t.Cleanup(m.release)
	return m
}

// answers starts switchboard in the new place and has the caller answered, with the API's secret.
func (m *moving) answers(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := m.StartSwitchboard(ctx); err != nil {
		t.Fatal(err)
	}
	m.release()

	m.acknowledge(m.waits.ID, "alice") // Twilio is told to call her
	leg := m.takes(alice)
	if other := m.caller.ConnectedTo(t, alice); other != leg {
		t.Error("connected to another leg")
	}
	m.converses(m.caller)
	m.caller.HangsUp()
	m.caller.Ended(t)
	m.over(m.caller, "connected")
}

// hasMessage checks that the message of before is there as it was.
func (m *moving) hasMessage(t *testing.T) {
	t.Helper()
	if status, again := m.fetch(m.message.Attachments[0].URL, true); status != 200 || len(m.sound) < 1000 || !bytes.Equal(again, m.sound) {
		t.Errorf("the message of before: status %d, %d bytes, %d before", status, len(again), len(m.sound))
	}
}
