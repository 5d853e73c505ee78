package api_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIntegrationLife(t *testing.T) {
	t.Parallel()
	h := newHost(t)

	created := h.Want(201, "POST", "/api/v1/integrations", draft())
	var in object
	created.JSON(t, &in)
	id := in["id"].(string)
	if diff := cmp.Diff("/api/v1/integrations/"+id, created.Header.Get("Location")); diff != "" {
		t.Fatalf("created.Header.Get(Location) (-want +got):\n%s", diff)
	}
	if got := created.Header.Get("ETag"); got != `"1"` {
		t.Fatalf(`created.Header.Get("ETag") = %q, want %q`, got, `"1"`)
	}
	if diff := cmp.Diff(h.URL+"/integrations/"+id, in["endpoint_url"]); diff != "" {
		t.Fatalf("in[endpoint_url] (-want +got):\n%s", diff)
	}
	if in["enabled"] != true {
		t.Fatal("enabled unless said otherwise")
	}
	if diff := cmp.Diff(object{"zeta": "hello", "alpha": object{"set": true}}, in["options"]); diff != "" {
		t.Fatalf("in[options] (-want +got):\n%s", diff)
	}
	if got := in["warnings"].([]any); len(got) != 0 {
		t.Fatalf(`in["warnings"] is not empty: %v`, got)
	}

	var read object
	h.Want(200, "GET", "/api/v1/integrations/"+id, nil).JSON(t, &read)
	if diff := cmp.Diff(in, read); diff != "" {
		t.Fatalf("it changed (-before +after):\n%s", diff)
	}

	// What was read may be changed and sent back: the secret stays.
	read["name"], read["maintenance"] = "Night line", true
	var replaced object
	h.Want(200, "PUT", "/api/v1/integrations/"+id, read).JSON(t, &replaced)
	wantFields(t, replaced, object{"name": "Night line", "revision": 2.0})
	stored, err := h.Store.Integration(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(stored.Options), `{"alpha":"canary-option-secret","zeta":"hello"}`; got != want {
		t.Fatalf("stored options are %s, want %s", got, want)
	}

	// The revision that was read is old now: by the body, and by If-Match.
	kind, message := errorOf(t, h.Want(409, "PUT", "/api/v1/integrations/"+id, read))
	if kind != "conflict" {
		t.Fatalf("kind = %q, want %q", kind, "conflict")
	}
	if !strings.Contains(message, "reload") {
		t.Fatalf("message does not contain %q:\n%s", "reload", message)
	}
	delete(read, "revision")
	req := h.Request("PUT", "/api/v1/integrations/"+id, read)
	req.Header.Set("If-Match", `"1"`)
	if got := h.Send(req).Status; got != 409 {
		t.Fatalf("h.Send(req).Status = %v, want %v", got, 409)
	}
	req = h.Request("PUT", "/api/v1/integrations/"+id, read)
	req.Header.Set("If-Match", `"2"`)
	if got := h.Send(req).Status; got != 200 {
		t.Fatalf("h.Send(req).Status = %v, want %v", got, 200)
	}

	// null takes a secret away; then the plugin warns.
	read["options"] = object{"zeta": "hello", "alpha": nil}
	h.Want(200, "PUT", "/api/v1/integrations/"+id, read).JSON(t, &replaced)
	wantFields(t, replaced, object{
		"options":  object{"zeta": "hello"},
		"warnings": []any{object{"path": "alpha", "code": "advised", "message": "Token is advised"}},
	})

	read["enabled"] = false
	h.Want(200, "PUT", "/api/v1/integrations/"+id, read).JSON(t, &replaced)
	if replaced["enabled"] != false {
		t.Fatal(`replaced["enabled"] is not false`)
	}

	if got := h.Want(204, "DELETE", "/api/v1/integrations/"+id, nil).Body; len(got) != 0 {
		t.Fatalf(`h.Want(204, "DELETE", "/api/v1/integrations/"+id, nil).Body is not empty: %v`, got)
	}
	h.Want(404, "GET", "/api/v1/integrations/"+id, nil)
	h.Want(404, "PUT", "/api/v1/integrations/"+id, draft())
	h.Want(404, "DELETE", "/api/v1/integrations/"+id, nil)
	if got := string(h.Want(200, "GET", "/api/v1/integrations", nil).Body); got != "[]\n" {
		t.Fatalf(`string(h.Want(200, "GET", "/api/v1/integrations", nil).Body) = %q, want %q`, got, "[]\n")
	}
}

func TestRefusedIntegrations(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	with := func(key string, value any) object {
		d := draft()
		d[key] = value
		return d
	}
	for _, c := range []struct {
		name string
		body any
		path string // of the first problem
		code string
	}{
		{"no name", with("name", " "), "name", "required"},
		{"no such plugin", with("plugin", "nothing"), "plugin", "unknown"},
		{"no plugin", with("plugin", ""), "plugin", "required"},
		{"urgency", with("urgency", "loud"), "urgency", "unknown"},
		{"no destination", with("destinations", []object{}), "destinations", "required"},
		{"unknown team", with("destinations", []object{{"kind": "team", "id": "nobody"}}), "destinations/0", "not_found"},
		{"unknown kind", with("destinations", []object{{"kind": "person", "id": "alice"}}), "destinations/0", "unknown"},
		{"plugin refuses", with("options", object{"alpha": "canary-option-secret"}), "zeta", "required"},
		{"options are no object", with("options", []int{1}), "options", "type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.Want(422, "POST", "/api/v1/integrations", c.body)
			var body struct {
				Problems []struct{ Path, Code, Message string }
			}
			a.JSON(t, &body)
			if len(body.Problems) == 0 {
				t.Fatal("body.Problems is empty")
			}
			if diff := cmp.Diff(c.path, body.Problems[0].Path); diff != "" {
				t.Fatalf("body.Problems[0].Path (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.code, body.Problems[0].Code); diff != "" {
				t.Fatalf("body.Problems[0].Code (-want +got):\n%s", diff)
			}
			if got := body.Problems[0].Message; len(got) == 0 {
				t.Fatal("body.Problems[0].Message is empty")
			}
		})
	}
	var all []object
	h.Want(200, "GET", "/api/v1/integrations", nil).JSON(t, &all)
	if len(all) != 0 {
		t.Fatalf("a refused integration leaves nothing behind: %v", all)
	}
}

func TestWrongBodies(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for _, c := range []struct {
		name, body string
		status     int
		says       string
	}{
		{"empty", "", 400, "no body"},
		{"no JSON", `{"name": canary-option-secret}`, 400, "not JSON"},
		{"cut off", `{"name": "canary-option-secret`, 400, "too early"},
		{"unknown field", `{"nam": "Hotline"}`, 400, `unknown field "nam"`},
		{"wrong type", `{"name": {"a": "canary-option-secret"}}`, 400, "name has the wrong type: want a string"},
		{"two values", `{"name": "a"} {"name": "b"}`, 400, "more than one"},
		{"an array", `[]`, 400, "the body has the wrong type: want an object"},
		{"an id", `{"id": "int_1", "name": "Hotline"}`, 400, "id is given by the host"},
		{"too large", `{"name": "` + strings.Repeat("x", 1<<20) + `"}`, 413, "larger than 1 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kind, message := errorOf(t, h.Want(c.status, "POST", "/api/v1/integrations", c.body))
			if kind != "invalid" {
				t.Fatalf("kind = %q, want %q", kind, "invalid")
			}
			if !strings.Contains(message, c.says) {
				t.Fatalf("message does not contain %q:\n%s", c.says, message)
			}
			if strings.Contains(message, "canary") {
				t.Fatalf("message contains %q:\n%s", "canary", message)
			}
		})
	}
	in := create(t, h)
	for _, c := range []struct {
		header string
		status int
	}{{"x", 400}, {`"0"`, 400}, {`W/"1"`, 200}, {`"1"`, 409}, {"*", 200}} {
		req := h.Request("PUT", "/api/v1/integrations/"+in["id"].(string), draft())
		req.Header.Set("If-Match", c.header)
		if diff := cmp.Diff(c.status, h.Send(req).Status); diff != "" {
			t.Fatalf("%v (-want +got):\n%s", c.header, diff)
		}
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	path := "/api/v1/integrations/" + in["id"].(string) + "/actions/"
	var result object
	h.Want(200, "POST", path+"greet", object{"values": object{"who": "Alice"}}).JSON(t, &result)
	if result["ok"] != true {
		t.Fatal(`result["ok"] is not true`)
	}
	if diff := cmp.Diff([]any{object{"level": "ok", "text": "hello Alice", "field": "", "choice": ""}}, result["lines"]); diff != "" {
		t.Fatalf("result[lines] (-want +got):\n%s", diff)
	}
	_, message := errorOf(t, h.Want(400, "POST", path+"greet", nil))
	if message != "who is missing" {
		t.Fatalf("message = %q, want %q", message, "who is missing")
	}
	h.Want(404, "POST", path+"nothing", nil)
	h.Want(404, "POST", "/api/v1/integrations/nothing/actions/greet", nil)

	// What went wrong inside is told to the log alone.
	kind, message := errorOf(t, h.Want(500, "POST", path+"break", nil))
	if kind != "internal" {
		t.Fatalf("kind = %q, want %q", kind, "internal")
	}
	if strings.Contains(message, "broken") {
		t.Fatalf("message contains %q:\n%s", "broken", message)
	}
	if got := h.Log.String(); !strings.Contains(got, "broken with details") {
		t.Fatalf("h.Log.String() does not contain %q:\n%s", "broken with details", got)
	}
	if got := h.Log.String(); !strings.Contains(got, strings.Fields(message)[len(strings.Fields(message))-1]) {
		t.Fatalf("the log names the request of the answer: does not contain %q:\n%s", strings.Fields(message)[len(strings.Fields(message))-1], got)
	}
}
