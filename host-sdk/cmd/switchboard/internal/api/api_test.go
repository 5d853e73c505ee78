package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

type object = map[string]any

func draft() object {
	return object{
		"plugin": hosttest.PluginID, "name": "Hotline", "urgency": "high",
		"destinations": []object{{"kind": "team", "id": "devops"}},
		"options":      object{"zeta": "hello", "alpha": "canary-option-secret"},
	}
}

func create(t *testing.T, h *hosttest.Host) object {
	t.Helper()
	var in object
	h.Want(201, "POST", "/api/v1/integrations", draft()).JSON(t, &in)
	return in
}

// dial makes a caller call.
func dial(t *testing.T, h *hosttest.Host, in object, sid string) {
	t.Helper()
	endpoint, err := url.Parse(in["endpoint_url"].(string))
	if err != nil {
		t.Fatal(err)
	}
	req := h.Request("POST", endpoint.Path, url.Values{"Call": {sid}, "From": {"+12025550143"}}.Encode())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Del("Authorization")
	answer := h.Send(req)
	if answer.Status != 200 {
		t.Fatalf("answer.Status = %v, want %v", answer.Status, 200)
	}
	if got := string(answer.Body); got != "please hold" {
		t.Fatalf("string(answer.Body) = %q, want %q", got, "please hold")
	}
}

// call makes a caller call, and waits for the alert's attachment: the last thing that comes of it.
func call(t *testing.T, h *hosttest.Host, in object, sid string) object {
	t.Helper()
	dial(t, h, in, sid)
	var alert object
	hosttest.Eventually(t, "the alert of "+sid+" has its recording", func() bool {
		var alerts []object
		h.Want(200, "GET", "/api/v1/alerts", nil).JSON(t, &alerts)
		for _, a := range alerts {
			if a["key"] == sid && len(a["attachments"].([]any)) == 1 {
				alert = a
				return true
			}
		}
		return false
	})
	return alert
}

func errorOf(t *testing.T, a hosttest.Answer) (kind, message string) {
	t.Helper()
	var body struct {
		Error struct{ Kind, Message string }
	}
	a.JSON(t, &body)
	return body.Error.Kind, body.Error.Message
}

// wantFields compares the fields of an answer that want names, and leaves the others alone.
func wantFields(t *testing.T, got, want object) {
	t.Helper()
	named := object{}
	for name := range want {
		named[name] = got[name]
	}
	if diff := cmp.Diff(want, named); diff != "" {
		t.Fatalf("fields (-want +got):\n%s", diff)
	}
}

func TestTokenIsRequired(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for _, header := range []string{"", "Bearer", "Bearer wrong-token-wrong-token", "Basic " + hosttest.Token, hosttest.Token} {
		for _, path := range []string{"/integrations", "/events", "/media/media:00", "/openapi.json", "/nothing"} {
			req := h.Request("GET", "/api/v1"+path, nil)
			req.Header.Set("Authorization", header)
			a := h.Send(req)
			if a.Status != 401 || a.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %q: status %d", path, header, a.Status)
			}
			if kind, message := errorOf(t, a); kind != "unauthorized" || strings.Contains(message, hosttest.Token) {
				t.Errorf("kind %q, message %q", kind, message)
			}
		}
	}
	req := h.Request("GET", "/api/v1/teams", nil)
	req.Header.Set("Authorization", "bearer  "+hosttest.Token)
	if got := h.Send(req).Status; got != 200 {
		t.Fatalf("the scheme's case does not matter: got %v, want %v", got, 200)
	}
}

func TestAnotherSiteCannotUseABrowser(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	req := h.Request("POST", "/api/v1/integrations", draft())
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	a := h.Send(req)
	if a.Status != 403 {
		t.Fatalf("a.Status = %v, want %v", a.Status, 403)
	}
	var all []object
	h.Want(200, "GET", "/api/v1/integrations", nil).JSON(t, &all)
	if len(all) != 0 {
		t.Fatalf("all is not empty: %v", all)
	}
}

