package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
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

// Times that people and programs get wrong are refused with the field's name, or mean what they
// say; what is stored comes back as it was sent.
func TestShiftsWithNastyTimesAndLayers(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	year := time.Now().UTC().Year() + 1
	at := func(text string) string { return fmt.Sprint(year, text) }
	for name, tt := range map[string]struct {
		from, to any
		layer    any
		want     string // what the refusal names; "from to": it is stored so
	}{
		"half an hour from UTC":     {at("-03-29T02:30:00+10:30"), at("-03-29T02:30:00+10:00"), 1, at("-03-28T16:00:00Z ") + at("-03-28T16:30:00Z")},
		"on the other side":         {at("-07-01T00:30:00+14:00"), at("-07-01T00:30:00-12:00"), 1, at("-06-30T10:30:00Z ") + at("-07-01T12:30:00Z")},
		"a quarter from UTC":        {at("-07-02T00:00:00+05:45"), at("-07-02T00:00:00Z"), 1, at("-07-01T18:15:00Z ") + at("-07-02T00:00:00Z")},
		"both at one time":          {at("-08-01T02:00:00+01:00"), at("-08-01T01:00:00Z"), 1, "to: the end"},
		"a blink":                   {at("-08-01T02:00:00.0001Z"), at("-08-01T02:00:00.0002Z"), 1, "to: the end"},
		"a leap second":             {at("-08-01T23:59:60Z"), at("-08-02T00:00:00Z"), 1, "from"},
		"a date that is none":       {at("-02-30T00:00:00Z"), at("-08-02T00:00:00Z"), 1, "from"},
		"no zone":                   {at("-08-01T02:00:00"), at("-08-02T00:00:00Z"), 1, "from"},
		"a date alone":              {at("-08-01"), at("-08-02T00:00:00Z"), 1, "from"},
		"a number":                  {1790000000, at("-08-02T00:00:00Z"), 1, "from"},
		"a zone that is none":       {at("-08-01T02:00:00+99:00"), at("-08-02T00:00:00Z"), 1, "from"},
		"no beginning":              {nil, at("-08-02T00:00:00Z"), 1, "from"},
		"no end":                    {at("-08-01T02:00:00Z"), nil, 1, "to"},
		"an end of another year":    {at("-08-01T02:00:00Z"), "9999-12-31T23:59:59Z", 1, "to: a shift of more than a year"},
		"a year of four zeros":      {"0000-01-01T00:00:00Z", at("-08-02T00:00:00Z"), 1, "to: a shift of more than a year"},
		"layer zero":                {at("-08-01T02:00:00Z"), at("-08-02T00:00:00Z"), 0, "layer"},
		"a layer below":             {at("-08-01T02:00:00Z"), at("-08-02T00:00:00Z"), -1, "layer"},
		"a layer that is not there": {at("-08-01T02:00:00Z"), at("-08-02T00:00:00Z"), 3, "layer"},
		"a layer beyond numbers":    {at("-08-01T02:00:00Z"), at("-08-02T00:00:00Z"), json.Number("99999999999999999999"), "layer"},
		"half a layer":              {at("-08-01T02:00:00Z"), at("-08-02T00:00:00Z"), 1.5, "layer"},
		"a layer in words":          {at("-08-01T02:00:00Z"), at("-08-02T00:00:00Z"), "1", "layer"},
	} {
		body := object{"team": "devops", "layer": tt.layer, "user": "bob"}
		for key, value := range map[string]any{"from": tt.from, "to": tt.to} {
			if value != nil {
				body[key] = value
			}
		}
		a := h.Do("POST", "/api/v1/overrides", body)
		if a.Status == 400 {
			if !strings.Contains(string(a.Body), tt.want) {
				t.Errorf("%s: refused with %s, want %q", name, a.Body, tt.want)
			}
			continue
		}
		var made object
		a.JSON(t, &made)
		if got := fmt.Sprint(made["from"], " ", made["to"]); a.Status != 201 || got != tt.want {
			t.Errorf("%s: status %d, %s, want %q", name, a.Status, got, tt.want)
		}
	}
}

// A token of a program is no person's: with the role responder it changes no shifts and is told
// why, and with the role admin it changes those of everybody.
func TestATokenHasNoShiftsOfItsOwn(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	shift := object{"user": "alice", "from": time.Now().Add(time.Hour), "to": time.Now().Add(2 * time.Hour)}
	var id string
	for role, status := range map[string]int{"responder": 403, "admin": 201} {
		var token, made object
		h.Want(201, "POST", "/api/v1/tokens", object{"name": role, "role": role}).JSON(t, &token)
		send := func(method, path string, body any) (int, string) {
			r := h.Request(method, path, body)
			r.Header.Set("Authorization", "Bearer "+token["secret"].(string))
			got := h.Send(r)
			_ = json.Unmarshal(got.Body, &made)
			return got.Status, string(got.Body)
		}
		if got, said := send("POST", "/api/v1/overrides", shift); got != status || status == 403 && !strings.Contains(said, "the token responder belongs to no person") {
			t.Errorf("a token with the role %s: %d, %s", role, got, said)
		}
		if role == "admin" {
			id, _ = made["id"].(string)
		}
	}
	var token object
	h.Want(201, "POST", "/api/v1/tokens", object{"name": "another", "role": "responder"}).JSON(t, &token)
	r := h.Request("DELETE", "/api/v1/overrides/"+id, nil)
	r.Header.Set("Authorization", "Bearer "+token["secret"].(string))
	if got := h.Send(r); got.Status != 403 || !strings.Contains(string(got.Body), "with a token of the role admin") {
		t.Errorf("taking it back: %d, %s", got.Status, got.Body)
	}
}
