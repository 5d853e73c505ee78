package api_test

import (
	"testing"
	"time"
)

// TestOverridesByTheAPI puts somebody on call, looks at the schedule, and takes it back.
func TestOverridesByTheAPI(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	from := time.Now().Add(50 * time.Hour).Truncate(time.Hour).UTC()
	text := func(hours int) string { return from.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339) }
	var made object
	h.Want(201, "POST", "/api/v1/overrides", object{"team": "devops", "layer": 1, "user": "bob", "from": text(0), "to": text(2), "note": "swap", "by": "Alice"}).JSON(t, &made)
	wantFields(t, made, object{"team": "devops", "layer": 1.0, "user": "bob", "from": text(0), "to": text(2), "note": "swap", "by": "Alice"})
	h.Want(201, "POST", "/api/v1/overrides", object{"user": "alice", "from": text(5), "to": text(6)})

	var segments []object
	h.Want(200, "GET", "/api/v1/teams/devops/schedule?from="+text(0)+"&to="+text(2), nil).JSON(t, &segments)
	if len(segments) == 0 {
		t.Fatal("no segments")
	}
	wantFields(t, segments[0], object{"layer": 1.0, "from": text(0), "to": text(2), "overridden": true})
	if got := segments[0]["users"].([]any)[0].(object)["id"]; got != "bob" {
		t.Errorf("%v is on call, want bob", got)
	}
	var list []object
	h.Want(200, "GET", "/api/v1/overrides", nil).JSON(t, &list)
	if len(list) != 2 || list[0]["id"] != made["id"] || list[1]["team"] != "" {
		t.Errorf("the overrides are %v", list)
	}
	h.Want(409, "POST", "/api/v1/overrides", object{"team": "devops", "layer": 1, "user": "alice", "from": text(5), "to": text(7)})
	for name, body := range map[string]object{
		"no time":    {"team": "devops", "layer": 1, "user": "bob"},
		"no person":  {"team": "devops", "layer": 1, "from": text(0), "to": text(1)},
		"a stranger": {"team": "devops", "layer": 1, "user": "mallory", "from": text(0), "to": text(1)},
		"backwards":  {"team": "devops", "layer": 1, "user": "bob", "from": text(1), "to": text(0)},
		"no layer":   {"team": "devops", "user": "bob", "from": text(0), "to": text(1)},
	} {
		if got := h.Want(400, "POST", "/api/v1/overrides", body); t.Failed() {
			t.Fatalf("%s: %v", name, got)
		}
	}
	h.Want(400, "GET", "/api/v1/overrides?from=soon", nil)
	// Nothing is planned there, and JSON has no form for the year after.
	for _, path := range []string{"teams/devops/schedule?from=9999-12-20T00:00:00Z", "teams/devops/schedule?from=0000-01-01T00:00:00Z&to=0000-01-02T00:00:00Z", "teams/devops/oncall?at=9999-12-31T23:59:59Z", "overrides?from=9999-12-31T23:59:59Z"} {
		h.Want(400, "GET", "/api/v1/"+path, nil)
	}
	h.Want(201, "POST", "/api/v1/overrides", object{"team": "devops", "layer": 1, "user": "bob", "from": text(10), "to": text(12), "by": "\u202eCarol\x00\nExample"}).JSON(t, &made)
	wantFields(t, made, object{"by": "Carol Example"})
	h.Want(400, "GET", "/api/v1/teams/devops/schedule?from="+text(2)+"&to="+text(0), nil)
	h.Want(404, "GET", "/api/v1/teams/nobody/schedule", nil)
	h.Want(204, "DELETE", "/api/v1/overrides/"+made["id"].(string), nil)
	h.Want(404, "DELETE", "/api/v1/overrides/"+made["id"].(string), nil)
}
