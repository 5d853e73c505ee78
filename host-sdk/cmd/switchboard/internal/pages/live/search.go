package live

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/lists"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
)

// pageRows is how many rows one page of a list has.
const pageRows = 50

// choice is an entry of a list to choose from.
type choice struct{ ID, Name string }

// search is the form above a list, and what it asks for. It is made anew for each request and
// passed to the template, which calls its methods.
type search struct {
	lists.Query
	Path   string // of the list
	values url.Values
	// A page is shown all the same, with the form as it was typed.
	wrong                     error // what cannot be searched for
	Integrations, Teams, Ends []choice
}

// searched are the names of what the form holds. The cursor is of one page, and is not among them.
// The order does not matter: addresses are sorted by name.
var searched = []string{"q", "from", "status", "team", "integration", "ended", "since", "until", "unheard"}

// labels are those of the form, where they are not the names.
var labels = map[string]string{
	"q": "Text", "from": "Caller's number", "team": "Team", "integration": "Integration", "ended": "How it ended", "since": "From", "until": "To", "unheard": "Message not heard",
}

// Searched reports whether the form leaves anything out, beside the links above it. The links above
// the form choose the status.
func (s search) Searched() bool {
	q := s.Query
	q.Status = ""
	return q.Narrowed()
}

// Open reports whether the form is seen at once. Without scripts the form cannot be unfolded
// without the page reloading; hence the parameter.
func (s search) Open() bool { return s.Searched() || s.values.Has(layout.StillParameter) }

// Still is the address of the same list where the form can be filled in without scripts. It only
// matters on live pages.
func (s search) Still() string { return s.Path + s.query(layout.StillParameter, "1") }

// Value is what the form shows of a name.
func (s search) Value(name string) string { return s.values.Get(name) }

// Export is the query of the same list, for the address of a file.
func (s search) Export() string { return s.query("", "") }

// query is the query of the same list; name has another value, and "" leaves it out. What is not
// searched for is left out, so that addresses stay short and equal lists have equal ones.
func (s search) query(name, value string) string {
	q := url.Values{}
	for _, one := range searched {
		if text := s.values.Get(one); text != "" {
			q.Set(one, text)
		}
	}
	if q.Del(name); value != "" {
		q.Set(name, value)
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// older is the address of the page that a cursor leads to; "": there is none. The page behind it
// does not reload, as its rows would move.
func (s search) older(cursor string) string {
	if cursor == "" {
		return ""
	}
	return s.Path + s.query("cursor", cursor)
}

// problem is the status of the page, and a notice where something cannot be searched for. Both go
// to the page as they are.
func (s search) problem() (int, []layout.Notice) {
	if s.wrong == nil {
		return http.StatusOK, nil
	}
	return http.StatusBadRequest, []layout.Notice{{Tone: "bad", Text: httpkit.Message(s.wrong)}}
}

// search reads the form above a list, and what can be chosen in it. The error is the store's; what
// is wrong with the query is in the search itself.
func (l *Live) search(r *http.Request, path string) (search, error) {
	s := search{Path: path, values: r.URL.Query()}
	s.Query, s.wrong = lists.ReadForm(s.values, pageRows, labels)
	s.Limit = pageRows
	if !slices.Contains(lists.Statuses, s.Status) {
		s.values.Del("status") // which no control of the form shows
	}
	all, err := l.store.ListIntegrations(r.Context())
	if err != nil {
		return s, err
	}
	for _, in := range all {
		s.Integrations = append(s.Integrations, choice{in.ID, in.Name})
	}
	// While the platform is down, what is searched for is found without its team.
	if teams, err := l.site.Platform.Teams(r.Context(), l.site.Scope("")); err == nil {
		for _, t := range teams {
			s.Teams = append(s.Teams, choice{t.ID, t.Name})
		}
	}
	// Alerts do not end as calls do.
	if path == "/calls" {
		for word, badge := range endBadges {
			s.Ends = append(s.Ends, choice{word, badge.Text})
		}
		slices.SortFunc(s.Ends, func(a, b choice) int { return strings.Compare(a.Name, b.Name) })
	}
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

// lists is where lists of alerts and calls come from. It is a value without state, so it can be
// made each time.
func (l *Live) lists() lists.Source {
	return lists.Source{Browser: l.browser, Platform: l.site.Platform, Store: l.store, Scope: l.site.Scope}
}
