package calls

import (
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/lists"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// callView is a call as answers and events show it. It is also what the event stream sends.
type callView struct {
	SID           string     `json:"sid"`
	IntegrationID string     `json:"integration_id"`
	From          string     `json:"from"` // "" = withheld
	To            string     `json:"to"`
	State         string     `json:"state"`
	Ended         string     `json:"ended"` // how it ended; "" while it runs
	Team          string     `json:"team"`
	TeamName      string     `json:"team_name"`
	StartedAt     *time.Time `json:"started_at"`
	EndedAt       *time.Time `json:"ended_at"`
	Legs          []legView  `json:"legs"`
}

// legView is one telephone line of a call: the caller's, or a responder's.
type legView struct {
	ID        string     `json:"id"`
	Role      string     `json:"role"`
	User      string     `json:"user"`
	Name      string     `json:"name"`
	Phone     string     `json:"phone"`
	State     string     `json:"state"`
	Reason    string     `json:"reason"`
	StartedAt *time.Time `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

// viewCall shows a call. Words for state and reason are the plugin's own: the host does not know
// what a call is, and clients show unknown words as they are. integrationID stands beside the call,
// which does not know it.
func viewCall(integrationID string, c *integration.CallView) callView {
	view := callView{
		SID: c.ID, IntegrationID: integrationID, From: c.From, To: c.To, State: c.State, Ended: c.Ended, Team: c.Team, TeamName: c.TeamName,
		StartedAt: apikit.Moment(c.StartedAt), EndedAt: apikit.Moment(c.EndedAt), Legs: []legView{},
	}
	for _, l := range c.Legs {
		view.Legs = append(view.Legs, legView{l.ID, l.Role, l.User, l.Name, l.Phone, l.State, l.Reason, apikit.Moment(l.StartedAt), apikit.Moment(l.EndedAt)})
	}
	return view
}

// listCalls answers GET /calls. A Link header leads to the next ones. An unknown team is an error
// where the list would be empty.
func (o *Operations) listCalls(w http.ResponseWriter, r *http.Request) error {
	q, err := lists.Read(r.URL.Query(), apikit.MaxList)
	if err != nil {
		return err
	}
	calls, next, err := o.lists().Calls(r.Context(), q.Filter())
	if err != nil {
		return err
	}
	views := make([]listedCall, 0, len(calls))
	for _, c := range calls {
		views = append(views, listCall(c))
	}
	o.linkNext(w, r, "/calls", next)
	httpkit.WriteJSON(w, http.StatusOK, views)
	return nil
}

// exportCalls answers GET /calls.csv. It has no time limit of its own; see Source.ServeCSV.
func (o *Operations) exportCalls(w http.ResponseWriter, r *http.Request) error {
	return o.lists().ServeCSV(w, r, o.Clock.Now())
}

// findCall reads the record that a request names. Carriers give each call an id of its own, so a
// call is found without its integration; of several the newest is meant.
func (o *Operations) findCall(r *http.Request) (store.Call, error) {
	calls, err := o.Store.CallsByKey(r.Context(), r.PathValue("sid"))
	if err != nil {
		return store.Call{}, err
	}
	if len(calls) == 0 {
		return store.Call{}, apikit.Refuse(http.StatusNotFound, "not_found", "there is no call %q, or its record has been deleted", r.PathValue("sid"))
	}
	return calls[0], nil
}

// getCall answers GET /calls/{sid}. The whole record, with its story, recordings and notes.
func (o *Operations) getCall(w http.ResponseWriter, r *http.Request) error {
	c, err := o.findCall(r)
	if err != nil {
		return err
	}
	httpkit.WriteJSON(w, http.StatusOK, o.viewRecord(o.names(r.Context()), c))
	return nil
}

// deleteCall answers DELETE /calls/{sid}. A live call is a conflict. Its alert stays.
func (o *Operations) deleteCall(w http.ResponseWriter, r *http.Request) error {
	c, err := o.findCall(r)
	if err == nil {
		err = o.Engine.DeleteCall(r.Context(), c.Integration, c.Key, o.deletion(r))
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// noteBody is what a person writes about a call.
type noteBody struct {
	User string `json:"user"`
	Text string `json:"text"`
}

// addNote answers POST /calls/{sid}/notes. Notes are by a person of the platform, also where a
// program sends them.
func (o *Operations) addNote(w http.ResponseWriter, r *http.Request) error {
	var body noteBody
	if err := apikit.ReadJSON(w, r, &body); err != nil {
		return err
	}
	c, err := o.findCall(r)
	if err != nil {
		return err
	}
	user, err := o.knownUser(r, body.User)
	if err != nil {
		return err
	}
	n, err := o.Store.AddNote(r.Context(), c.Integration, c.Key, store.Note{At: o.Clock.Now(), By: user, Text: body.Text})
	if err != nil {
		return err
	}
	httpkit.WriteJSON(w, http.StatusCreated, viewNote(o.names(r.Context()), n))
	return nil
}

// deleteNote answers DELETE /calls/{sid}/notes/{note}.
func (o *Operations) deleteNote(w http.ResponseWriter, r *http.Request) error {
	c, err := o.findCall(r)
	if err == nil {
		err = o.Store.DeleteNote(r.Context(), c.Integration, c.Key, r.PathValue("note"))
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// markHeard answers POST /calls/{sid}/recordings/{ref}/heard. The answer is the record as it is
// now.
func (o *Operations) markHeard(w http.ResponseWriter, r *http.Request) error {
	var body actBody
	if err := apikit.ReadJSON(w, r, &body); err != nil {
		return err
	}
	// Of a page's link the identity cannot know which recording is its alert's.
	if who := people.From(r.Context()); who.Alert != "" && !o.recordingOf(r, who.Alert, r.PathValue("ref")) {
		return apikit.Refuse(http.StatusForbidden, "unauthorized", "%s", who.Refuse(people.Hear).Message)
	}
	c, err := o.findCall(r)
	if err != nil {
		return err
	}
	user, err := o.knownUser(r, body.User)
	if err != nil {
		return err
	}
	heard := store.Heard{By: user, At: o.Clock.Now()}
	if err := o.Store.MarkHeard(r.Context(), c.Integration, c.Key, r.PathValue("ref"), heard); err != nil {
		return err
	}
	return o.getCall(w, r)
}

// knownUser is the actor of a request, refused where the platform knows nobody of this id. While
// the platform cannot say, it is taken as it is. What is written into the store names a person for
// ever.
func (o *Operations) knownUser(r *http.Request, named string) (string, error) {
	id, err := o.actor(r, named)
	if err != nil {
		return "", err
	}
	if _, err := o.Platform.User(r.Context(), o.Scope(""), id); integration.KindOf(err) == integration.KindNotFound {
		return "", err
	}
	return id, nil
}
