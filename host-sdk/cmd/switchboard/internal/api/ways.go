package api

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// testUser answers POST /users/{id}/test: everybody may try their own ways, an admin those of others.
func (a *API) testUser(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Way string `json:"way"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	who, id := people.From(r.Context()), r.PathValue("id")
	if !(who.Person() && who.User == id) && !who.May(people.Manage, "") {
		return who.Refuse(people.Manage)
	}
	if a.cfg.Ways == nil {
		return integration.Errorf(integration.KindNotFound, "another platform has the people and pages them: try it there")
	}
	results, err := a.cfg.Ways.Test(r.Context(), id, body.Way)
	if err != nil {
		return err
	}
	people.About(r.Context(), id, body.Way)
	httpkit.WriteJSON(w, http.StatusOK, results)
	return nil
}
