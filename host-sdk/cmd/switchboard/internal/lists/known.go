package lists

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Ends are the words by which pages tell how a call ended. A plugin may have words of its own,
// which are known by the calls that ended so.
var Ends = []string{store.EndConnected, store.EndHungUp, store.EndMessageLeft, "no_message", store.EndRejected, "told_goodbye"}

const (
	// someCalls is how many of the newest calls tell which words a plugin of another kind has.
	someCalls = 100
	// someNamed bounds the values that an error names.
	someNamed = 20
)

// Known is nil where a list of alerts or calls that is empty may be so: all it was narrowed to
// exists. Otherwise it is invalid, and names the value and those that there are: what is misspelt
// would read as a quiet night. It is asked about empty lists alone, and reads little: what a filter
// may name is either known to the host and the platform, or is in a call that is kept. While the
// platform does not answer, every team is known.
func (s Source) Known(ctx context.Context, f store.CallFilter) error {
	for _, check := range []func(context.Context, store.CallFilter) error{s.knownIntegration, s.knownTeam, s.knownEnd, s.knownCaller} {
		if err := check(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// KnownIntegration is Known of an integration alone.
func (s Source) KnownIntegration(ctx context.Context, id string) error {
	return s.knownIntegration(ctx, store.CallFilter{Integration: id})
}

// KnownTeam is Known of a team alone.
func (s Source) KnownTeam(ctx context.Context, id string) error {
	return s.knownTeam(ctx, store.CallFilter{Team: id})
}

// knownIntegration is nil for an integration that there is, or was when a call came.
func (s Source) knownIntegration(ctx context.Context, f store.CallFilter) error {
	if f.Integration == "" {
		return nil
	}
	all, err := s.Store.ListIntegrations(ctx)
	if err != nil || slices.ContainsFunc(all, func(in store.Integration) bool { return in.ID == f.Integration }) {
		return err
	}
	var there []string
	for _, in := range all {
		there = append(there, fmt.Sprintf("%s (%s)", in.ID, in.Name))
	}
	return s.orOfACall(ctx, store.CallFilter{Integration: f.Integration}, Unknown("integration", f.Integration, there))
}

// knownTeam is nil for a team of the platform, and for one that a call has reached.
func (s Source) knownTeam(ctx context.Context, f store.CallFilter) error {
	if f.Team == "" {
		return nil
	}
	teams, err := s.Platform.Teams(ctx, s.Scope(""))
	if err != nil {
		return nil //nolint:nilerr // The list is of use without the platform.
	}
	there := make([]string, len(teams))
	for i, t := range teams {
		there[i] = t.ID
	}
	if slices.Contains(there, f.Team) {
		return nil
	}
	return s.orOfACall(ctx, store.CallFilter{Team: f.Team}, Unknown("team", f.Team, there))
}

// knownEnd is nil for a word by which calls end.
func (s Source) knownEnd(ctx context.Context, f store.CallFilter) error {
	if f.Ended == "" || slices.Contains(Ends, f.Ended) {
		return nil
	}
	newest, _, err := s.Store.ListCalls(ctx, store.CallFilter{Limit: someCalls})
	if err != nil {
		return err
	}
	words := slices.Clone(Ends)
	for _, c := range newest {
		if c.View.Ended != "" {
			words = append(words, c.View.Ended)
		}
	}
	slices.Sort(words)
	return s.orOfACall(ctx, store.CallFilter{Ended: f.Ended}, Unknown("ended", f.Ended, slices.Compact(words)))
}

// knownCaller is nil for a whole telephone number, whoever has it, and for what is no number at
// all, which callers of other networks have. A part of a number is nobody's.
func (s Source) knownCaller(ctx context.Context, f store.CallFilter) error {
	if f.From == "" || strings.Trim(f.From, "+0123456789 -./()") != "" {
		return nil
	}
	_, wrong := phone.Read(f.From, "")
	if wrong == nil {
		return nil
	}
	return s.orOfACall(ctx, store.CallFilter{From: f.From}, integration.Errorf(integration.KindInvalid,
		"the caller's number %.40q %s; to find a part of a number, search for it as text", f.From, wrong))
}

// orOfACall is nil where a call is kept that the filter finds, and the error where there is none.
func (s Source) orOfACall(ctx context.Context, f store.CallFilter, unknown error) error {
	f.Limit = 1
	if calls, _, err := s.Store.ListCalls(ctx, f); err != nil || len(calls) > 0 {
		return err
	}
	return unknown
}

// Unknown is the error about a value that is none of those that there are.
func Unknown(what, value string, there []string) error {
	return integration.Errorf(integration.KindInvalid, "%s %.60q is unknown: %s", what, value, OneOf(there))
}

// OneOf says which values there are, as the remedy of one that is unknown.
func OneOf(there []string) string {
	switch more := len(there) - someNamed; {
	case len(there) == 0:
		return "there is none yet"
	case more > 0:
		return fmt.Sprintf("use one of %s or %d more", strings.Join(there[:someNamed], ", "), more)
	}
	return "use one of " + strings.Join(there, ", ")
}
