package access

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
)

// TestUser sends a person a test by their ways, and shows what came of each.
func (a *Access) TestUser(w http.ResponseWriter, r *http.Request) error {
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	notices, err := a.site.TestWays(w, r, r.PathValue("user"))
	if err != nil {
		return err
	}
	people.About(r.Context(), "", r.PostFormValue("way"))
	return a.draw(w, r, http.StatusOK, peopleBody{Role: string(people.Viewer)}, notices)
}
