package api

import (
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// testUser answers POST /users/{id}/test: everybody may try their own ways, an admin those of
// others. The token of a product may have phones rung, for people who ask for it on its pages:
// whoever has it can wake anybody, so a token that acts on alerts does not include it. It answers
// when all ways were tried; a ring takes minutes.
func (a *API) testUser(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Way         string `json:"way"`
		Integration string `json:"integration"`
	}
	if err := apikit.ReadJSON(w, r, &body); err != nil {
		return err
	}
	who, id := people.From(r.Context()), r.PathValue("id")
	need := people.Manage
	if body.Way == ways.Ring && who.How == people.ByNamedToken {
		need = people.RingThem
	}
	// A person whose account names no user has no ways of their own.
	if own := who.Person() && who.User == id; !own && !who.May(need, "") {
		return who.Refuse(need)
	}
	if body.Way == ways.Ring {
		httpkit.Extend(w, time.Now(), ways.RingTime) // wall clock: a deadline of real I/O
		people.About(r.Context(), id, body.Way)
		results, err := a.cfg.Ringer.Ring(r.Context(), id, body.Integration)
		if err == nil {
			httpkit.WriteJSON(w, http.StatusOK, results)
		}
		return err
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
