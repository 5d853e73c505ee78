package names

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// directory is a platform that knows a few names and counts how often it is asked for a person.
type directory struct {
	platform.Platform
	down  bool
	asked map[string]int
}

func (d *directory) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	if d.down {
		return nil, integration.Errorf(integration.KindUnavailable, "down")
	}
	return []integration.Destination{{ID: "devops", Name: "DevOps"}, {ID: "plain"}}, nil
}

func (d *directory) User(_ context.Context, _ platform.Scope, id string) (integration.User, error) {
	d.asked[id]++
	switch {
	case d.down:
		return integration.User{}, integration.Errorf(integration.KindUnavailable, "down")
	case id == "alice":
		return integration.User{ID: id, Name: "Alice Example"}, nil
	case id == "plain":
		return integration.User{ID: id}, nil
	}
	return integration.User{}, integration.Errorf(integration.KindNotFound, "there is no user %q", id)
}

func TestLookup(t *testing.T) {
	t.Parallel()
	d := &directory{asked: map[string]int{}}
	l := New(t.Context(), d, platform.Scope{})
	if diff := cmp.Diff([]string{"DevOps", "plain", "gone"}, l.Teams([]string{"devops", "plain", "gone"})); diff != "" {
		t.Errorf("teams (-want +got):\n%s", diff)
	}
	for range 2 {
		if diff := cmp.Diff([]string{"Alice Example", "plain", "gone", ""}, l.Users([]string{"alice", "plain", "gone", ""})); diff != "" {
			t.Errorf("users (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(map[string]int{"alice": 1, "plain": 1, "gone": 1}, d.asked); diff != "" {
		t.Errorf("the platform was asked more than once (-want +got):\n%s", diff)
	}
}

// Without the platform an answer shows ids rather than nothing.
func TestLookupOfAPlatformThatIsDown(t *testing.T) {
	t.Parallel()
	l := New(t.Context(), &directory{down: true, asked: map[string]int{}}, platform.Scope{})
	if team, user := l.Team("devops"), l.User("alice"); team != "devops" || user != "alice" {
		t.Errorf("team %q, user %q; want the ids", team, user)
	}
}
