package calls

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/lists"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// alertView is an alert as answers and events show it. Lists are never null, so that clients need
// no check before they iterate. Its JSON is part of the API: fields are added and never renamed.
type alertView struct {
	ID               string                  `json:"id"`
	Key              string                  `json:"key"`
	IntegrationID    string                  `json:"integration_id"`
	URL              string                  `json:"url"`
	Status           integration.AlertStatus `json:"status"`
	Urgency          string                  `json:"urgency"`
	Title            string                  `json:"title"`
	Description      string                  `json:"description"`
	Fields           []fieldView             `json:"fields"`
	DestinationTeams []string                `json:"destination_teams"` // team ids
	Teams            []apikit.Team           `json:"teams"`             // the same with names
	Layer            int                     `json:"layer"`
	Round            int                     `json:"round"`
	Paged            []string                `json:"paged"` // user ids
	Acknowledgements []acknowledgementView   `json:"acknowledgements"`
	Attachments      []attachmentView        `json:"attachments"`
	Log              []logView               `json:"log"`
	Call             *alertCallView          `json:"call"` // null: there is no record of it
	CreatedAt        *time.Time              `json:"created_at"`
	UpdatedAt        *time.Time              `json:"updated_at"`
}

// fieldView is one labelled value of an alert.
type fieldView struct {
	Label  string                  `json:"label"`
	Value  string                  `json:"value"`
	Format integration.FieldFormat `json:"format"`
}

// acknowledgementView says who took an alert, and when.
type acknowledgementView struct {
	ID       string     `json:"id"`
	User     string     `json:"user"` // "" = not a known person
	UserName string     `json:"user_name"`
	At       *time.Time `json:"at"`
}

// attachmentView is a recording of an alert.
type attachmentView struct {
	Label       string     `json:"label"`
	Ref         string     `json:"ref"`
	URL         string     `json:"url"` // guarded, like the rest of the API
	Name        string     `json:"name"`
	ContentType string     `json:"content_type"`
	Bytes       int64      `json:"bytes"`
	Duration    float64    `json:"duration"` // seconds; 0 = unknown
	At          *time.Time `json:"at"`
}

// logView is one line of an alert's log.
type logView struct {
	Time      *time.Time `json:"time"`
	Actor     string     `json:"actor"` // user id, or "" for the software
	ActorName string     `json:"actor_name"`
	Message   string     `json:"message"`
}

// alertCallView is what the host knows of an alert's call. It is what a list needs; GET
// /calls/{sid} has all.
type alertCallView struct {
	SID   string `json:"sid"`
	From  string `json:"from"` // "" = withheld
	Name  string `json:"name"`
	City  string `json:"city"`
	State string `json:"state"`
	Ended string `json:"ended"` // how it ended; "" while it runs
	// Seconds until the caller spoke with a person, or was gone, or now; null: not known.
	Waited  *float64 `json:"waited"`
	Unheard int      `json:"unheard"` // recordings that nobody has heard
}

// viewAlertCall shows the call of an alert. nil: there is no record of it.
func (o *Operations) viewAlertCall(alert lists.Alert) *alertCallView {
	c := alert.Call
	if c == nil {
		return nil
	}
	who := lists.CallerOf(alert.AlertRecord, c)
	view := &alertCallView{SID: c.Key, From: c.View.From, Name: who.Name, City: who.City, State: c.View.State, Ended: c.View.Ended, Unheard: c.Unheard}
	if waited, known := lists.Waited(c, o.Clock.Now()); known {
		seconds := waited.Seconds()
		view.Waited = &seconds
	}
	return view
}

// lists is where lists of alerts and calls come from.
func (o *Operations) lists() lists.Source {
	return lists.Source{Browser: o.browser, Platform: o.Platform, Store: o.Store, Scope: o.Scope}
}

// names looks up names for one answer. It remembers names for the length of the answer.
func (o *Operations) names(ctx context.Context) *names.Lookup {
	return names.New(ctx, o.Platform, o.Scope(""))
}

