package effect

import (
	"slices"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// The id of a question says what is asked, so that the answer, which carries the id alone, is
// recognised when the handler is run again. What an id ends in may hold any character.

// AskRoute asks for a router's verdict; facts is what its rules see, see [draft.RoutingFacts].
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

// AskRecentCalls asks for the calls of a number in the hour before now.
func AskRecentCalls(from string, now time.Time) integration.Question {
	return integration.Question{ID: recentCallsID + from, Kind: integration.AskRecentCalls, From: from, Since: now.Add(-repeatWindow)}
}

// RecentCallsAhead is [AskRecentCalls] of an arrival before it is asked, of the number in a field.
func RecentCallsAhead(field string) integration.RecentCallsQuestion {
	return integration.RecentCallsQuestion{Field: field, IDPrefix: recentCallsID, Window: repeatWindow}
}

const (
	// recentCallsID precedes the number in the id of the question.
	recentCallsID = "recent-calls/"
	// repeatWindow is how long ago an earlier call counts for "third call in 12 minutes".
	repeatWindow = time.Hour
)

// Answered finds the answer to a question.
func Answered(answers []integration.Answer, q integration.Question) (integration.Answer, bool) {
	i := slices.IndexFunc(answers, func(a integration.Answer) bool { return a.ID == q.ID })
	if i < 0 {
		return integration.Answer{}, false
	}
	return answers[i], true
}

// Unanswered reports whether the platform could not say who a user is. That there is no such user
// is an answer.
func Unanswered(a integration.Answer) bool {
	return a.Err != nil && a.Err.Kind != integration.KindNotFound
}
