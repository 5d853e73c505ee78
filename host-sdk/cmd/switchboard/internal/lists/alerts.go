package lists

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/textmatch"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Alert is an alert with what the host knows of its call.
type Alert struct {
	platform.AlertRecord
	Call *store.Call // with fields and recordings; nil: the alert has outlived its call's record
}

// Store is what lists need of the host's store.
type Store interface {
	store.Calls
	ListIntegrations(ctx context.Context) ([]store.Integration, error)
}

// Source is where lists come from. It has no state; pages and API make one when they need it.
type Source struct {
	Browser  platform.AlertBrowser // nil: the platform shows its alerts itself
	Platform platform.Platform
	Store    Store
	Scope    func(integrationID string) platform.Scope
}

// someLists is how many lists of calls are read for one list of alerts that is found by them. The
// rest is read with the cursor. It bounds the work of one request, however few of the calls have
// such an alert.
const someLists = 20

// Alerts reads a list of alerts, the newest first, and a cursor for the next ones; "": there are no
// more. What it is narrowed to and nobody knows is invalid where the list would be empty. What the
// host alone knows (who called, what was heard) is searched by the calls, everything else by the
// platform.
func (s Source) Alerts(ctx context.Context, q Query) (list []Alert, next string, err error) {
	var records []platform.AlertRecord
	if q.From != "" || q.Unheard {
		records, next, err = s.byCalls(ctx, q)
	} else {
		records, next, err = s.Browser.ListAlerts(ctx, platform.AlertFilter{
			Status: q.Status, Integration: q.Integration, Team: q.Team, From: q.Since, Until: q.Until, Text: q.Text, After: q.Cursor, Limit: q.Limit,
		})
	}
	if err == nil && len(records) == 0 && next == "" {
		filter := q.Filter()
		filter.Ended = "" // which narrows calls
		err = s.Known(ctx, filter)
	}
	if err != nil {
		return nil, "", err
	}
	list, err = s.withCalls(ctx, records)
	return list, next, err
}

// byCalls finds alerts by their calls, of which the store knows who called and what was heard. The
// order is that of the calls. The cursor is one of calls, so it is of use with the same query only.
func (s Source) byCalls(ctx context.Context, q Query) (found []platform.AlertRecord, next string, err error) {
	most, words := cmp.Or(q.Limit, 100), textmatch.New(q.Text)
	filter := store.CallFilter{Integration: q.Integration, From: q.From, Since: q.Since, Until: q.Until, Unheard: q.Unheard, Alerts: true, After: q.Cursor}
	// Calls whose alert does not fit take no place, so several lists may be needed to fill one.
	for range someLists {
		filter.Limit = most - len(found) // so that the cursor is that of the last one taken
		calls, next, err := s.Store.ListCalls(ctx, filter)
		if err != nil {
			return nil, "", err
		}
		for _, c := range calls {
			rec, err := s.alertOf(ctx, c)
			if integration.KindOf(err) == integration.KindNotFound {
				continue // deleted at the platform
			}
			if err != nil {
				return nil, "", err
			}
			if fits(rec, q) && words.In(textsOf(rec)...) {
				found = append(found, rec)
			}
		}
		if filter.After = next; next == "" || len(found) == most {
			return found, next, nil
		}
	}
	return found, filter.After, nil
}

// alertOf reads the alert of a call. not_found: the platform has deleted it, or never made it.
func (s Source) alertOf(ctx context.Context, c store.Call) (platform.AlertRecord, error) {
	id := c.Alert.ID
	if id == "" { // no commit has seen it yet
		snapshot, err := s.Platform.Alert(ctx, s.Scope(c.Integration), c.Alert.Key)
		if err != nil {
			return platform.AlertRecord{}, err
		}
		id = snapshot.ID
	}
	return s.Browser.GetAlert(ctx, id)
}

// fits reports whether an alert is one of those that are asked for. It is what the platform does
// for the other way of searching.
func fits(rec platform.AlertRecord, q Query) bool {
	return (q.Status == "" || rec.Status == q.Status) && (q.Team == "" || slices.Contains(rec.Teams, q.Team))
}

