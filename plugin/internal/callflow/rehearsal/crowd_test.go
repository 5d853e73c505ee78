package rehearsal

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
)

// TestProperty_ARehearsalEndsAndAgreesWithACall rehearses random teams on random platforms. It
// comes to an end, and promises nothing that the people on call do not have.
func TestProperty_ARehearsalEndsAndAgreesWithACall(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
		conf := config.Defaults()
		conf.Voicemail = flag("voicemail")
		conf.Reach = rapid.SampledFrom([]config.Reach{config.ReachAuto, config.ReachAcknowledge, config.ReachRing, config.ReachBoth}).Draw(t, "reach")
		conf.GiveUp = rapid.SampledFrom([]config.GiveUp{config.GiveUpPolicy, config.GiveUpOneRound}).Draw(t, "give up")
		conf.RingTimeout = time.Duration(rapid.IntRange(5, 60).Draw(t, "ring")) * time.Second
		conf.MaxWait = time.Duration(rapid.IntRange(30, 3600).Draw(t, "wait")) * time.Second
		conf.StraightToVoicemail = rapid.IntRange(0, 9).Draw(t, "straight") == 0
		facts := active()
		facts.Instance.Capabilities = integration.Capabilities{
			UnroutedAlerts: true, Reopen: flag("c2"), Escalate: flag("c3"), AcknowledgeAs: flag("c4"), AcknowledgedByUser: flag("c5"), PagesByItself: flag("c8"),
		}
		facts.Instance.ProtocolMinor = rapid.IntRange(0, 1).Draw(t, "minor")
		users, people := map[string]integration.User{}, map[int][]integration.User{}
		for layer := 1; layer <= rapid.IntRange(0, 5).Draw(t, "layers"); layer++ {
			for range rapid.IntRange(0, 3).Draw(t, "people") {
				u := integration.User{ID: fmt.Sprintf("user%d", rapid.IntRange(0, 5).Draw(t, "user"))}
				for range rapid.IntRange(0, 2).Draw(t, "phones") {
					u.Phones = append(u.Phones, fmt.Sprintf("+1202555014%d", rapid.IntRange(0, 5).Draw(t, "phone")))
				}
				if known, ok := users[u.ID]; ok {
					u = known
				}
				u.OccupiedBy = rapid.SampledFrom([]string{"", "", "CA9"}).Draw(t, "busy")
				users[u.ID] = u
				people[layer] = append(people[layer], u)
			}
		}
		var r Result
		for round := 0; ; round++ {
			var questions []integration.Question
			if r, questions = Run(conf, facts, call.Caller{Number: callerNum, Called: calledNum}, nil, ""); len(questions) == 0 {
				break
			}
			if round > 3 {
				t.Fatalf("asked again and again: %v", questions)
			}
			for _, q := range questions {
				facts.Answers = append(facts.Answers, answer(q, people))
			}
		}
		if r.Farewell == nil {
			t.Fatalf("no end: %+v", r)
		}
		if r.Exit == call.ExitStraight || r.Exit == call.ExitNoTeam || len(r.Layers) == 0 {
			return
		}
		ringable := false
		for _, l := range r.Layers {
			for _, p := range l.People {
				ringable = ringable || len(p.User.Phones) > 0
				for _, phone := range p.Phones {
					if !slices.Contains(p.User.Phones, phone) {
						t.Fatalf("%s is rung at %s", p.User.ID, phone)
					}
				}
				if len(p.User.Phones) == 0 && p.Log == "" && conf.Voicemail && r.Reach != config.ReachAcknowledge && r.Exit != call.ExitMaxWait {
					t.Fatalf("nothing is said of %s, who has no phone: %+v", p.User.ID, r)
				}
			}
		}
		if (r.Exit == call.ExitNobody) == ringable && r.Reach != config.ReachAcknowledge && r.Exit != call.ExitMaxWait {
			t.Fatalf("the end is %s, though somebody with a phone: %v\n%+v", r.Exit, ringable, r)
		}
	})
}
