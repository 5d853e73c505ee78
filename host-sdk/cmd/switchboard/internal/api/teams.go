package api

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// userView is a person, with the phones in the order in which they are rung.
type userView struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Email  string   `json:"email"`
	Phones []string `json:"phones"`
}

// onCallView is a person on call in one layer; layer 1 is paged first.
type onCallView struct {
	Layer int      `json:"layer"`
	User  userView `json:"user"`
}

// listTeams answers GET /teams. On a platform whose teams differ by integration these are those of
// the whole installation.
func (a *API) listTeams(w http.ResponseWriter, r *http.Request) error {
	teams, err := a.Platform.Teams(r.Context(), a.Scope(""))
	if err != nil {
		return err
	}
	views := make([]apikit.Team, 0, len(teams))
	for _, t := range teams {
		views = append(views, apikit.Team{ID: t.ID, Name: t.Name})
	}
	httpkit.WriteJSON(w, http.StatusOK, views)
	return nil
}

// onCall answers GET /teams/{id}/oncall, for now or for the time in the query. All layers, in their
// order. An unknown team is 404 where the platform says so.
func (a *API) onCall(w http.ResponseWriter, r *http.Request) error {
	at, err := timeParameter(r, "at", clock.Wall(a.Clock))
	if err != nil {
		return err
	}
	entries, err := a.Platform.OnCall(r.Context(), a.Scope(""), r.PathValue("id"), 0, at)
	if err != nil {
		return err
	}
	views := make([]onCallView, 0, len(entries))
	for _, e := range entries {
		views = append(views, onCallView{e.Layer, viewUser(e.User)})
	}
	httpkit.WriteJSON(w, http.StatusOK, views)
	return nil
}

// viewUser shows a person.
func viewUser(u integration.User) userView {
	return userView{ID: u.ID, Name: u.Name, Email: u.Email, Phones: apikit.List(u.Phones)}
}