// textsOf are the texts by which people find an alert. The same as the platform's own search looks
// through.
func textsOf(rec platform.AlertRecord) []string {
	texts := []string{rec.Title, rec.Description}
	for _, f := range rec.Fields {
		texts = append(texts, f.Value)
	}
	return texts
}

// withCalls reads the calls of alerts. One question for each integration, not one for each alert.
func (s Source) withCalls(ctx context.Context, records []platform.AlertRecord) ([]Alert, error) {
	keys := map[string][]string{}
	for _, rec := range records {
		keys[rec.Integration] = append(keys[rec.Integration], rec.Key)
	}
	type name struct{ integration, key string }
	calls := map[name]*store.Call{}
	for id, keys := range keys {
		found, err := s.Store.CallsByAlert(ctx, id, keys)
		if err != nil {
			return nil, err
		}
		for i, c := range found {
			if n := (name{id, c.Alert.Key}); calls[n] == nil { // of several the newest
				calls[n] = &found[i]
			}
		}
	}
	list := make([]Alert, len(records))
	for i, rec := range records {
		list[i] = Alert{rec, calls[name{rec.Integration, rec.Key}]}
	}
	return list, nil
}

// Caller is who calls, as far as it is known. A field that is not known is "".
type Caller struct{ Number, Name, City string }

// CallerOf says who an alert is about: from its call, or from the alert's own fields where there is
// no record of the call. Labels are the plugin's, so what is called city by any of them is the
// city. The call's own fields are looked at after the alert's.
func CallerOf(rec platform.AlertRecord, c *store.Call) (who Caller) {
	fields := rec.Fields
	if c != nil {
		who.Number = c.View.From
		for _, l := range c.View.Legs {
			if l.Role == integration.RoleCaller {
				who.Name = l.Name
			}
		}
		fields = append(slices.Clip(fields), c.Fields...)
	}
	for _, f := range fields {
		label := strings.ToLower(f.Label)
		switch {
		case f.Format == integration.FieldPhone && c == nil && who.Number == "":
			who.Number = f.Value
		case strings.HasSuffix(label, "caller name") && who.Name == "":
			who.Name = f.Value
		case strings.HasSuffix(label, "city") && who.City == "":
			who.City = f.Value
		}
	}
	return who
}

// Gone is when the caller left. The call may go on without them, while a recording is fetched or
// their message is delivered. Zero: they are there. A plugin that reports no legs has the end of
// the call alone.
func Gone(v integration.CallView) time.Time {
	for _, l := range v.Legs {
		if l.Role == integration.RoleCaller && !l.EndedAt.IsZero() {
			return l.EndedAt
		}
	}
	return v.EndedAt
}

// Waited is how long the caller has waited for a person: until they spoke, or were gone, or now.
// false: it is not known.
func Waited(c *store.Call, now time.Time) (time.Duration, bool) {
	if c == nil || c.View.StartedAt.IsZero() {
		return 0, false
	}
	// In the order of what is most exact.
	until := now
	switch {
	case !c.AnsweredAt.IsZero():
		until = c.AnsweredAt
	// Records of an older release have no such time.
	case Spoke(c.View): // before the host noted when
		return 0, false
	case !Gone(c.View).IsZero():
		until = Gone(c.View)
	case !c.Live:
		return 0, false
	}
	return max(0, until.Sub(c.View.StartedAt)), true
}

// Spoke reports whether the caller speaks, or has spoken, with a person. Ringing, or being told
// about the call, is not yet speaking.
func Spoke(v integration.CallView) bool {
	return slices.ContainsFunc(v.Legs, func(l integration.LegView) bool {
		return l.Role == integration.RoleResponder && (l.State == integration.LegTalking || l.Reason == integration.LegTalked)
	})
}

// Present reports whether the caller is still on the line. A call may be at work without its
// caller, as long as its message waits for somebody to hear it. Any of three signs that they have
// gone is enough, as plugins differ in which they give first.
func Present(c store.Call) bool {
	if !c.Live || c.View.Ended != "" || !c.View.EndedAt.IsZero() {
		return false
	}
	return !slices.ContainsFunc(c.View.Legs, func(l integration.LegView) bool { return l.Role == integration.RoleCaller && !l.EndedAt.IsZero() })
}
