// Package figures serves the page Statistics: calls counted by week and team.
package figures

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/statistics"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

//go:embed templates
var templates embed.FS

// Figures serves the page. It reads the host's own records of calls, so it works whatever the
// platform is, and while that is down.
type Figures struct {
	site  *layout.Site
	calls store.Calls
}

// New adds the page to a site.
func New(site *layout.Site, calls store.Calls) (*Figures, error) {
	return &Figures{site, calls}, site.Parse(templates, template.FuncMap{"took": took, "day": day}, "statistics")
}

// choice is an entry of a list to choose from.
type choice struct{ ID, Name string }

// body is what the page shows.
type body struct {
	Query       statistics.Query
	Report      statistics.Report
	Teams       []choice
	Zones       []string // to choose from; others can be typed
	Definitions []struct{ Column, Meaning string }
	CSV, JSON   string // addresses below the API's
	Problem     string // what of the query cannot be read; "": nothing
	Field       string // the query's field with the problem
}

// Show shows the statistics. The query is in the address, so that a report can be linked to. What
// cannot be read in it is said beside its field, and the report shown is the one without it.
func (f *Figures) Show(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	b := body{Query: statistics.Query{Team: v.Get("team"), From: v.Get("from"), To: v.Get("to"), Zone: v.Get("zone")}, Definitions: statistics.Definitions}
	file := statistics.File(f.site.Platform)
	b.Zones = statistics.Zones(file, "")
	if !slices.Contains(b.Zones, time.UTC.String()) {
		b.Zones = append(b.Zones, time.UTC.String())
	}
	b.Teams = f.teams(r, b.Query.Team)
	status, asked := http.StatusOK, b.Query
	var err error
	// Four fields can be wrong, each of which is found only once those before it are right; the
	// fifth reading is the one that is shown.
	for range 5 { // what cannot be read is left out, field by field
		b.Report, err = statistics.ReadOf(r.Context(), f.calls, f.site.Platform, asked, f.site.Clock.Now())
		wrong := (*statistics.FieldError)(nil)
		if !errors.As(err, &wrong) {
			break
		}
		if b.Problem == "" {
			status, b.Field, b.Problem = http.StatusUnprocessableEntity, wrong.Field, httpkit.Sentence(wrong.Message)
		}
		*map[string]*string{"team": &asked.Team, "from": &asked.From, "to": &asked.To, "zone": &asked.Zone}[wrong.Field] = ""
	}
	if err != nil {
		return err
	}
	// The weeks that were found, not the words that were typed: the files have the same numbers as
	// the page.
	q := url.Values{"from": {b.Report.From}, "to": {b.Report.To}, "zone": {b.Report.Zone}}
	if asked.Team != "" {
		q.Set("team", asked.Team)
	}
	b.JSON = "/statistics?" + q.Encode()
	q.Set("format", "csv")
	b.CSV = "/statistics?" + q.Encode()
	f.site.Show(w, r, status, layout.Page{Title: "Statistics", Template: "statistics", Nav: "statistics", Body: b})
	return nil
}

// teams are those to choose from. While the platform is down, and where a team is gone, what is
// asked for stays chosen.
func (f *Figures) teams(r *http.Request, asked string) []choice {
	var list []choice
	if teams, err := f.site.Platform.Teams(r.Context(), f.site.Scope("")); err == nil {
		for _, t := range teams {
			list = append(list, choice{t.ID, t.Name})
		}
	}
	if asked != "" && !slices.ContainsFunc(list, func(c choice) bool { return c.ID == asked }) {
		list = append(list, choice{asked, asked})
	}
	return list
}

// took is a time to a person, for people. nil, which is not known, is a dash; Read has rounded to a
// tenth of a second.
func took(seconds *float64) string {
	if seconds == nil {
		return "–"
	}
	s := *seconds
	if s < 60 {
		return fmt.Sprintf("%g s", s)
	}
	return fmt.Sprintf("%d min %d s", int(s)/60, int(s)%60)
}

// day is a date, for people. A text that is none is shown as it is, as the query may hold what was
// typed.
func day(text string) string {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return text
	}
	return t.Format("2 Jan 2006")
}
