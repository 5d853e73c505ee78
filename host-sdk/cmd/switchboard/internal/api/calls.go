package api

import (
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// maxList bounds lists. There are no pages: who wants more than the newest filters.
const maxList = 1000

// callView is a call as answers and events show it.
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
// what a call is, and clients show unknown words as they are.
func viewCall(integrationID string, c *integration.CallView) callView {
	view := callView{
		SID: c.ID, IntegrationID: integrationID, From: c.From, To: c.To, State: c.State, Ended: c.Ended, Team: c.Team, TeamName: c.TeamName,
		StartedAt: moment(c.StartedAt), EndedAt: moment(c.EndedAt), Legs: []legView{},
	}
	for _, l := range c.Legs {
		view.Legs = append(view.Legs, legView{l.ID, l.Role, l.User, l.Name, l.Phone, l.State, l.Reason, moment(l.StartedAt), moment(l.EndedAt)})
	}
	return view
}

// listCalls answers GET /calls.
func (a *API) listCalls(w http.ResponseWriter, r *http.Request) error {
	limit, err := queryInt(r, "limit", 100, maxList)
	if err != nil {
		return err
	}
	live, err := queryBool(r, "live")
	if err != nil {
		return err
	}
	sessions, err := a.cfg.Store.ListSessions(r.Context(), store.SessionFilter{
		Integration: r.URL.Query().Get("integration"), LiveOnly: live, CallsOnly: true, Limit: limit,
	})
	if err != nil {
		return err
	}
	views := make([]callView, 0, len(sessions))
	for _, s := range sessions {
		if s.Call != nil {
			views = append(views, viewCall(s.Integration, s.Call))
		}
	}
	httpkit.WriteJSON(w, http.StatusOK, views)
	return nil
}

// getCall answers GET /calls/{sid}. Carriers give each call an id of its own, so a call is found
// without its integration; of several the newest is shown.
func (a *API) getCall(w http.ResponseWriter, r *http.Request) error {
	sessions, err := a.cfg.Store.SessionsByKey(r.Context(), r.PathValue("sid"))
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if s.Call != nil {
			httpkit.WriteJSON(w, http.StatusOK, viewCall(s.Integration, s.Call))
			return nil
		}
	}
	return refuse(http.StatusNotFound, "not_found", "there is no call %q, or it is older than the call history", r.PathValue("sid"))
}
