package api

import (
	"cmp"
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/schedule"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Override is a change of who is on call that people made beside the switchboard file: a shift, or
// without team and layer an absence.
type Override struct {
	ID     string    `json:"id"`
	Team   string    `json:"team"`  // "": the person is away, from all teams
	Layer  int       `json:"layer"` // from 1; 0: away
	User   string    `json:"user"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Note   string    `json:"note"`
	By     string    `json:"by"`
	MadeAt time.Time `json:"made_at"`
	// Why it does not count with the switchboard file in force; "": it counts.
	Idle string `json:"idle,omitempty"`
	// Why no phone rings for callers in this shift; "": one does, or it does not count.
	Unrung string `json:"unrung,omitempty"`
	// Why the person is not told of it, in the answer to who has made it; "": they are told, or
	// made it themselves.
	Untold string `json:"untold,omitempty"`
}

// ViewOverride shows a change of a service.
func ViewOverride(service *shifts.Service, c shifts.Change) Override {
	return Override{ID: c.ID, Team: c.Team, Layer: c.Layer, User: c.User, From: c.From, To: c.To, Note: c.Note, By: c.By, MadeAt: c.MadeAt, Idle: service.Idle(c), Unrung: service.Unrung(c)}
}

// overrideBody is what somebody asks for.
type overrideBody struct {
	Team  string `json:"team"`
	Layer int    `json:"layer"`
	User  string `json:"user"`
	From  string `json:"from"` // texts, so that an error can name the one that is no time
	To    string `json:"to"`
	Note  string `json:"note"`
	By    string `json:"by"`
}

// segmentView is a time in which the people on call for a layer stay the same.
type segmentView struct {
	Layer      int        `json:"layer"`
	From       time.Time  `json:"from"`
	To         time.Time  `json:"to"`
	Users      []userView `json:"users"`
	Overridden bool       `json:"overridden"`
}

// shifts are the platform's changed shifts; unsupported where it keeps them itself.
func (a *API) shifts() (*shifts.Service, error) {
	if p, ok := a.Platform.(interface{ Shifts() *shifts.Service }); ok {
		return p.Shifts(), nil
	}
	return nil, apikit.Refuse(http.StatusNotFound, "not_found", "the platform keeps schedules itself: change shifts there")
}

// shiftActor is in whose name a request changes shifts. by is how people are to see who it was,
// where a program works for them. Whoever may Configure changes the shifts of everybody, others
// their own. A token of a program that may not is refused, as it is nobody's who could have shifts.
func (a *API) shiftActor(r *http.Request, by string) (shifts.Actor, error) {
	who := people.From(r.Context())
	actor := shifts.Actor{User: who.User, Name: cmp.Or(oneline.Clean(by, oneline.MaxName), who.Who()), Any: who.May(people.Configure, "")}
	if !who.Person() && !actor.Any {
		return actor, apikit.Refuse(http.StatusForbidden, "unauthorized",
			"the token %s belongs to no person, so it has no shifts of its own, and those of people are changed by themselves or with a token of the role %s", who.Token, people.Least(people.Configure))
	}
	if !who.Person() {
		return actor, nil
	}
	actor.Name = who.Who()
	finder, ok := a.Platform.(platform.UserByEmail)
	if actor.User == "" && ok {
		if u, err := finder.UserByEmail(r.Context(), a.Scope(""), who.Email); err == nil {
			actor.User = u.ID
		}
	}
	if u, err := a.Platform.User(r.Context(), a.Scope(""), actor.User); err == nil && actor.User != "" {
		actor.Name = u.Name
	}
	return actor, nil
}

// listOverrides answers GET /overrides: those that end after a time, by default now. By the clock
// on the wall, as shifts go by it.
func (a *API) listOverrides(w http.ResponseWriter, r *http.Request) error {
	service, err := a.shifts()
	if err != nil {
		return err
	}
	from, err := timeParameter(r, "from", clock.Wall(a.Clock))
	if err != nil {
		return err
	}
	all, err := service.List(r.Context(), from)
	if err != nil {
		return err
	}
	views := make([]Override, 0, len(all))
	for _, c := range all {
		views = append(views, ViewOverride(service, c))
	}
	httpkit.WriteJSON(w, http.StatusOK, views)
	return nil
}

// addOverride answers POST /overrides.
func (a *API) addOverride(w http.ResponseWriter, r *http.Request) error {
	service, err := a.shifts()
	if err != nil {
		return err
	}
	var body overrideBody
	if err := apikit.ReadJSON(w, r, &body); err != nil {
		return err
	}
	c := shifts.Change{Team: body.Team, Layer: body.Layer, User: body.User, Note: body.Note}
	for _, at := range []struct {
		name, text string
		into       *time.Time
	}{{"from", body.From, &c.From}, {"to", body.To, &c.To}} {
		if *at.into, err = time.Parse(time.RFC3339, at.text); err != nil {
			return apikit.BadRequest("%s %q is not a time: use one such as 2026-12-24T18:00:00Z", at.name, oneline.Clean(at.text, 40))
		}
	}
	actor, err := a.shiftActor(r, body.By)
	if err != nil {
		return err
	}
	if c, err = service.Add(r.Context(), c, actor); err != nil {
		return notYours(err)
	}
	people.About(r.Context(), cmp.Or(c.Team, c.User), c.String())
	made := ViewOverride(service, c)
	if c.User != actor.User {
		made.Untold = a.cfg.Ways.Untold(c.User)
	}
	httpkit.WriteJSON(w, http.StatusCreated, made)
	return nil
}

// deleteOverride answers DELETE /overrides/{id}. What the service refuses keeps its kind; see
// notYours.
func (a *API) deleteOverride(w http.ResponseWriter, r *http.Request) error {
	service, err := a.shifts()
	if err != nil {
		return err
	}
	actor, err := a.shiftActor(r, "")
	if err != nil {
		return err
	}
	c, err := service.Remove(r.Context(), r.PathValue("id"), actor)
	if err != nil {
		return notYours(err)
	}
	people.About(r.Context(), cmp.Or(c.Team, c.User), c.String())
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// notYours answers 403 where others have a say: their credentials are right.
func notYours(err error) error {
	if integration.KindOf(err) == integration.KindUnauthorized {
		return apikit.Refuse(http.StatusForbidden, "unauthorized", "%s", httpkit.Message(err))
	}
	return err
}

// maxSchedule bounds the time that a schedule is asked for.
const maxSchedule = 100 * 24 * time.Hour

// teamSchedule answers GET /teams/{id}/schedule: who is on call from one time to another. By
// default for thirty days from now.
func (a *API) teamSchedule(w http.ResponseWriter, r *http.Request) error {
	p, ok := a.Platform.(interface{ File() *switchboardfile.File })
	if !ok {
		return apikit.Refuse(http.StatusNotFound, "not_found", "the platform keeps schedules itself and says only who is on call at a time: ask /teams/%s/oncall?at=…", r.PathValue("id"))
	}
	f := p.File()
	t := f.Team(r.PathValue("id"))
	if t == nil {
		return apikit.Refuse(http.StatusNotFound, "not_found", "team %q: the switchboard file has none of this id", r.PathValue("id"))
	}
	from, err := timeParameter(r, "from", clock.Wall(a.Clock))
	if err != nil {
		return err
	}
	to, err := timeParameter(r, "to", from.AddDate(0, 0, 30))
	if err != nil {
		return err
	}
	if !from.Before(to) || to.Sub(from) > maxSchedule {
		return apikit.BadRequest("to must be after from, by at most 100 days")
	}
	views := []segmentView{}
	for layer := range t.Schedule.Layers {
		for _, s := range t.Schedule.Segments(layer+1, from, to) {
			views = append(views, viewSegment(f, layer+1, s))
		}
	}
	httpkit.WriteJSON(w, http.StatusOK, views)
	return nil
}

// viewSegment shows a segment with its people; times are in UTC.
func viewSegment(f *switchboardfile.File, layer int, s schedule.Segment) segmentView {
	v := segmentView{Layer: layer, From: s.From.UTC(), To: s.To.UTC(), Users: []userView{}, Overridden: s.Overridden}
	for _, u := range f.People(s.Users) {
		v.Users = append(v.Users, viewUser(u))
	}
	return v
}

// FirstYear and LastYear bound the times that anything is asked about: nothing is known or planned
// outside them, and JSON has no form for years beyond 9999.
const FirstYear, LastYear = 1970, 2200

// timeParameter reads a time of the query. A plus sign in a query is a space, which is what most
// wrong times come of.
func timeParameter(r *http.Request, name string, missing time.Time) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return missing, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, apikit.BadRequest("%s is not a time: use one such as 2026-12-24T18:00:00Z (a plus sign is written %%2B)", name)
	}
	if year := t.UTC().Year(); year < FirstYear || year > LastYear {
		return t, apikit.BadRequest("%s is in the year %d: choose a time from %d to %d", name, year, FirstYear, LastYear)
	}
	return t, nil
}
