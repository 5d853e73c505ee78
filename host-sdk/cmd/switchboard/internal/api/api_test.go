package api_test

import (
	"net/url"
	"strings"
	"testing"

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
