package rehearsal

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
)

// rehearse answers what a rehearsal asks, and says how many rounds that took.
func rehearse(t failer, c config.Config, f integration.Facts, digits string, onCall map[int][]integration.User, routes map[string]integration.RouteVerdict) (Result, int) {
	t.Helper()
	for round := 0; ; round++ {
		f.Now = start
		r, needs := Run(c, f, call.Caller{Number: callerNum, Called: calledNum}, nil, digits)
		if len(needs) == 0 {
			return r, round
		}
		if round == 6 {
			t.Fatalf("still asking: %v", needs)
		}
		for _, n := range needs {
			a := integration.Answer{ID: n.ID}
			switch n.Kind {
			case integration.AskOnCall:
				if n.Layer != 0 {
					t.Fatalf("a question for one layer: %v", n)
				}
				for l := 1; l < 20; l++ {
					for _, u := range onCall[l] {
						a.OnCall = append(a.OnCall, integration.OnCallEntry{Layer: l, User: u})
					}
				}
				if onCall == nil {
					a.Err = integration.Errorf(integration.KindUnavailable, "out of order")
				}
			case integration.AskRecentCalls:
				t.Fatalf("a rehearsal asks for earlier calls")
			case integration.AskRoute:
				if r, ok := routes[n.Router]; ok {
					a.Route = &r
				} else {
					a.Err = integration.Errorf(integration.KindUnavailable, "out of order")
				}
			case integration.AskUser:
				t.Fatalf("a user is asked for by itself: %v", n)
			}
			f.Answers = append(f.Answers, a)
		}
	}
}

// outline is a rehearsal on one line.
func outline(r Result) string {
	var b strings.Builder
	if r.Menu != nil {
		fmt.Fprintf(&b, "menu of %d; ", len(r.Menu.Items))
	}
	if r.NoChoice {
		b.WriteString("no choice; ")
	}
	if r.Team != nil {
		fmt.Fprintf(&b, "%s by %s; ", r.Team.ID, r.Reach)
	}
	for _, l := range r.Layers {
		fmt.Fprintf(&b, "%d:", l.Layer)
		for _, p := range l.People {
			fmt.Fprintf(&b, " %s", p.User.ID)
			for _, n := range p.Phones {
				fmt.Fprintf(&b, " %s", n[len(n)-2:])
			}
			if len(p.Phones) > 0 {
				fmt.Fprintf(&b, " after %s", p.After)
			}
			if p.Log != "" {
				fmt.Fprintf(&b, " (%s)", p.Log)
			}
		}
		b.WriteString("; ")
	}
	if r.Unknown {
		b.WriteString("unknown; ")
	}
	fmt.Fprintf(&b, "%s %T", r.Exit, r.Farewell)
	return b.String()
}

