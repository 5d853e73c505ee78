package access

import (
	"net/http"
	"net/url"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
)

// TestUser sends a person a test by their ways, and shows what came of each. A test ring takes
// minutes, so the browser is sent to a page that follows it; mails and messages are answered at
// once.
func (a *Access) TestUser(w http.ResponseWriter, r *http.Request) error {
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	// The user is in the address and hence in the line already.
	people.About(r.Context(), "", r.PostFormValue("way"))
	user := r.PathValue("user")
	test := a.site.TestWays
	if layout.WantsRing(r) {
		test = a.site.StartRing
	}
	notices, err := test(r, user)
	if err != nil {
		return err
	}
	if notices == nil { // it rings
		a.site.Redirect(w, r, "/settings/people/users/"+url.PathEscape(user)+"/test")
		return nil
	}
	return a.draw(w, r, http.StatusOK, peopleBody{Role: string(people.Viewer)}, notices)
}
