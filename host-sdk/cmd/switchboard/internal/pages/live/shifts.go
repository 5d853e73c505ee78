package live

import (
	"cmp"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/schedule"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// teamBody is what the page of a team's shifts shows. Times are in the team's zone. People who may
// change only their own shifts get the form without the choice of a person.
type teamBody struct {
	ID, Name, Zone string
	Layers         []int
	Weekdays       []string
	Days           []day
	People         []integration.User // those of the team first
	Changes        []changeRow
	MayChange      bool   // whether shifts can be changed at all
	MayOthers      bool   // whether absences of others can be entered
	Me             string // id; "": nobody the file has
	Draft          shiftDraft
}

// changeRow is a change in the list of a team. Absences of everybody are in each team's list, as
// they matter to all teams of the person.
type changeRow struct {
	ID, Who, Time, Note, By string
	Layer                   int // 0: away
	MadeAt                  time.Time
	Idle                    string // why it does not count; "": it counts
	Unrung                  string // why no phone rings for callers
	MayRemove               bool
}

// shiftDraft is what somebody typed that could not be taken. All are texts, so that a form can be
// shown again just as it was typed.
type shiftDraft struct {
	Away                        bool
	Layer, User, From, To, Note string
	Problem                     string // why
}

// Wrong are the attributes of a field of one of the two forms: what could not be taken has the
// focus, so that it is seen below a month of days.
func (d shiftDraft) Wrong(away bool, field string) template.HTMLAttr {
	about, _, named := strings.Cut(d.Problem, ":")
	if !named || !slices.Contains([]string{"Layer", "From", "To", "Note"}, about) {
		about = "From"
	}
	if d.Problem == "" || d.Away != away || !strings.EqualFold(about, field) {
		return ""
	}
	return `aria-invalid="true" aria-describedby="shift-error" autofocus`
}

// shiftNotices say afterwards what was done. The keys stand in the address after a redirect.
var shiftNotices = map[string]string{
	"shift-untold": "The shift was changed. The person has no way by which they could be told of it: tell them yourself.",
	"shift-unrung": "The shift was changed. The person has no phone, so no caller can be connected with them.",
	"away-untold":  "The absence was entered. The person has no way by which they could be told of it: tell them yourself.",

	"shift-untold-unrung": "The shift was changed. The person has no phone, so no caller can be connected with them, and no way by which they could be told of it: tell them yourself.",

	"shift": "The shift was changed.", "away": "The absence was entered.", "removed": "The change was removed: the schedule counts again.",
}

// actor is in whose name a request changes shifts. Whoever may configure the host may change those
// of everybody. A team's admins are known to the file: the service decides for them.
func (l *Live) actor(r *http.Request) shifts.Actor {
	me := l.site.Me(r)
	return shifts.Actor{User: me.ID, Name: cmp.Or(me.Name, me.ID, "an admin"), Any: people.From(r.Context()).May(people.Configure, "")}
}

// team finds the team of a page with shifts, and refuses where a platform keeps them itself. It
// reads the file in force once: page and decision go by the same one.
func (l *Live) team(r *http.Request) (*switchboardfile.File, *switchboardfile.Team, error) {
	if l.shifts == nil {
		return nil, nil, &layout.Refusal{Status: http.StatusNotFound, Title: "Not here", Message: "The platform keeps teams and schedules: change shifts there."}
	}
	f := l.file.File()
	t := f.Team(r.PathValue("team"))
	if t == nil {
		return nil, nil, &layout.Refusal{Status: http.StatusNotFound, Title: "No such team", Message: "The switchboard file has no team of this id."}
	}
	return f, t, nil
}

// ShowTeam shows the month ahead of a team, and what people changed.
func (l *Live) ShowTeam(w http.ResponseWriter, r *http.Request) error {
	var notices []layout.Notice
	if done := r.URL.Query().Get("done"); shiftNotices[done] != "" {
		tone := "ok"
		if strings.Contains(done, "-un") {
			tone = "warn"
		}
		notices = append(notices, layout.Notice{Tone: tone, Text: shiftNotices[done]})
	}
	return l.drawTeam(w, r, http.StatusOK, notices, shiftDraft{})
}

// drawTeam answers with the page of a team. By the clock on the wall. Changes that are over are not
// listed.
func (l *Live) drawTeam(w http.ResponseWriter, r *http.Request, status int, notices []layout.Notice, draft shiftDraft) error {
	f, t, err := l.team(r)
	if err != nil {
		return err
	}
	now := clock.Wall(l.site.Clock)
	changes, err := l.shifts.List(r.Context(), now)
	if err != nil {
		return err
	}
	actor := l.actor(r)
	body := teamBody{ID: t.ID, Name: t.Name, Zone: t.Schedule.Timezone, Weekdays: []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
		Days: calendar(f, t, now), People: teamFirst(f, t), MayChange: people.From(r.Context()).May(people.Shift, ""), MayOthers: actor.Any, Me: actor.User, Draft: draft}
	for i := range t.Schedule.Layers {
		body.Layers = append(body.Layers, i+1)
	}
	for _, c := range changes {
		// An absence names no team.
		if c.Team == t.ID || c.Away() {
			// A person who has left the file is shown by id.
			row := changeRow{ID: c.ID, Who: cmp.Or(peopleNames(f, []string{c.User}), c.User), Layer: c.Layer, Note: c.Note, By: c.By, MadeAt: c.MadeAt, Idle: c.Idle(f), Unrung: c.Unrung(f), MayRemove: body.MayChange && l.shifts.MayRemove(c, actor)}
			const shown = "Mon 2 Jan 15:04"
			row.Time = c.From.In(t.Schedule.Zone()).Format(shown) + " – " + c.To.In(t.Schedule.Zone()).Format(shown+" MST")
			body.Changes = append(body.Changes, row)
		}
	}
	l.site.Show(w, r, status, layout.Page{Title: t.Name + ": on call", Template: "team", Nav: "oncall", Notices: notices, Body: body})
	return nil
}

// teamFirst lists the people of the file, those of the team first, by name. Anybody may take a
// shift, but mostly somebody of the team does.
func teamFirst(f *switchboardfile.File, t *switchboardfile.Team) []integration.User {
	var out []integration.User
	for i := range f.Users {
		out = append(out, f.Users[i].Contract())
	}
	outside := func(u integration.User) int {
		if slices.Contains(t.Members, u.ID) || slices.Contains(t.Admins, u.ID) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b integration.User) int {
		return cmp.Or(outside(a)-outside(b), strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
	})
	return out
}

// ChangeShift takes or gives a shift of a team, or enters an absence, as the form says. What the
// service refuses is said above the form, which keeps what was typed.
func (l *Live) ChangeShift(w http.ResponseWriter, r *http.Request) error {
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	_, t, err := l.team(r)
	if err != nil {
		return err
	}
	draft := shiftDraft{Away: r.PostFormValue("away") != "", Layer: r.PostFormValue("layer"), User: r.PostFormValue("user"),
		From: r.PostFormValue("from"), To: r.PostFormValue("to"), Note: strings.TrimSpace(r.PostFormValue("note"))}
	actor := l.actor(r)
	c, err := draft.change(t, actor)
	if err == nil {
		c, err = l.shifts.Add(r.Context(), c, actor)
	}
	switch kind := integration.KindOf(err); {
	case err == nil:
		done := "shift"
		if draft.Away {
			done = "away"
		}
		if c.User != actor.User && l.site.Ways.Untold(c.User) != "" {
			done += "-untold"
		}
		if l.shifts.Unrung(c) != "" {
			done += "-unrung"
		}
		people.About(r.Context(), t.ID, c.String())
		l.site.Redirect(w, r, teamPage(t.ID, done))
		return nil
	case kind == integration.KindInvalid, kind == integration.KindConflict, kind == integration.KindUnauthorized:
		draft.Problem = httpkit.Message(err)
		return l.drawTeam(w, r, http.StatusUnprocessableEntity, nil, draft)
	}
	return err
}

// change reads what the form says, in the team's zone. Whether it is possible is for the service to
// say; an error is only about what was typed.
func (d shiftDraft) change(t *switchboardfile.Team, actor shifts.Actor) (shifts.Change, error) {
	c := shifts.Change{User: cmp.Or(d.User, actor.User), Note: d.Note}
	if c.User == "" {
		return c, integration.Errorf(integration.KindInvalid, "choose the person")
	}
	if !d.Away {
		layer, err := strconv.Atoi(d.Layer)
		if err != nil {
			return c, integration.Errorf(integration.KindInvalid, "choose the layer")
		}
		c.Team, c.Layer = t.ID, layer
	}
	// The browser sends local times without a zone; a time that the change of clocks skips is moved
	// as the schedule does.
	var from, to schedule.LocalTime
	for _, field := range []struct {
		name, text string
		into       *schedule.LocalTime
	}{{"from", d.From, &from}, {"to", d.To, &to}} {
		var err error
		if *field.into, err = schedule.ParseLocalTime(field.text); err != nil {
			return c, integration.Errorf(integration.KindInvalid, "%s: give a date and a time, such as 2026-12-24T09:00", field.name)
		}
	}
	zone := t.Schedule.Zone()
	if why := from.Skipped(to, zone); why != "" {
		return c, integration.Errorf(integration.KindInvalid, "to: %s", why)
	}
	c.From, c.To = from.In(zone), to.In(zone)
	return c, nil
}

// RemoveShift takes a change back. What the caller may not remove, or somebody else has removed, is
// said above the page.
func (l *Live) RemoveShift(w http.ResponseWriter, r *http.Request) error {
	_, t, err := l.team(r)
	if err != nil {
		return err
	}
	removed, err := l.shifts.Remove(r.Context(), r.PathValue("shift"), l.actor(r))
	if kind := integration.KindOf(err); err != nil && (kind == integration.KindNotFound || kind == integration.KindUnauthorized) {
		return l.drawTeam(w, r, http.StatusUnprocessableEntity, []layout.Notice{{Tone: "bad", Text: "Nothing was changed. " + httpkit.Message(err)}}, shiftDraft{})
	}
	if err != nil {
		return err
	}
	people.About(r.Context(), t.ID, removed.String())
	l.site.Redirect(w, r, teamPage(t.ID, "removed"))
	return nil
}

// teamPage is the address of a team's shifts.
func teamPage(id, done string) string { return "/oncall/" + url.PathEscape(id) + "?done=" + done }