func TestNoSuchAddressAndMethod(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	kind, _ := errorOf(t, h.Want(404, "GET", "/api/v1/nothing", nil))
	if kind != "not_found" {
		t.Fatalf("kind = %q, want %q", kind, "not_found")
	}
	a := h.Want(405, "PATCH", "/api/v1/integrations", nil)
	if got := a.Header.Get("Allow"); got != "GET, HEAD, POST" {
		t.Fatalf(`a.Header.Get("Allow") = %q, want %q`, got, "GET, HEAD, POST")
	}
	kind, _ = errorOf(t, a)
	if kind != "invalid" {
		t.Fatalf("kind = %q, want %q", kind, "invalid")
	}
}

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

// A recording is behind the token, comes in parts, and names itself.
func TestRecording(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	alert := call(t, h, in, "CA01")
	attachment := alert["attachments"].([]any)[0].(object)
	wantFields(t, attachment, object{"label": "Voicemail", "duration": 2.0})
	audio := hosttest.WAV(2 * time.Second)
	path := strings.TrimPrefix(attachment["url"].(string), h.URL)
	whole := h.Want(200, "GET", path, nil)
	if diff := cmp.Diff(audio, whole.Body); diff != "" {
		t.Fatalf("whole.Body (-want +got):\n%s", diff)
	}
	if got := whole.Header.Get("Content-Type"); got != "audio/wav" {
		t.Fatalf(`whole.Header.Get("Content-Type") = %q, want %q`, got, "audio/wav")
	}
	if got := whole.Header.Get("Content-Disposition"); got != `inline; filename=voicemail.wav` {
		t.Fatalf(`whole.Header.Get("Content-Disposition") = %q, want %q`, got, `inline; filename=voicemail.wav`)
	}
	if got := whole.Header.Get("Cache-Control"); !strings.Contains(got, "private") {
		t.Fatalf("whole.Header.Get(Cache-Control) does not contain %q:\n%s", "private", got)
	}
	if got := h.Want(200, "GET", path+"?download=true", nil).Header.Get("Content-Disposition"); got != `attachment; filename=voicemail.wav` {
		t.Fatalf(`h.Want(200, "GET", path+"?download=true", nil).Header.Get("Content-Disposition") = %q, want %q`, got, `attachment; filename=voicemail.wav`)
	}
	h.Want(404, "GET", "/api/v1/media/media:"+strings.Repeat("0", 64), nil)
	h.Want(404, "GET", "/api/v1/media/elsewhere", nil)

	// A recording is never public, whatever its token.
	medium, err := h.Store.Medium(t.Context(), attachment["ref"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if medium.Public {
		t.Fatal("medium.Public is true")
	}
	if got := h.Do("GET", "/media/"+medium.Token+"/voicemail.wav", nil).Status; got != 404 {
		t.Fatalf(`h.Do("GET", "/media/"+medium.Token+"/voicemail.wav", nil).Status = %v, want %v`, got, 404)
	}
}

func TestPartsOfARecording(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	alert := call(t, h, create(t, h), "CA01")
	path := strings.TrimPrefix(alert["attachments"].([]any)[0].(object)["url"].(string), h.URL)
	whole := h.Want(200, "GET", path, nil)
	for name, c := range map[string]struct {
		header, value string
		status        int
	}{
		"a part":           {"Range", "bytes=4-7", 206},
		"behind the end":   {"Range", "bytes=99999999-", 416},
		"has it already":   {"If-None-Match", whole.Header.Get("ETag"), 304},
		"without a token":  {"Authorization", "", 401},
		"with a wrong one": {"Authorization", "Bearer wrong", 401},
	} {
		req := h.Request("GET", path, nil)
		req.Header.Set(c.header, c.value)
		got := h.Send(req)
		if got.Status != c.status {
			t.Errorf("%s: status %d, want %d", name, got.Status, c.status)
		}
		if want := whole.Body[4:8]; c.status == 206 && !bytes.Equal(got.Body, want) {
			t.Errorf("%s: %q, want %q", name, got.Body, want)
		}
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	call(t, h, in, "CA01")
	var c object
	h.Want(200, "GET", "/api/v1/calls/CA01", nil).JSON(t, &c)
	wantFields(t, c, object{"sid": "CA01", "from": "+12025550143", "state": "holding", "ended_at": nil})
	if got := c["legs"].([]any); len(got) != 1 {
		t.Fatalf(`len(c["legs"]) = %d, want %d: %v`, len(got), 1, got)
	}
	h.Want(404, "GET", "/api/v1/calls/CA99", nil)
	endpoint := strings.TrimPrefix(in["endpoint_url"].(string), h.URL)
	if got := h.Do("GET", endpoint+"?Call=CA01&End=1", nil).Status; got != 200 {
		t.Fatalf(`h.Do("GET", endpoint+"?Call=CA01&End=1", nil).Status = %v, want %v`, got, 200)
	}
	h.Want(200, "GET", "/api/v1/calls/CA01", nil).JSON(t, &c)
	if got := c["ended"]; got != "hung_up" {
		t.Fatalf(`c["ended"] = %q, want %q`, got, "hung_up")
	}
	if got := c["ended_at"]; got == nil {
		t.Fatal(`c["ended_at"] is nil`)
	}
	call(t, h, in, "CA02")
	var calls []object
	h.Want(200, "GET", "/api/v1/calls", nil).JSON(t, &calls)
	if len(calls) != 2 {
		t.Fatalf("len(calls) = %d, want %d: %v", len(calls), 2, calls)
	}
	h.Want(200, "GET", "/api/v1/calls?live=true", nil).JSON(t, &calls)
	if len(calls) != 1 {
		t.Fatalf("len(calls) = %d, want %d: %v", len(calls), 1, calls)
	}
	if got := calls[0]["sid"]; got != "CA02" {
		t.Fatalf(`calls[0]["sid"] = %q, want %q`, got, "CA02")
	}
	h.Want(200, "GET", "/api/v1/calls?limit=1", nil).JSON(t, &calls)
	if len(calls) != 1 {
		t.Fatalf("len(calls) = %d, want %d: %v", len(calls), 1, calls)
	}
	h.Want(200, "GET", "/api/v1/calls?integration=int_other", nil).JSON(t, &calls)
	if len(calls) != 0 {
		t.Fatalf("calls is not empty: %v", calls)
	}
	for _, query := range []string{"limit=0", "limit=x", "limit=100000", "live=perhaps"} {
		h.Want(400, "GET", "/api/v1/calls?"+query, nil)
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

func form(t *testing.T, field, name string, content []byte) (contentType string, body []byte) {
	t.Helper()
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	part, err := w.CreateFormFile(field, name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = part.Write(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), buf.Bytes()
}

func TestUpload(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	audio := hosttest.WAV(1500 * time.Millisecond)
	post := func(query, contentType string, body []byte) hosttest.Answer {
		req := h.Request("POST", "/api/v1/media"+query, body)
		req.Header.Set("Content-Type", contentType)
		return h.Send(req)
	}
	contentType, body := form(t, "file", `C:\sounds\Wel come.wav`, audio)
	first := post("", contentType, body)
	if first.Status != 201 {
		t.Fatalf("%v: got %v, want %v", string(first.Body), first.Status, 201)
	}
	var medium object
	first.JSON(t, &medium)
	wantFields(t, medium, object{"name": "Wel-come.wav", "content_type": "audio/wav", "bytes": float64(len(audio))})
	if medium["duration"] != 1.5 {
		t.Fatalf("duration = %v, want 1.5", medium["duration"])
	}

	// The same content again, by another way, is the same medium.
	again := post("?name=other.mp3", "application/octet-stream", audio)
	if again.Status != 201 {
		t.Fatalf("again.Status = %v, want %v", again.Status, 201)
	}
	var same object
	again.JSON(t, &same)
	if diff := cmp.Diff(medium["ref"], same["ref"]); diff != "" {
		t.Fatalf("same[ref] (-want +got):\n%s", diff)
	}

	// It is served in public, at an address that nobody can guess, for ever.
	stored, err := h.Store.MediumInfo(t.Context(), medium["ref"].(string))
	if err != nil {
		t.Fatal(err)
	}
	req := h.Request("GET", "/media/"+stored.Token+"/"+stored.Name, nil)
	req.Header.Del("Authorization")
	public := h.Send(req)
	if public.Status != 200 {
		t.Fatalf("public.Status = %v, want %v", public.Status, 200)
	}
	if diff := cmp.Diff(audio, public.Body); diff != "" {
		t.Fatalf("public.Body (-want +got):\n%s", diff)
	}
	if got := public.Header.Get("Content-Type"); got != "audio/wav" {
		t.Fatalf(`public.Header.Get("Content-Type") = %q, want %q`, got, "audio/wav")
	}
	if got := public.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Fatalf(`public.Header.Get("Cache-Control") = %q, want %q`, got, "public, max-age=31536000, immutable")
	}
	if got := public.Header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Fatalf(`public.Header.Get("X-Content-Type-Options") = %q, want %q`, got, "nosniff")
	}
	if got := h.Do("GET", "/media/"+strings.Repeat("0", 32)+"/"+stored.Name, nil).Status; got != 404 {
		t.Fatalf(`h.Do("GET", "/media/"+strings.Repeat("0", 32)+"/"+stored.Name, nil).Status = %v, want %v`, got, 404)
	}
	if got := h.Log.String(); strings.Contains(got, stored.Token) {
		t.Fatalf("the address stays out of the log: contains %q:\n%s", stored.Token, got)
	}

	for _, c := range []struct {
		name   string
		body   []byte
		status int
		says   string
	}{
		{"empty", []byte{}, 400, "empty"},
		{"text", []byte("hello, this is no sound at all"), 415, "neither MP3 nor WAV"},
		{"page behind a tag", []byte("ID3\x03\x00\x00\x00\x00\x00\x00<html><script>alert(1)</script>"), 415, "neither MP3 nor WAV"},
		{"header alone", audio[:40], 400, "damaged"},
		{"too large", append(hosttest.WAV(time.Second), make([]byte, 16<<20)...), 413, "16 MiB"},
		{"far too large", make([]byte, 17<<20), 413, "16 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := post("?name=a.wav", "audio/wav", c.body)
			if diff := cmp.Diff(c.status, a.Status); diff != "" {
				t.Fatalf("%v (-want +got):\n%s", string(a.Body), diff)
			}
			_, message := errorOf(t, a)
			if !strings.Contains(message, c.says) {
				t.Fatalf("message does not contain %q:\n%s", c.says, message)
			}
		})
	}
	contentType, body = form(t, "sound", "a.wav", audio)
	_, message := errorOf(t, post("", contentType, body))
	if !strings.Contains(message, `no part "file"`) {
		t.Fatalf("message does not contain %q:\n%s", `no part "file"`, message)
	}
	if got := post("", "multipart/form-data", audio).Status; got != 400 {
		t.Fatalf("a form without a boundary: got %v, want %v", got, 400)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	req := h.Request("GET", "/api/v1/events", nil)
	req.Header.Set("Last-Event-ID", "41")
	resp, err := h.Server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 200 {
		t.Fatalf("resp.StatusCode = %v, want %v", resp.StatusCode, 200)
	}
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf(`resp.Header.Get("Content-Type") = %q, want %q`, got, "text/event-stream")
	}

	type event struct {
		id, kind string
		data     object
	}
	events := make(chan event, 64)
	go func() {
		defer close(events)
		dec := newEventReader(resp.Body)
		for {
			id, kind, data, err := dec.next()
			if err != nil {
				return
			}
			var v object
			if json.Unmarshal([]byte(data), &v) == nil {
				events <- event{id, kind, v}
			}
		}
	}()
	call(t, h, in, "CA07")
	var sawCall, sawAlert bool
	next := 42
	for !sawCall || !sawAlert {
		ev, ok := <-events
		if !ok {
			t.Fatal("the stream ended early")
		}
		if diff := cmp.Diff(fmt.Sprint(next), ev.id); diff != "" {
			t.Fatalf("ids go on from Last-Event-ID (-want +got):\n%s", diff)
		}
		next++
		switch ev.kind {
		case "call":
			sawCall = sawCall || ev.data["sid"] == "CA07"
		case "alert":
			sawAlert = sawAlert || ev.data["key"] == "CA07" && ev.data["status"] == "open"
		default:
			t.Fatalf("event %q", ev.kind)
		}
	}
}
