package engine

import (
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// occupiesFree names the people whom an outcome newly occupies after the handler was told that they
// are free. Two sessions that decide at the same moment both hear that, and both would ring them.
// The commit sees to it that only one does.
func occupiesFree(old *store.Session, outcome integration.Outcome, answers []integration.Answer) []string {
	// A call that has ended, or stays as it is, occupies nobody anew.
	if outcome.Session == nil || !outcome.Session.Live {
		return nil
	}
	var fresh []string
	for _, user := range outcome.Session.Occupies {
		if (old == nil || !slices.Contains(old.Occupies, user)) && toldFree(answers, user) {
			fresh = append(fresh, user)
		}
	}
	return fresh
}

// toldFree reports whether an answer of this run said that a user is free.
func toldFree(answers []integration.Answer, user string) bool {
	for _, a := range answers {
		if a.User != nil && a.User.ID == user && a.User.OccupiedBy == "" {
			return true
		}
		if slices.ContainsFunc(a.OnCall, func(o integration.OnCallEntry) bool { return o.User.ID == user && o.User.OccupiedBy == "" }) {
			return true
		}
	}
	return false
}