// viewAlert shows an alert, with the name beside each id: a client would otherwise need a request
// for each person. n is shared by all alerts of an answer.
func (o *Operations) viewAlert(n *names.Lookup, alert lists.Alert) alertView {
	rec := alert.AlertRecord
	view := alertView{
		ID: rec.ID, Key: rec.Key, IntegrationID: rec.Integration, URL: rec.URL, Status: rec.Status, Urgency: rec.Urgency,
		Title: rec.Title, Description: rec.Description, Fields: []fieldView{}, DestinationTeams: apikit.List(rec.Teams), Teams: []apikit.Team{},
		Layer: rec.Layer, Round: rec.Round, Paged: apikit.List(rec.Paged), Acknowledgements: []acknowledgementView{},
		Attachments: []attachmentView{}, Log: []logView{}, Call: o.viewAlertCall(alert), CreatedAt: apikit.Moment(rec.CreatedAt), UpdatedAt: apikit.Moment(rec.UpdatedAt),
	}
	for _, id := range rec.Teams {
		view.Teams = append(view.Teams, apikit.Team{ID: id, Name: n.Team(id)})
	}
	for _, f := range rec.Fields {
		view.Fields = append(view.Fields, fieldView(f))
	}
	for _, k := range rec.Acknowledgements {
		view.Acknowledgements = append(view.Acknowledgements, acknowledgementView{k.ID, k.User, n.User(k.User), apikit.Moment(k.At)})
	}
	for _, t := range rec.Attachments {
		view.Attachments = append(view.Attachments, attachmentView{
			Label: t.Label, Ref: t.Media.Ref, URL: o.PublicURL + apikit.Prefix + "/media/" + url.PathEscape(t.Media.Ref), Name: t.Media.Name,
			ContentType: t.Media.ContentType, Bytes: t.Media.Bytes, Duration: t.Media.Duration.Seconds(), At: apikit.Moment(t.At),
		})
	}
	for _, l := range rec.Log {
		view.Log = append(view.Log, logView{apikit.Moment(l.At), l.Actor, n.User(l.Actor), l.Message})
	}
	return view
}

// alertBrowser returns the platform's alerts, or the refusal that says where they are. The routes
// exist on every host, so that a client can tell a missing feature from a wrong address. The
// refusal has status 501.
func (o *Operations) alertBrowser() (platform.AlertBrowser, error) {
	if o.browser == nil {
		where := "the platform behind it shows them"
		if o.PlatformPage != "" {
			where += ": " + o.PlatformPage
		}
		return nil, apikit.Refuse(http.StatusNotImplemented, "unsupported", "this host does not serve alerts: %s", where)
	}
	return o.browser, nil
}

// listAlerts answers GET /alerts. A Link header leads to the next ones. An unknown integration
// gives an empty list: it may have been deleted, and its alerts with it.
func (o *Operations) listAlerts(w http.ResponseWriter, r *http.Request) error {
	if _, err := o.alertBrowser(); err != nil {
		return err
	}
	q, err := lists.Read(r.URL.Query(), apikit.MaxList)
	if err != nil {
		return err
	}
	alerts, next, err := o.lists().Alerts(r.Context(), q)
	if err != nil {
		return err
	}
	n := o.names(r.Context())
	views := make([]alertView, 0, len(alerts))
	for _, alert := range alerts {
		views = append(views, o.viewAlert(n, alert))
	}
	o.linkNext(w, r, "/alerts", next)
	httpkit.WriteJSON(w, http.StatusOK, views)
	return nil
}

// linkNext says where the next page of a list is; "": there is none. It keeps what the list was
// narrowed by. Absolute, as the API may be behind another path.
func (o *Operations) linkNext(w http.ResponseWriter, r *http.Request, path, next string) {
	if next == "" {
		return
	}
	q := r.URL.Query()
	q.Set("cursor", next)
	w.Header().Set("Link", "<"+o.PublicURL+apikit.Prefix+path+"?"+q.Encode()+`>; rel="next"`)
}