func TestRehearse(t *testing.T) {
	t.Parallel()
	carol := integration.User{ID: "carol", Name: "Carol Example", Phones: []string{"+12025550145", "+12025550146"}, OccupiedBy: "CA2"}
	dave := integration.User{ID: "dave", Name: "Dave Example"}
	people := map[int][]integration.User{1: {alice, dave}, 3: {carol}}
	teams := []integration.Destination{devops, support}
	for name, tc := range map[string]struct {
		config func(*config.Config)
		facts  func(*integration.Facts)
		digits string
		onCall map[int][]integration.User
		want   string
		notes  string
	}{
		"acknowledge": {nil, nil, "", people, "devops by acknowledge; 1: alice 43 after 1s dave (Dave Example has no phone on file.); 2:; 3: carol 45 46 after 0s; dropped reply.Hangup", ""},
		"ring": {func(c *config.Config) { c.Reach = config.ReachRing; c.Voicemail = true }, nil, "", people,
			"devops by ring; 1: alice 43 after 0s dave (Dave Example has no phone on file.); 2:; 3: carol 45 46 after 0s; max_wait reply.Record", ""},
		"both, by itself": {nil, func(f *integration.Facts) { f.Instance.Capabilities.PagesByItself = false }, "", map[int][]integration.User{1: {bob}},
			"devops by both; 1: bob 44 after 0s; max_wait reply.Hangup", ""},
		"a platform that escalates by itself alone": {func(c *config.Config) { c.Reach = config.ReachRing }, func(f *integration.Facts) {
			f.Instance.Capabilities.Escalate, f.Instance.Capabilities.Reopen = false, false
		}, "",
			map[int][]integration.User{1: {dave}, 2: {alice, bob}}, "devops by ring; 1: dave (Dave Example has no phone on file.); 2: alice 43 after 0s bob 44 after 0s; max_wait reply.Hangup", ""},
		"acknowledged by nobody knows whom": {nil, func(f *integration.Facts) { f.Instance.Capabilities.AcknowledgedByUser = false }, "", map[int][]integration.User{1: {alice, bob}},
			"devops by acknowledge; 1: alice 43 after 1s bob 44 after 1s; dropped reply.Hangup", ""},
		"nobody on call": {nil, nil, "", map[int][]integration.User{}, "devops by acknowledge; dropped reply.Hangup", ""},
		"nobody can say": {nil, nil, "", nil, "devops by acknowledge; unknown; max_wait reply.Hangup", ""},
		"menu":           {nil, func(f *integration.Facts) { f.Destinations = teams }, "", people, "menu of 2;  <nil>", ""},
		"menu, forced":   {func(c *config.Config) { c.ForceInput = true }, nil, "1", map[int][]integration.User{1: {bob}}, "menu of 1; devops by acknowledge; 1: bob 44 after 1s; dropped reply.Hangup", "The caller chose DevOps."},
		"menu and key":   {nil, func(f *integration.Facts) { f.Destinations = teams }, "1", map[int][]integration.User{1: {bob}}, "menu of 2; support by acknowledge; 1: bob 44 after 1s; dropped reply.Hangup", "The caller chose Customer Support."},
		"PT35 no such":   {nil, func(f *integration.Facts) { f.Destinations = teams }, "0", people, "menu of 2; no choice;  <nil>", ""},
		"straight":       {func(c *config.Config) { c.Voicemail, c.StraightToVoicemail = true, true }, nil, "", people, "devops by acknowledge; straight reply.Record", ""},
		"PT05 disabled":  {nil, func(f *integration.Facts) { f.Instance.State = integration.HostDisabled }, "", people, " reply.Hangup", ""},
		"PT25 no team":   {nil, func(f *integration.Facts) { f.Destinations = nil }, "", people, "no_team reply.Hangup", "The caller was told goodbye."},
		"PT18 by routers": {nil, func(f *integration.Facts) {
			f.Destinations = []integration.Destination{{Kind: integration.DestinationRouter, ID: "r1"}}
		}, "2", map[int][]integration.User{1: {bob}}, "menu of 2; devops by acknowledge; 1: bob 44 after 1s; dropped reply.Hangup", "rule 1 is odd; The caller chose DevOps."},
		"a router that cannot be asked": {nil, func(f *integration.Facts) {
			f.Destinations = []integration.Destination{devops, {Kind: integration.DestinationRouter, ID: "r9"}}
		}, "", map[int][]integration.User{1: {bob}},
			"devops by acknowledge; 1: bob 44 after 1s; dropped reply.Hangup", "The router r9 could not be asked."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, f := config.Defaults(), integration.Facts{Instance: integration.Instance{Capabilities: fullCapabilities, State: integration.HostActive}, Destinations: []integration.Destination{devops}}
			if tc.config != nil {
				tc.config(&c)
			}
			if tc.facts != nil {
				tc.facts(&f)
			}
			routes := map[string]integration.RouteVerdict{"r1": {Receivers: []integration.Destination{{Kind: integration.DestinationRouter, ID: "r2"}, devops}, Notes: []string{"rule 1 is odd"}}, "r2": {Default: []integration.Destination{support}}}
			r, _ := rehearse(t, c, f, tc.digits, tc.onCall, routes)
			same(t, outline(r), tc.want)
			same(t, strings.Join(r.Notes, "; "), tc.notes)
		})
	}
}

