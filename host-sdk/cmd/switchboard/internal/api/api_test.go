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
	"github.com/stretchr/testify/require"

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

// call makes a caller call, and waits for the alert's attachment: the last thing that comes of it.
func call(t *testing.T, h *hosttest.Host, in object, sid string) object {
	t.Helper()
	endpoint, err := url.Parse(in["endpoint_url"].(string))
	require.NoError(t, err)
	req := h.Request("POST", endpoint.Path, url.Values{"Call": {sid}, "From": {"+12025550143"}}.Encode())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Del("Authorization")
	answer := h.Send(req)
	require.Equal(t, 200, answer.Status)
	require.Equal(t, "please hold", string(answer.Body))
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
	require.Equal(t, 200, h.Send(req).Status, "the scheme's case does not matter")
}

func TestAnotherSiteCannotUseABrowser(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	req := h.Request("POST", "/api/v1/integrations", draft())
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	a := h.Send(req)
	require.Equal(t, 403, a.Status)
	var all []object
	h.Want(200, "GET", "/api/v1/integrations", nil).JSON(t, &all)
	require.Empty(t, all)
}

func TestNoSuchAddressAndMethod(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	kind, _ := errorOf(t, h.Want(404, "GET", "/api/v1/nothing", nil))
	require.Equal(t, "not_found", kind)
	a := h.Want(405, "PATCH", "/api/v1/integrations", nil)
	require.Equal(t, "GET, HEAD, POST", a.Header.Get("Allow"))
	kind, _ = errorOf(t, a)
	require.Equal(t, "invalid", kind)
}

func TestIntegrationLife(t *testing.T) {
	t.Parallel()
	h := newHost(t)

	created := h.Want(201, "POST", "/api/v1/integrations", draft())
	var in object
	created.JSON(t, &in)
	id := in["id"].(string)
	require.Equal(t, "/api/v1/integrations/"+id, created.Header.Get("Location"))
	require.Equal(t, `"1"`, created.Header.Get("ETag"))
	require.Equal(t, h.URL+"/integrations/"+id, in["endpoint_url"])
	require.Equal(t, true, in["enabled"], "enabled unless said otherwise")
	require.Equal(t, object{"zeta": "hello", "alpha": object{"set": true}}, in["options"])
	require.Empty(t, in["warnings"])

	var read object
	h.Want(200, "GET", "/api/v1/integrations/"+id, nil).JSON(t, &read)
	require.Empty(t, cmp.Diff(in, read))

	// What was read may be changed and sent back: the secret stays.
	read["name"], read["maintenance"] = "Night line", true
	var replaced object
	h.Want(200, "PUT", "/api/v1/integrations/"+id, read).JSON(t, &replaced)
	require.Equal(t, "Night line", replaced["name"])
	require.EqualValues(t, 2, replaced["revision"])
	stored, err := h.Store.Integration(t.Context(), id)
	require.NoError(t, err)
	require.JSONEq(t, `{"zeta":"hello","alpha":"canary-option-secret"}`, string(stored.Options))

	// The revision that was read is old now: by the body, and by If-Match.
	kind, message := errorOf(t, h.Want(409, "PUT", "/api/v1/integrations/"+id, read))
	require.Equal(t, "conflict", kind)
	require.Contains(t, message, "reload")
	delete(read, "revision")
	req := h.Request("PUT", "/api/v1/integrations/"+id, read)
	req.Header.Set("If-Match", `"1"`)
	require.Equal(t, 409, h.Send(req).Status)
	req = h.Request("PUT", "/api/v1/integrations/"+id, read)
	req.Header.Set("If-Match", `"2"`)
	require.Equal(t, 200, h.Send(req).Status)

	// null takes a secret away; then the plugin warns.
	read["options"] = object{"zeta": "hello", "alpha": nil}
	h.Want(200, "PUT", "/api/v1/integrations/"+id, read).JSON(t, &replaced)
	require.Equal(t, object{"zeta": "hello"}, replaced["options"])
	require.Equal(t, []any{object{"path": "alpha", "code": "advised", "message": "Token is advised"}}, replaced["warnings"])

	read["enabled"] = false
	h.Want(200, "PUT", "/api/v1/integrations/"+id, read).JSON(t, &replaced)
	require.Equal(t, false, replaced["enabled"])

	require.Empty(t, h.Want(204, "DELETE", "/api/v1/integrations/"+id, nil).Body)
	h.Want(404, "GET", "/api/v1/integrations/"+id, nil)
	h.Want(404, "PUT", "/api/v1/integrations/"+id, draft())
	h.Want(404, "DELETE", "/api/v1/integrations/"+id, nil)
	require.Equal(t, "[]\n", string(h.Want(200, "GET", "/api/v1/integrations", nil).Body))
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
			require.NotEmpty(t, body.Problems)
			require.Equal(t, c.path, body.Problems[0].Path)
			require.Equal(t, c.code, body.Problems[0].Code)
			require.NotEmpty(t, body.Problems[0].Message)
		})
	}
	var all []object
	h.Want(200, "GET", "/api/v1/integrations", nil).JSON(t, &all)
	require.Empty(t, all, "a refused integration leaves nothing behind")
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
			require.Equal(t, "invalid", kind)
			require.Contains(t, message, c.says)
			require.NotContains(t, message, "canary")
		})
	}
	in := create(t, h)
	for _, c := range []struct {
		header string
		status int
	}{{"x", 400}, {`"0"`, 400}, {`W/"1"`, 200}, {`"1"`, 409}, {"*", 200}} {
		req := h.Request("PUT", "/api/v1/integrations/"+in["id"].(string), draft())
		req.Header.Set("If-Match", c.header)
		require.Equal(t, c.status, h.Send(req).Status, c.header)
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	path := "/api/v1/integrations/" + in["id"].(string) + "/actions/"
	var result object
	h.Want(200, "POST", path+"greet", object{"values": object{"who": "Alice"}}).JSON(t, &result)
	require.Equal(t, true, result["ok"])
	require.Equal(t, []any{object{"level": "ok", "text": "hello Alice", "field": ""}}, result["lines"])
	_, message := errorOf(t, h.Want(400, "POST", path+"greet", nil))
	require.Equal(t, "who is missing", message)
	h.Want(404, "POST", path+"nothing", nil)
	h.Want(404, "POST", "/api/v1/integrations/nothing/actions/greet", nil)

	// What went wrong inside is told to the log alone.
	kind, message := errorOf(t, h.Want(500, "POST", path+"break", nil))
	require.Equal(t, "internal", kind)
	require.NotContains(t, message, "broken")
	require.Contains(t, h.Log.String(), "broken with details")
	require.Contains(t, h.Log.String(), strings.Fields(message)[len(strings.Fields(message))-1], "the log names the request of the answer")
}