// writeAlert answers with one alert.
func (o *Operations) writeAlert(w http.ResponseWriter, r *http.Request, rec platform.AlertRecord) error {
	view, err := o.viewRecordOf(r.Context(), rec)
	if err != nil {
		return err
	}
	httpkit.WriteJSON(w, http.StatusOK, view)
	return nil
}

// viewRecordOf shows an alert with its call. Events and answers show an alert alike.
func (o *Operations) viewRecordOf(ctx context.Context, rec platform.AlertRecord) (alertView, error) {
	alert := lists.Alert{AlertRecord: rec}
	calls, err := o.Store.CallsByAlert(ctx, rec.Integration, []string{rec.Key})
	if err != nil {
		return alertView{}, err
	}
	if len(calls) > 0 {
		alert.Call = &calls[0]
	}
	return o.viewAlert(o.names(ctx), alert), nil
}

// findAlert reads the alert that a request names.
func (o *Operations) findAlert(r *http.Request) (platform.AlertRecord, error) {
	browser, err := o.alertBrowser()
	if err != nil {
		return platform.AlertRecord{}, err
	}
	return browser.GetAlert(r.Context(), r.PathValue("id"))
}

// getAlert answers GET /alerts/{id}.
func (o *Operations) getAlert(w http.ResponseWriter, r *http.Request) error {
	rec, err := o.findAlert(r)
	if err != nil {
		return err
	}
	return o.writeAlert(w, r, rec)
}

// actBody names the person who acts. A token says nothing of who holds it, and the alert's log is
// to name a person. A browser that somebody is logged in with leaves it out.
type actBody struct {
	User string `json:"user"`
}

// actor is the platform's id of the person in whose name a request acts. A person acts in their own
// name; with a token the body names somebody. A person whom the platform does not know cannot act:
// the log could not name them.
func (o *Operations) actor(r *http.Request, named string) (string, error) {
	who := people.From(r.Context())
	if !who.Person() {
		if named == "" {
			return "", apikit.BadRequest("user is missing: give the id of the person who acts, such as {\"user\": \"alice\"}")
		}
		// While the platform does not answer, the id alone decides.
		u, err := o.Platform.User(r.Context(), o.Scope(""), named)
		if err != nil {
			u = integration.User{ID: named}
		}
		if o.People.OnlyLooks(u) {
			return "", apikit.Refuse(http.StatusForbidden, "unauthorized", "user %q is a viewer, who looks only: name somebody else, or have their role changed in the switchboard file", named)
		}
		return named, nil
	}
	own := who.User
	if finder, ok := o.Platform.(platform.UserByEmail); ok && own == "" {
		if u, err := finder.UserByEmail(r.Context(), o.Scope(""), who.Email); err == nil {
			own = u.ID
		}
	}
	switch {
	case own == "":
		return "", apikit.Refuse(http.StatusForbidden, "unauthorized", "the platform does not know %s: give the account a user in the switchboard file", who.Who())
	case named != "" && named != own:
		return "", apikit.Refuse(http.StatusForbidden, "unauthorized", "you are logged in as %s and act in your own name alone: leave user out", own)
	}
	return own, nil
}

// actOnAlert makes the handler of one action. Its answer is the alert after the action, so that a
// client need not read it again. What the platform refuses, such as an alert that is over, keeps
// its kind.
func (o *Operations) actOnAlert(action platform.AlertAction) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		browser, err := o.alertBrowser()
		if err != nil {
			return err
		}
		var body actBody
		if err := apikit.ReadJSON(w, r, &body); err != nil {
			return err
		}
		user, err := o.actor(r, body.User)
		if err != nil {
			return err
		}
		rec, err := browser.Act(r.Context(), r.PathValue("id"), action, user)
		if err != nil {
			return err
		}
		return o.writeAlert(w, r, rec)
	}
}
