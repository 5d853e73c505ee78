package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

func TestPlugins(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	a := h.Want(200, "GET", "/api/v1/plugins/"+hosttest.PluginID+"/options-schema", nil)
	if got := string(a.Body); got != hosttest.Schema {
		t.Fatalf("verbatim: got %v, want %v", got, hosttest.Schema)
	}
	h.Want(404, "GET", "/api/v1/plugins/nothing/options-schema", nil)
	var plugins []object
	h.Want(200, "GET", "/api/v1/plugins", nil).JSON(t, &plugins)
	if len(plugins) != 1 {
		t.Fatalf("len(plugins) = %d, want %d: %v", len(plugins), 1, plugins)
	}
	if got := plugins[0]["version"]; got != "1.2.3" {
		t.Fatalf(`plugins[0]["version"] = %q, want %q`, got, "1.2.3")
	}
	if plugins[0]["running"] != true {
		t.Fatal(`plugins[0]["running"] is not true`)
	}
	if got := plugins[0]["actions"].([]any); len(got) != 1 {
		t.Fatalf(`len(plugins[0]["actions"]) = %d, want %d: %v`, len(got), 1, got)
	}
}

func TestTeams(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	var teams []object
	h.Want(200, "GET", "/api/v1/teams", nil).JSON(t, &teams)
	if diff := cmp.Diff([]object{{"id": "devops", "name": "DevOps"}}, teams); diff != "" {
		t.Fatalf("teams (-want +got):\n%s", diff)
	}
	var entries []struct {
		Layer int
		User  struct {
			ID, Name, Email string
			Phones          []string
		}
	}
	// Alice has the week of 5 January 2026, Bob the next; Bob is always in layer 2. 09:00 in New
	// York is 14:00 UTC.
	for at, first := range map[string]string{"2026-01-12T13:59:59Z": "alice", "2026-01-12T14:00:00Z": "bob", "2026-01-12T15:00:00%2B02:00": "alice"} {
		h.Want(200, "GET", "/api/v1/teams/devops/oncall?at="+at, nil).JSON(t, &entries)
		if len(entries) != 2 {
			t.Fatalf("%v: got %d, want %d: %v", at, len(entries), 2, entries)
		}
		if diff := cmp.Diff(first, entries[0].User.ID); diff != "" {
			t.Fatalf("%v (-want +got):\n%s", at, diff)
		}
		if got := entries[0].Layer; got != 1 {
			t.Fatalf("entries[0].Layer = %v, want %v", got, 1)
		}
		if got := entries[1].User.ID; got != "bob" {
			t.Fatalf("entries[1].User.ID = %q, want %q", got, "bob")
		}
		if got := entries[1].User.Phones; len(got) == 0 {
			t.Fatal("entries[1].User.Phones is empty")
		}
	}
	h.Want(200, "GET", "/api/v1/teams/devops/oncall", nil)
	h.Want(404, "GET", "/api/v1/teams/nobody/oncall", nil)
	h.Want(400, "GET", "/api/v1/teams/devops/oncall?at=tomorrow", nil)
}
