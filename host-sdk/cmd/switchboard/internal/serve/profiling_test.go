package serve

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
)

// TestProfilesAreForAdmins asks for a profile as each role, and for the command line, which may hold
// secrets.
func TestProfilesAreForAdmins(t *testing.T) {
	t.Parallel()
	get := func(path string, role people.Role) int {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		profiles().ServeHTTP(w, r.WithContext(people.With(r.Context(), people.Identity{How: people.ByNamedToken, Token: "ci", Role: role})))
		return w.Code
	}
	for role, want := range map[people.Role]int{people.Admin: http.StatusOK, people.Responder: http.StatusForbidden, people.Viewer: http.StatusForbidden} {
		if got := get(profilingPrefix+"heap", role); got != want {
			t.Errorf("a profile for the role %s: status %d, want %d", role, got, want)
		}
	}
	if got := get(profilingPrefix+"cmdline", people.Admin); got != http.StatusNotFound {
		t.Errorf("the command line: status %d, want %d", got, http.StatusNotFound)
	}
}