func TestPlugins(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	a := h.Want(200, "GET", "/api/v1/plugins/"+hosttest.PluginID+"/options-schema", nil)
	require.Equal(t, hosttest.Schema, string(a.Body), "verbatim")
	h.Want(404, "GET", "/api/v1/plugins/nothing/options-schema", nil)
	var plugins []object
	h.Want(200, "GET", "/api/v1/plugins", nil).JSON(t, &plugins)
	require.Len(t, plugins, 1)
	require.Equal(t, "1.2.3", plugins[0]["version"])
	require.Equal(t, true, plugins[0]["running"])
	require.Len(t, plugins[0]["actions"], 1)
}

func TestTeams(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	var teams []object
	h.Want(200, "GET", "/api/v1/teams", nil).JSON(t, &teams)
	require.Equal(t, []object{{"id": "devops", "name": "DevOps"}}, teams)
	var entries []struct {
		Layer int
		User  struct {
			ID, Name, Email string
			Phones          []string
		}
	}
	// Alice has the week of 5 January 2026, Bob the next; Bob is always in layer 2. 09:00 in New York is 14:00 UTC.
	for at, first := range map[string]string{"2026-01-12T13:59:59Z": "alice", "2026-01-12T14:00:00Z": "bob", "2026-01-12T15:00:00%2B02:00": "alice"} {
		h.Want(200, "GET", "/api/v1/teams/devops/oncall?at="+at, nil).JSON(t, &entries)
		require.Len(t, entries, 2, at)
		require.Equal(t, first, entries[0].User.ID, at)
		require.Equal(t, 1, entries[0].Layer)
		require.Equal(t, "bob", entries[1].User.ID)
		require.NotEmpty(t, entries[1].User.Phones)
	}
	h.Want(200, "GET", "/api/v1/teams/devops/oncall", nil)
	h.Want(404, "GET", "/api/v1/teams/nobody/oncall", nil)
	h.Want(400, "GET", "/api/v1/teams/devops/oncall?at=tomorrow", nil)
}

