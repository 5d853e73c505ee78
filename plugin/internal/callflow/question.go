package callflow

import (
	"slices"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// The id of a question says what is asked, so that the answer, which carries the id alone, is
// recognised when the handler is run again. What an id ends in may hold any character.

// AskRoute asks for a router's verdict; facts is what its rules see, see [RoutingFacts].
func AskRoute(router string, facts []byte) integration.Question {
	return integration.Question{ID: "route/" + router, Kind: integration.AskRoute, Router: router, Facts: facts}
}

// AskOnCall asks who is on call for a layer of a team, from 1; 0: for all layers.
func AskOnCall(team string, layer int) integration.Question {
	return integration.Question{
		ID: "on-call/" + strconv.Itoa(layer) + "/" + team, Kind: integration.AskOnCall, Team: team, Layer: layer,
	}
}

// AskUser asks for a user.
func AskUser(user string) integration.Question {
	return integration.Question{ID: "user/" + user, Kind: integration.AskUser, User: user}
}

// answered finds the answer to a question.
func answered(answers []integration.Answer, q integration.Question) (integration.Answer, bool) {
	i := slices.IndexFunc(answers, func(a integration.Answer) bool { return a.ID == q.ID })
	if i < 0 {
		return integration.Answer{}, false
	}
	return answers[i], true
}

// ask returns the answer to a question; where there is none yet, the question is asked and ok is
// false.
func (m *machine) ask(q integration.Question) (a integration.Answer, ok bool) {
	if a, ok = answered(m.f.Answers, q); ok {
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
	answer, ok := m.ask(AskOnCall(m.teamID(), layer))
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

// unanswered reports whether the platform could not say who a user is. That there is no such user
// is an answer.
func unanswered(a integration.Answer) bool {
	return a.Err != nil && a.Err.Kind != integration.KindNotFound
}
