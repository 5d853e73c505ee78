package callflow

import (
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
)

// ask returns the answer to a question; where there is none yet, the question is asked and ok is
// false. Equal questions have equal ids, so asking twice in a step costs one.
func (m *machine) ask(q integration.Question) (a integration.Answer, ok bool) {
	if a, ok = effect.Answered(m.f.Answers, q); ok {
		return a, true
	}
	if !slices.ContainsFunc(m.questions, func(other integration.Question) bool { return other.ID == q.ID }) {
		m.questions = append(m.questions, q)
	}
	return a, false
}

// onCall returns who is on call for a layer of the call's team, in the schedule's order. ok is
// false where that has been asked only now, and where the platform could not say: then it is asked
// again later.
func (m *machine) onCall(layer int) (people []integration.User, ok bool) {
	answer, ok := m.ask(effect.AskOnCall(m.s.TeamID(), layer))
	switch {
	case !ok:
		return nil, false
	case answer.Err != nil:
		m.s.Alert.AskAgainAt = m.now.Add(askAgain)
		return nil, false
	}
	m.noteAge(answer)
	for _, e := range answer.OnCall[:min(len(answer.OnCall), maxOnCall)] {
		if e.Layer == layer {
			people = append(people, e.User)
		}
	}
	return people, true
}

// tellAge is how old an answer must be for the story to say so.
const tellAge = time.Minute

// noteAge tells the story, once until the platform can say it again, that who is on call is what
// the platform said a while ago.
func (m *machine) noteAge(a integration.Answer) {
	old := !a.AsOf.IsZero() && m.now.Sub(a.AsOf) > tellAge
	if old && !m.s.Alert.OldOnCall {
		m.log("The platform cannot say who is on call now; the people on call as of "+a.AsOf.UTC().Format("15:04 UTC")+" are rung.", "")
	}
	m.s.Alert.OldOnCall = old
}
