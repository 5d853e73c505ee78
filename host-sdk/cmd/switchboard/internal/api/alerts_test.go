package api_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

func TestAlertOfACall(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	alert := call(t, h, in, "CA01")
	wantFields(t, alert, object{
		"status":            "open",
		"urgency":           "high",
		"title":             "Call from +12025550143",
		"destination_teams": []any{"devops"},
		"teams":             []any{object{"id": "devops", "name": "DevOps"}},
		"fields":            []any{object{"label": "Caller", "value": "+12025550143", "format": "phone"}},
		"layer":             1.0,
	})
	if got := alert["log"].([]any); len(got) == 0 {
		t.Fatal(`alert["log"] is empty`)
	}
	if diff := cmp.Diff(in["id"], alert["integration_id"]); diff != "" {
		t.Fatalf("alert[integration_id] (-want +got):\n%s", diff)
	}

	// The finding that the call left is shown with the integration.
	var read object
	h.Want(200, "GET", "/api/v1/integrations/"+in["id"].(string), nil).JSON(t, &read)
	if got := read["findings"].([]any)[0].(object)["code"]; got != "first-call" {
		t.Fatalf(`read["findings"].([]any)[0].(object)["code"] = %q, want %q`, got, "first-call")
	}
}

// What people do with an alert.
func TestAlertActions(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	alert := call(t, h, create(t, h), "CA01")
	id := alert["id"].(string)
	act := func(status int, action, user string) hosttest.Answer {
		return h.Want(status, "POST", "/api/v1/alerts/"+id+"/"+action, object{"user": user})
	}
	act(404, "acknowledge", "nobody")
	_, message := errorOf(t, act(400, "acknowledge", ""))
	if !strings.Contains(message, "user is missing") {
		t.Fatalf("message does not contain %q:\n%s", "user is missing", message)
	}
	h.Want(400, "POST", "/api/v1/alerts/"+id+"/acknowledge", object{"usr": "alice"})
	act(200, "escalate", "alice").JSON(t, &alert)
	if got := alert["layer"]; got != 2.0 {
		t.Fatalf(`alert["layer"] = %v, want %v`, got, 2)
	}
	act(200, "acknowledge", "bob").JSON(t, &alert)
	if got := alert["status"]; got != "acknowledged" {
		t.Fatalf(`alert["status"] = %q, want %q`, got, "acknowledged")
	}
	if got := alert["acknowledgements"].([]any)[0].(object)["user_name"]; got != "Bob Example" {
		t.Fatalf(`alert["acknowledgements"].([]any)[0].(object)["user_name"] = %q, want %q`, got, "Bob Example")
	}
	kind, message := errorOf(t, act(409, "escalate", "alice"))
	if kind != "conflict" {
		t.Fatalf("kind = %q, want %q", kind, "conflict")
	}
	if len(message) == 0 {
		t.Fatal("message is empty")
	}
	act(200, "resolve", "alice").JSON(t, &alert)
	if got := alert["status"]; got != "resolved" {
		t.Fatalf(`alert["status"] = %q, want %q`, got, "resolved")
	}
	last := alert["log"].([]any)[len(alert["log"].([]any))-1].(object)
	wantFields(t, last, object{"actor": "alice", "actor_name": "Alice Example"})
	act(409, "acknowledge", "alice")
	act(409, "reject", "alice")
}

func TestAlertLists(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	id := call(t, h, in, "CA01")["id"].(string)
	call(t, h, in, "CA02")
	h.Want(200, "POST", "/api/v1/alerts/"+id+"/resolve", object{"user": "alice"})
	var alerts []object
	h.Want(200, "GET", "/api/v1/alerts?status=resolved", nil).JSON(t, &alerts)
	if len(alerts) != 1 {
		t.Fatalf("len(alerts) = %d, want %d: %v", len(alerts), 1, alerts)
	}
	h.Want(200, "GET", "/api/v1/alerts?status=open&limit=5", nil).JSON(t, &alerts)
	if len(alerts) != 1 {
		t.Fatalf("len(alerts) = %d, want %d: %v", len(alerts), 1, alerts)
	}
	h.Want(200, "GET", "/api/v1/alerts/"+id, nil)
	h.Want(404, "GET", "/api/v1/alerts/nothing", nil)
	_, message := errorOf(t, h.Want(400, "GET", "/api/v1/alerts?status=loud", nil))
	if !strings.Contains(message, "dropped") {
		t.Fatalf("message does not contain %q:\n%s", "dropped", message)
	}
}
