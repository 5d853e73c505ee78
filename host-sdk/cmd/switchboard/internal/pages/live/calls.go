package live

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// overLimit is how many ended calls one page of the list shows.
const overLimit = 50

// callRow is a call on a page.
type callRow struct {
	store.Call
	NameOfIntegration string // today's, or the one that the call remembers; "" on a host with one integration
}

// callsBody is what the list of calls shows.
type callsBody struct {
	Search     callSearch
	Live, Over []callRow
	First      bool   // the first page, which has the calls in progress too
	Older      string // address of the next page; "": there is none
	Summary    string
}

// choice is an entry of a list to choose from.
type choice struct{ ID, Name string }

// callSearch is the form above the list.
type callSearch struct {
	Number, Integration, Team, Ended, Since string // as they are in the address
	Integrations, Teams, Ends               []choice
}

// Narrowed reports whether the list leaves calls out.
func (s callSearch) Narrowed() bool { return s.Number+s.Integration+s.Team+s.Ended+s.Since != "" }

// query is the address of a page of the same search.
func (s callSearch) query(cursor string) string {
	q := url.Values{}
	for name, value := range map[string]string{
		"number": s.Number, "integration": s.Integration, "team": s.Team, "ended": s.Ended, "since": s.Since, "cursor": cursor,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return "/calls?" + q.Encode()
}

// filter is the search as the store takes it. A date that cannot be read is an error for people.
func (s callSearch) filter() (store.CallFilter, error) {
	f := store.CallFilter{Integration: s.Integration, Team: s.Team, Ended: s.Ended, From: strings.TrimSpace(s.Number)}
	// People write numbers with spaces and hyphens.
	if number, err := phone.Read(f.From, ""); err == nil {
		f.From = number
	}
	if s.Since != "" {
		since, err := time.Parse(time.DateOnly, s.Since)
		if err != nil {
			return f, fmt.Errorf("the date %.40q cannot be read: write it as 2026-03-31", s.Since)
		}
		f.Since = since
	}
	return f, nil
}

// search reads the form above the list, and what can be chosen in it.
func (l *Live) search(r *http.Request) (callSearch, error) {
	q := r.URL.Query()
	s := callSearch{Number: q.Get("number"), Integration: q.Get("integration"), Team: q.Get("team"), Ended: q.Get("ended"), Since: q.Get("since")}
	all, err := l.store.ListIntegrations(r.Context())
	if err != nil {
		return s, err
	}
	for _, in := range all {
		s.Integrations = append(s.Integrations, choice{in.ID, in.Name})
	}
	// While the platform is down, calls are found without their team.
	if teams, err := l.site.Platform.Teams(r.Context(), l.site.Scope("")); err == nil {
		for _, t := range teams {
			s.Teams = append(s.Teams, choice{t.ID, t.Name})
		}
	}
	for word, badge := range endBadges {
		s.Ends = append(s.Ends, choice{word, badge.Text})
	}
	slices.SortFunc(s.Ends, func(a, b choice) int { return strings.Compare(a.Name, b.Name) })
	// What is asked for stays chosen, also where it can no longer be chosen: a deleted integration.
	for _, one := range []struct {
		asked string
		list  *[]choice
	}{{s.Integration, &s.Integrations}, {s.Team, &s.Teams}, {s.Ended, &s.Ends}} {
		if one.asked != "" && !slices.ContainsFunc(*one.list, func(c choice) bool { return c.ID == one.asked }) {
			*one.list = append(*one.list, choice{one.asked, one.asked})
		}
	}
	return s, nil
}

// ListCalls shows the calls in progress and those that have ended, the newest first.
func (l *Live) ListCalls(w http.ResponseWriter, r *http.Request) error {
	search, err := l.search(r)
	if err != nil {
		return err
	}
	cursor := r.URL.Query().Get("cursor")
	body := callsBody{Search: search, First: cursor == ""}
	var notices []layout.Notice
	filter, err := search.filter()
	if err != nil {
		notices = append(notices, layout.Notice{Tone: "bad", Text: "All calls are shown: " + err.Error() + "."})
	}
	if r.URL.Query().Get("deleted") != "" {
		notices = append(notices, layout.Notice{Tone: "ok", Text: "The call was deleted."})
	}
	// Two lists, as the limit counts calls: those that ended must not push one in progress out.
	if body.First {
		live := filter
		live.LiveOnly, live.Limit = true, listLimit
		calls, _, err := l.store.ListCalls(r.Context(), live)
		if err != nil {
			return err
		}
		body.Live = rows(calls, search)
	}
	filter.OverOnly, filter.Limit, filter.After = true, overLimit, cursor
	calls, next, err := l.store.ListCalls(r.Context(), filter)
	if err != nil {
		return err
	}
	body.Over = rows(calls, search)
	if next != "" {
		body.Older = search.query(next)
	}
	body.Summary = layout.Count(len(body.Live), "active call", "active calls")
	l.site.Show(w, r, http.StatusOK, layout.Page{Title: "Calls", Template: "calls", Nav: "calls", Live: true, Notices: notices, Body: body})
	return nil
}

// rows are calls in a list. The integration is named where there is more than one.
func rows(calls []store.Call, s callSearch) []callRow {
	list := make([]callRow, len(calls))
	for i, c := range calls {
		list[i] = callRow{Call: c}
		if len(s.Integrations) < 2 {
			continue
		}
		list[i].NameOfIntegration = c.IntegrationName
		for _, in := range s.Integrations {
			if in.ID == c.Integration {
				list[i].NameOfIntegration = in.Name
			}
		}
	}
	return list
}