// TestRehearsalIsTheCall holds a rehearsal against a call in which nobody answers: the same phones
// in the same order, the same end.
func TestRehearsalIsTheCall(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		conf := config.Defaults()
		conf.Reach = rapid.SampledFrom([]config.Reach{config.ReachRing, config.ReachBoth}).Draw(t, "reach")
		conf.Voicemail = rapid.Bool().Draw(t, "voicemail")
		conf.ForceInput = rapid.Bool().Draw(t, "force")
		c := newCall(t, conf)
		layers := rapid.IntRange(0, 4).Draw(t, "layers")
		who := 0
		for l := 1; l <= layers; l++ {
			// A layer without anybody is the platform's to skip.
			for range rapid.IntRange(1, 2).Draw(t, "people") {
				u := integration.User{ID: fmt.Sprint("u", who), Name: "Somebody Example"}
				for p := range rapid.IntRange(0, 2).Draw(t, "phones") {
					u.Phones = append(u.Phones, fmt.Sprintf("+120255501%d%d", who, p))
				}
				c.onCall[l] = append(c.onCall[l], u)
				who++
			}
		}
		digits := ""
		if conf.ForceInput {
			digits = "1"
		}
		r, rounds := rehearse(t, conf, c.facts, digits, c.onCall, nil)
		same(t, rounds, 1)

		end := c.play(digits)
		rehearsed := map[string][]string{}
		for _, l := range r.Layers {
			for _, p := range l.People {
				if len(p.Phones) > 0 {
					rehearsed[p.User.ID] = p.Phones
				}
			}
		}
		same(t, rehearsed, c.rung)
		same(t, fmt.Sprintf("%T", r.Farewell), fmt.Sprintf("%T", end))
		same(t, r.Exit, c.state.Exit)
	})
}

func TestRehearsalKeepsDialPause(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.DialPause = 7 * time.Second
	r, _ := rehearse(t, conf, integration.Facts{Instance: integration.Instance{Capabilities: fullCapabilities}, Destinations: []integration.Destination{devops}}, "", map[int][]integration.User{1: {alice}}, nil)
	same(t, r.Layers[0].People[0].After, 7*time.Second)
	same(t, r.Reaches(), true)
}

func TestRehearsalOfABannedCaller(t *testing.T) {
	t.Parallel()
	f := integration.Facts{Now: start, Instance: integration.Instance{Capabilities: fullCapabilities, State: integration.HostActive}, Destinations: []integration.Destination{devops}}
	r, questions := Run(config.Defaults(), f, call.Caller{Number: callerNum, Called: calledNum, Banned: true}, nil, "")
	same(t, len(questions), 0)
	same(t, outline(r), " reply.Reject")
}

func TestOneRoundEndsWhenPeopleOfTwoLayersWereTried(t *testing.T) {
	t.Parallel()
	carol := integration.User{ID: "carol", Name: "Carol Example", Phones: []string{"+12025550145", "+12025550146"}}
	for _, ring := range []time.Duration{20 * time.Second, 25 * time.Second, 50 * time.Second} {
		conf := config.Defaults()
		conf.Reach, conf.GiveUp, conf.RingTimeout = config.ReachRing, config.GiveUpOneRound, ring
		r, _ := rehearse(t, conf, integration.Facts{Instance: integration.Instance{Capabilities: fullCapabilities}, Destinations: []integration.Destination{devops}}, "",
			map[int][]integration.User{1: {alice}, 2: {carol}}, nil)
		same(t, r.Exit, call.ExitOneRound)
		same(t, r.Layers[1].After, ring+effect.RingLonger) // a phone rings as long as a call's does
	}
}

// The rules of a router see the id of a call, also of one that never was: always the same.
func TestTheRulesOfARouterSeeACallIDInARehearsal(t *testing.T) {
	t.Parallel()
	facts := active()
	facts.Destinations = []integration.Destination{{ID: "R1", Name: "Router", Kind: integration.DestinationRouter}}
	_, questions := Run(config.Defaults(), facts, call.Caller{Number: callerNum, Called: calledNum}, nil, "")
	if len(questions) != 1 || !strings.Contains(string(questions[0].Facts), `"thirdparty_id":"CA00000000000000000000000000000000"`) {
		t.Errorf("questions %+v, want one about the router with the id of a call", questions)
	}
}

// The facts of an instance may come with an alert of a call that is: a rehearsal makes its own.
func TestARehearsalKnowsNoOtherCallsAlert(t *testing.T) {
	t.Parallel()
	facts := active()
	people := map[int][]integration.User{1: {alice}}
	want, _ := rehearse(t, config.Defaults(), facts, "", people, nil)
	facts.Alert = &integration.AlertSnapshot{Status: integration.AlertDropped, LastCommand: 99, ReadAt: start}
	got, _ := rehearse(t, config.Defaults(), facts, "", people, nil)
	same(t, got, want)
}

// Whoever is on call for two layers is listed in both, with the phones that ring for the first.
func TestSomebodyOfTwoLayersIsListedInBoth(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.Reach = config.ReachRing
	r, _ := rehearse(t, conf, active(), "", map[int][]integration.User{1: {alice}, 2: {alice, bob}}, nil)
	same(t, outline(r), "devops by ring; 1: alice 43 after 0s; 2: alice 43 after 0s bob 44 after 0s; max_wait reply.Hangup")
}
