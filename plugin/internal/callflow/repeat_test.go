package callflow

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// before lists earlier calls, the newest first.
func before(now time.Time, ago ...time.Duration) []integration.RecentCall {
	var out []integration.RecentCall
	for i, d := range ago {
		out = append(out, integration.RecentCall{
			ID: fmt.Sprintf("CA%d", i), StartedAt: now.Add(-d), Ended: "hung_up", AlertURL: fmt.Sprintf("https://host.example.com/alerts/%d", i),
		})
	}
	return out
}

func TestAnAlertSaysThatItsCallerCalledBefore(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.facts.Instance.ProtocolMinor = 1
	c.recent = before(c.now, 4*time.Minute, 12*time.Minute)
	c.arrive()
	same(t, commands(c.all, integration.AlertCreate)[0].Draft.Title, "Incoming call from "+callerNum+" (third call in 12 minutes)")
	first := commands(c.all, integration.AlertLog)[0].Text
	if !strings.Contains(first, "https://host.example.com/alerts/0") {
		t.Errorf("the first line is %q, want a link to the last alert", first)
	}
	// The call before has no alert: the newest that has one is linked.
	c = newCall(t, config.Defaults())
	c.facts.Instance.ProtocolMinor = 1
	c.recent = before(c.now, 4*time.Minute, 12*time.Minute)
	c.recent[0].AlertURL = ""
	c.arrive()
	same(t, commands(c.all, integration.AlertLog)[0].Text,
		"This number called before, at 08:56 UTC. The alert of its call at 08:48 UTC: https://host.example.com/alerts/1")
	// Without earlier calls, and on a host that cannot say, the title is as ever.
	for _, minor := range []int{0, 1} {
		c = newCall(t, config.Defaults())
		c.facts.Instance.ProtocolMinor = minor
		if minor == 0 {
			c.recent = before(c.now, time.Minute)
		}
		c.arrive()
		same(t, commands(c.all, integration.AlertCreate)[0].Draft.Title, "Incoming call from "+callerNum)
	}
}

func TestANumberThatCallsTooOftenIsAskedForAMessage(t *testing.T) {
	t.Parallel()
	flood := func(conf config.Config, calls int) *testCall {
		c := newCall(t, conf)
		c.facts.Instance.ProtocolMinor = 1
		for range calls {
			c.recent = append(c.recent, integration.RecentCall{ID: "CA0", StartedAt: c.now.Add(-time.Minute)})
		}
		return c
	}
	conf := withVoicemail()
	c := flood(conf, 19) // the twentieth call is served
	c.arrive()
	c.phase(call.PhaseHolding)
	c = flood(conf, 20)
	record, ok := c.arrive().(reply.Record)
	if !ok || record.Say[1].Key != reply.PromptRateLimited {
		t.Fatalf("reply %#v, want polite words and a message", c.reply)
	}
	same(t, len(of[integration.AlertCommand](c.all)), 0)
	// A message makes an alert.
	leaveMessage(c)
	same(t, len(commands(c.all, integration.AlertCreate)), 1)
	same(t, len(commands(c.all, integration.AlertRoute)), 1)
	same(t, len(dials(c.all)), 0)
	// Without voicemail there are polite words alone.
	c = flood(config.Defaults(), 20)
	c.arrive()
	c.ended(call.EndToldGoodbye)
	same(t, c.state.Farewell, reply.PromptRateLimited)
	same(t, len(of[integration.AlertCommand](c.all)), 0)
	// Earlier calls do not count, nor does anything where the limit is off.
	c = newCall(t, conf)
	c.facts.Instance.ProtocolMinor = 1
	for range 40 {
		c.recent = append(c.recent, integration.RecentCall{ID: "CA0", StartedAt: c.now.Add(-11 * time.Minute)})
	}
	c.arrive()
	c.phase(call.PhaseHolding)
	conf.CallsPerNumber = 0
	c = flood(conf, 100)
	c.arrive()
	c.phase(call.PhaseHolding)
}
