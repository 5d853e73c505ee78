package process

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/transport"
)

// profiled has a plugin that makes a profile of the heap, and one that makes none.
type profiled struct{}

func (profiled) Plugin(id string) (integration.Integration, bool) {
	switch id {
	case "go":
		return profiledPlugin{}, true
	case "other":
		return struct{ integration.Integration }{}, true
	}
	return nil, false
}

func (profiled) PluginIDs() []string { return []string{"go", "other"} }

type profiledPlugin struct{ integration.Integration }

func (profiledPlugin) Profile(_ context.Context, what transport.Profile) ([]byte, error) {
	if what != (transport.Profile{Name: "heap", Debug: 1}) {
		return nil, integration.Errorf(integration.KindInvalid, "there is no profile %v", what)
	}
	return []byte("the heap"), nil
}

// TestProfilesAreForAdmins asks for a profile as each role, and for the command line, which may
// hold secrets.
func TestProfilesAreForAdmins(t *testing.T) {
	t.Parallel()
	get := func(path string, role people.Role) int {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		Profiles(profiled{}).ServeHTTP(w, r.WithContext(people.With(r.Context(), people.Identity{How: people.ByNamedToken, Token: "ci", Role: role})))
		return w.Code
	}
	for role, want := range map[people.Role]int{people.Admin: http.StatusOK, people.Responder: http.StatusForbidden, people.Viewer: http.StatusForbidden} {
		for _, path := range []string{"heap", "plugins/go/heap?debug=1"} {
			if got := get(ProfilingPrefix+path, role); got != want {
				t.Errorf("%s for the role %s: status %d, want %d", path, role, got, want)
			}
		}
	}
	for _, path := range []string{"plugins/go/cmdline", "plugins/other/heap", "plugins/none/heap"} {
		if got := get(ProfilingPrefix+path, people.Admin); got != http.StatusNotFound {
			t.Errorf("%s: status %d, want %d", path, got, http.StatusNotFound)
		}
	}
	if got := get(ProfilingPrefix+"cmdline", people.Admin); got != http.StatusNotFound {
		t.Errorf("the command line: status %d, want %d", got, http.StatusNotFound)
	}
}
