package callflow

import (
	"fmt"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

func menuCall(t *testing.T, conf config.Config, teams int) *testCall {
	t.Helper()
	c := newCall(t, conf)
	c.facts.Destinations = nil
	for i := range teams {
		c.facts.Destinations = append(c.facts.Destinations, integration.Destination{ID: fmt.Sprintf("t%02d", i+1), Name: fmt.Sprintf("Team %02d", i+1)})
	}
	c.arrive()
	return c
}

func TestPT27to31_MenuText(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.facts.Destinations = []integration.Destination{devops, support}
	r, ok := c.arrive().(reply.Menu)
	if !ok {
		t.Fatalf("reply = %T, want reply.Menu", c.reply)
	}
	same(t, r.Intro, say(reply.PromptWelcome)) // inside the gathering: a key counts already
	same(t, r.Items, []reply.Prompt{{Key: reply.PromptPress, Digit: 1, Team: "Customer Support"}, {Key: reply.PromptPress, Digit: 2, Team: "DevOps"}})
	same(t, r.Digits, 1)
}

func TestPT29_OneTeamNoMenu(t *testing.T) {
	t.Parallel()
	c := menuCall(t, config.Defaults(), 1)
	c.phase(call.PhaseHolding)
}

func TestPT30_OneTeamForced(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.ForceInput = true
	c := menuCall(t, conf, 1)
	c.phase(call.PhaseChoosing)
	c.keys("1")
	c.phase(call.PhaseHolding)
}

func TestPT32_TwoDigitsFromTenTeams(t *testing.T) {
	t.Parallel()
	for teams, want := range map[int]int{9: 1, 10: 2, 99: 2, 120: 2} {
		c := menuCall(t, config.Defaults(), teams)
		r, _ := c.reply.(reply.Menu)
		same(t, r.Digits, want)
		if len(c.state.Teams) > 99 {
			t.Fatalf("%d teams offered", len(c.state.Teams))
		}
	}
}

func TestPT33_KeyChoosesTeam(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		teams int
		keys  string
		want  string
	}{{2, "1", "t01"}, {2, "2", "t02"}, {12, "2", "t02"}, {12, "12", "t12"}, {99, "99", "t99"}} {
		c := menuCall(t, config.Defaults(), tc.teams)
		c.keys(tc.keys)
		c.phase(call.PhaseHolding)
		same(t, c.state.Team.ID, tc.want)
		same(t, commands(c.all, integration.AlertRoute)[0].Teams, []string{tc.want})
	}
}

func TestPT34to35_ZeroStarHashAreInvalid(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		teams int
		keys  string
	}{{2, "0"}, {2, "*"}, {2, "#"}, {2, ""}, {2, "3"}, {2, "11"}, {2, "01"}, {12, "01"}, {12, "13"}, {12, "1*"}, {12, "0"}, {12, "123"}, {2, "１"}, {2, "-1"}, {2, "+1"}} {
		c := menuCall(t, config.Defaults(), tc.teams)
		c.keys(tc.keys)
		c.phase(call.PhaseChoosing)
		same(t, c.state.MenuTries, 1)
		r, _ := c.reply.(reply.Menu)
		if len(r.Items) == 0 {
			t.Fatalf("%q: no menu", tc.keys)
		}
	}
}

func TestPT36to37_ThreeRoundsThenFallback(t *testing.T) {
	t.Parallel()
	t.Run("goodbye", func(t *testing.T) {
		t.Parallel()
		c := menuCall(t, config.Defaults(), 2)
		c.keys("")
		c.keys("7")
		same(t, c.keys(""), reply.Reply(reply.Hangup{Say: say(reply.PromptTooManyTries, reply.PromptGoodbye)}))
		c.ended(call.EndToldGoodbye)
		same(t, len(commands(c.all, integration.AlertResolve)), 1)
	})
	t.Run("voicemail, and the message belongs to all teams", func(t *testing.T) {
		t.Parallel()
		c := menuCall(t, withVoicemail(), 2)
		c.keys("")
		c.keys("")
		r, _ := c.keys("").(reply.Record)
		same(t, r.Say, say(reply.PromptTooManyTries, reply.PromptGreeting))
		leaveMessage(c)
		same(t, commands(c.all, integration.AlertRoute)[0].Teams, []string{"t01", "t02"})
		same(t, of[effect.Mail](c.all)[0].Teams, []string{"t01", "t02"})
	})
	t.Run("first team", func(t *testing.T) {
		t.Parallel()
		conf := config.Defaults()
		conf.MenuFallback = config.FallbackFirstTeam
		c := menuCall(t, conf, 2)
		c.keys("")
		c.keys("")
		c.keys("")
		c.phase(call.PhaseHolding)
		same(t, c.state.Team.ID, "t01")
	})
}

func TestPT42_DoubledKeysAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	c := menuCall(t, config.Defaults(), 2)
	step := c.state.Step
	first := c.keys("1")
	commandsBefore := c.state.Alert.Commands
	same(t, c.do(event.Event{Kind: event.MenuKeys, Digits: "1", Step: step}), first)
	same(t, c.state.Alert.Commands, commandsBefore)
	same(t, c.do(event.Event{Kind: event.MenuKeys, Digits: "2", Step: step}), first)
	same(t, c.state.Team.ID, "t01")

	c = menuCall(t, config.Defaults(), 2)
	step = c.state.Step
	c.keys("")
	c.do(event.Event{Kind: event.MenuKeys, Step: step})
	same(t, c.state.MenuTries, 1)
}