func TestCallAlertAndRecording(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	alert := call(t, h, in, "CA01")
	id := alert["id"].(string)

	require.Equal(t, "open", alert["status"])
	require.Equal(t, "high", alert["urgency"])
	require.Equal(t, "Call from +12025550143", alert["title"])
	require.Equal(t, []any{"devops"}, alert["destination_teams"])
	require.Equal(t, []any{object{"id": "devops", "name": "DevOps"}}, alert["teams"])
	require.Equal(t, []any{object{"label": "Caller", "value": "+12025550143", "format": "phone"}}, alert["fields"])
	require.EqualValues(t, 1, alert["layer"])
	require.NotEmpty(t, alert["log"])
	require.Equal(t, in["id"], alert["integration_id"])

	// The recording is behind the token, comes in parts, and names itself.
	attachment := alert["attachments"].([]any)[0].(object)
	require.Equal(t, "Voicemail", attachment["label"])
	require.EqualValues(t, 2, attachment["duration"])
	audio := hosttest.WAV(2 * time.Second)
	path := strings.TrimPrefix(attachment["url"].(string), h.URL)
	whole := h.Want(200, "GET", path, nil)
	require.Equal(t, audio, whole.Body)
	require.Equal(t, "audio/wav", whole.Header.Get("Content-Type"))
	require.Equal(t, `inline; filename=voicemail.wav`, whole.Header.Get("Content-Disposition"))
	require.Contains(t, whole.Header.Get("Cache-Control"), "private")
	require.Equal(t, `attachment; filename=voicemail.wav`, h.Want(200, "GET", path+"?download=true", nil).Header.Get("Content-Disposition"))
	req := h.Request("GET", path, nil)
	req.Header.Set("Range", "bytes=4-7")
	part := h.Send(req)
	require.Equal(t, 206, part.Status)
	require.Equal(t, audio[4:8], part.Body)
	req = h.Request("GET", path, nil)
	req.Header.Set("Range", "bytes=99999999-")
	require.Equal(t, 416, h.Send(req).Status)
	req = h.Request("GET", path, nil)
	req.Header.Set("If-None-Match", whole.Header.Get("ETag"))
	require.Equal(t, 304, h.Send(req).Status)
	req = h.Request("GET", path, nil)
	req.Header.Del("Authorization")
	require.Equal(t, 401, h.Send(req).Status)
	h.Want(404, "GET", "/api/v1/media/media:"+strings.Repeat("0", 64), nil)
	h.Want(404, "GET", "/api/v1/media/elsewhere", nil)

	// A recording is never public, whatever its token.
	medium, err := h.Store.Medium(t.Context(), attachment["ref"].(string))
	require.NoError(t, err)
	require.False(t, medium.Public)
	require.Equal(t, 404, h.Do("GET", "/media/"+medium.Token+"/voicemail.wav", nil).Status)

	// The call.
	var c object
	h.Want(200, "GET", "/api/v1/calls/CA01", nil).JSON(t, &c)
	require.Equal(t, "CA01", c["sid"])
	require.Equal(t, "+12025550143", c["from"])
	require.Equal(t, "holding", c["state"])
	require.Nil(t, c["ended_at"])
	require.Len(t, c["legs"], 1)
	h.Want(404, "GET", "/api/v1/calls/CA99", nil)
	endpoint := strings.TrimPrefix(in["endpoint_url"].(string), h.URL)
	require.Equal(t, 200, h.Do("GET", endpoint+"?Call=CA01&End=1", nil).Status)
	h.Want(200, "GET", "/api/v1/calls/CA01", nil).JSON(t, &c)
	require.Equal(t, "hung_up", c["ended"])
	require.NotNil(t, c["ended_at"])
	call(t, h, in, "CA02")
	var calls []object
	h.Want(200, "GET", "/api/v1/calls", nil).JSON(t, &calls)
	require.Len(t, calls, 2)
	h.Want(200, "GET", "/api/v1/calls?live=true", nil).JSON(t, &calls)
	require.Len(t, calls, 1)
	require.Equal(t, "CA02", calls[0]["sid"])
	h.Want(200, "GET", "/api/v1/calls?limit=1", nil).JSON(t, &calls)
	require.Len(t, calls, 1)
	h.Want(200, "GET", "/api/v1/calls?integration=int_other", nil).JSON(t, &calls)
	require.Empty(t, calls)
	for _, query := range []string{"limit=0", "limit=x", "limit=100000", "live=perhaps"} {
		h.Want(400, "GET", "/api/v1/calls?"+query, nil)
	}

	// What people do with the alert.
	act := func(status int, action, user string) hosttest.Answer {
		return h.Want(status, "POST", "/api/v1/alerts/"+id+"/"+action, object{"user": user})
	}
	act(404, "acknowledge", "nobody")
	_, message := errorOf(t, act(400, "acknowledge", ""))
	require.Contains(t, message, "user is missing")
	h.Want(400, "POST", "/api/v1/alerts/"+id+"/acknowledge", object{"usr": "alice"})
	act(200, "escalate", "alice").JSON(t, &alert)
	require.EqualValues(t, 2, alert["layer"])
	act(200, "acknowledge", "bob").JSON(t, &alert)
	require.Equal(t, "acknowledged", alert["status"])
	require.Equal(t, "Bob Example", alert["acknowledgements"].([]any)[0].(object)["user_name"])
	kind, message := errorOf(t, act(409, "escalate", "alice"))
	require.Equal(t, "conflict", kind)
	require.NotEmpty(t, message)
	act(200, "resolve", "alice").JSON(t, &alert)
	require.Equal(t, "resolved", alert["status"])
	last := alert["log"].([]any)[len(alert["log"].([]any))-1].(object)
	require.Equal(t, "alice", last["actor"])
	require.Equal(t, "Alice Example", last["actor_name"])
	act(409, "acknowledge", "alice")
	act(409, "reject", "alice")

	var alerts []object
	h.Want(200, "GET", "/api/v1/alerts?status=resolved", nil).JSON(t, &alerts)
	require.Len(t, alerts, 1)
	h.Want(200, "GET", "/api/v1/alerts?status=open&limit=5", nil).JSON(t, &alerts)
	require.Len(t, alerts, 1)
	h.Want(200, "GET", "/api/v1/alerts/"+id, nil)
	h.Want(404, "GET", "/api/v1/alerts/nothing", nil)
	_, message = errorOf(t, h.Want(400, "GET", "/api/v1/alerts?status=loud", nil))
	require.Contains(t, message, "dropped")

	// The finding that the call left is shown with the integration.
	var read object
	h.Want(200, "GET", "/api/v1/integrations/"+in["id"].(string), nil).JSON(t, &read)
	require.Equal(t, "first-call", read["findings"].([]any)[0].(object)["code"])
}

func form(t *testing.T, field, name string, content []byte) (contentType string, body []byte) {
	t.Helper()
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	part, err := w.CreateFormFile(field, name)
	require.NoError(t, err)
	_, err = part.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
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
	require.Equal(t, 201, first.Status, string(first.Body))
	var medium object
	first.JSON(t, &medium)
	require.Equal(t, "Wel-come.wav", medium["name"])
	require.Equal(t, "audio/wav", medium["content_type"])
	require.EqualValues(t, len(audio), medium["bytes"])
	require.InDelta(t, 1.5, medium["duration"], 0.001)

	// The same content again, by another way, is the same medium.
	again := post("?name=other.mp3", "application/octet-stream", audio)
	require.Equal(t, 201, again.Status)
	var same object
	again.JSON(t, &same)
	require.Equal(t, medium["ref"], same["ref"])

	// It is served in public, at an address that nobody can guess, for ever.
	stored, err := h.Store.MediumInfo(t.Context(), medium["ref"].(string))
	require.NoError(t, err)
	req := h.Request("GET", "/media/"+stored.Token+"/"+stored.Name, nil)
	req.Header.Del("Authorization")
	public := h.Send(req)
	require.Equal(t, 200, public.Status)
	require.Equal(t, audio, public.Body)
	require.Equal(t, "audio/wav", public.Header.Get("Content-Type"))
	require.Equal(t, "public, max-age=31536000, immutable", public.Header.Get("Cache-Control"))
	require.Equal(t, "nosniff", public.Header.Get("X-Content-Type-Options"))
	require.Equal(t, 404, h.Do("GET", "/media/"+strings.Repeat("0", 32)+"/"+stored.Name, nil).Status)
	require.NotContains(t, h.Log.String(), stored.Token, "the address stays out of the log")

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
			require.Equal(t, c.status, a.Status, string(a.Body))
			_, message := errorOf(t, a)
			require.Contains(t, message, c.says)
		})
	}
	contentType, body = form(t, "sound", "a.wav", audio)
	_, message := errorOf(t, post("", contentType, body))
	require.Contains(t, message, `no part "file"`)
	require.Equal(t, 400, post("", "multipart/form-data", audio).Status, "a form without a boundary")
}

func TestEvents(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	req := h.Request("GET", "/api/v1/events", nil)
	req.Header.Set("Last-Event-ID", "41")
	resp, err := h.Server.Client().Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))

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
		require.Equal(t, fmt.Sprint(next), ev.id, "ids go on from Last-Event-ID")
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
