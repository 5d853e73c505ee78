package api_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// endCall lets a call end.
func endCall(t *testing.T, h *hosttest.Host, in object, sid string) {
	t.Helper()
	h.Want(200, "GET", strings.TrimPrefix(in["endpoint_url"].(string), h.URL)+"?Call="+sid+"&From=%2B12025550143&End=1", nil)
}

// The record of a call has all that happened, whatever has become of its alert and its integration.
func TestRecordOfACall(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	call(t, h, in, "CA01")
	var c object
	hosttest.Eventually(t, "the recording", func() bool {
		h.Want(200, "GET", "/api/v1/calls/CA01", nil).JSON(t, &c)
		return len(c["recordings"].([]any)) == 1
	})
	wantFields(t, c, object{"integration_name": "Hotline", "live": true, "unheard": 1.0})
	var story []string
	for _, l := range c["story"].([]any) {
		story = append(story, l.(object)["message"].(string))
	}
	if diff := cmp.Diff([]string{"An alert was created.", "The alert was routed to DevOps.", "The alert waits for layer 1.", "Voicemail stored (2 s)."}, story); diff != "" {
		t.Errorf("the story (-want +got):\n%s", diff)
	}
	if got := c["fields"].([]any)[0].(object)["value"]; got != "+12025550143" {
		t.Errorf("the first field is %v", got)
	}
	recording := c["recordings"].([]any)[0].(object)
	h.Want(200, "GET", strings.TrimPrefix(recording["url"].(string), h.URL), nil)

	heard := "/api/v1/calls/CA01/recordings/" + url.PathEscape(recording["ref"].(string)) + "/heard"
	h.Want(404, "POST", heard, object{"user": "mallory"})
	h.Want(400, "POST", heard, object{})
	h.Want(404, "POST", "/api/v1/calls/CA01/recordings/media:0/heard", object{"user": "alice"})
	h.Want(404, "POST", "/api/v1/calls/CA99/recordings/media:0/heard", object{"user": "alice"})
	h.Want(200, "POST", heard, object{"user": "alice"}).JSON(t, &c)
	wantFields(t, c, object{"unheard": 0.0})
	if who := c["recordings"].([]any)[0].(object)["heard"].([]any)[0].(object); who["user_name"] != "Alice Example" || who["at"] == nil {
		t.Errorf("heard by %v", who)
	}

	var note object
	h.Want(201, "POST", "/api/v1/calls/CA01/notes", object{"user": "bob", "text": "She calls again at nine."}).JSON(t, &note)
	wantFields(t, note, object{"user_name": "Bob Example", "text": "She calls again at nine."})
	h.Want(400, "POST", "/api/v1/calls/CA01/notes", object{"user": "bob", "text": ""})
	h.Want(404, "POST", "/api/v1/calls/CA01/notes", object{"user": "mallory", "text": "x"})
	h.Want(404, "POST", "/api/v1/calls/CA99/notes", object{"user": "bob", "text": "x"})
	h.Want(404, "DELETE", "/api/v1/calls/CA01/notes/x", nil)
	h.Want(204, "DELETE", "/api/v1/calls/CA01/notes/"+note["id"].(string), nil)

	h.Want(409, "DELETE", "/api/v1/calls/CA01", nil)
	endCall(t, h, in, "CA01")
	h.Want(204, "DELETE", "/api/v1/integrations/"+in["id"].(string), nil)
	h.Want(200, "GET", "/api/v1/calls/CA01", nil).JSON(t, &c)
	wantFields(t, c, object{"ended": "hung_up", "live": false, "notes": []any{}})
	h.Want(204, "DELETE", "/api/v1/calls/CA01", nil)
	h.Want(404, "DELETE", "/api/v1/calls/CA01", nil)
	h.Want(404, "GET", strings.TrimPrefix(recording["url"].(string), h.URL), nil)
}

func TestListOfCallsIsNarrowedAndPaged(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	for _, sid := range []string{"CA01", "CA02", "CA03"} {
		call(t, h, in, sid)
	}
	endCall(t, h, in, "CA02")
	list := func(query string) (string, string) {
		t.Helper()
		var calls []object
		got := h.Want(200, "GET", "/api/v1/calls?"+query, nil)
		got.JSON(t, &calls)
		var sids []string
		for _, c := range calls {
			sids = append(sids, c["sid"].(string))
		}
		next, _, _ := strings.Cut(strings.TrimPrefix(got.Header.Get("Link"), "<"+h.URL), ">")
		return strings.Join(sids, " "), next
	}
	for query, want := range map[string]string{
		"": "CA03 CA02 CA01", "ended=hung_up": "CA02", "ended=connected": "", "from=%2B12025550143": "CA03 CA02 CA01", "from=%2B12025550199": "",
		"team=devops&from=%2B12025550199": "", "ended=told_goodbye": "", "until=2020-01-01": "", "until=2999-01-01": "CA03 CA02 CA01", "unheard=true&q=0143": "CA03 CA02 CA01", "q=nobody": "", "q=%25": "",
		"since=2020-01-01T00:00:00Z": "CA03 CA02 CA01", "since=2999-01-01T00:00:00Z": "", "live=true&integration=" + in["id"].(string): "CA03 CA01",
	} {
		if got, next := list(query); got != want || next != "" {
			t.Errorf("%s: %s, next %q; want %s and no more", query, got, next, want)
		}
	}
	first, next := list("limit=2&from=%2B12025550143")
	second, end := list(strings.TrimPrefix(next, "/api/v1/calls?"))
	if first != "CA03 CA02" || second != "CA01" || end != "" {
		t.Errorf("pages %q and %q, then %q", first, second, end)
	}
	for _, query := range []string{"since=yesterday", "cursor=x", "team=support", "since=2026-03-02&until=2026-03-01", "unheard=perhaps", "limit=0", "ended=foo", "integration=nope", "from=%2B1", "team=devops&ended=foo", "q=" + strings.Repeat("x", 500), "team=%00"} {
		h.Want(400, "GET", "/api/v1/calls?"+query, nil)
	}
	// Every list that is narrowed says so, and what there is.
	id := in["id"].(string)
	for path, want := range map[string]string{
		"calls?ended=foo":           `ended \"foo\" is unknown: use one of connected, hung_up, message_left, no_message, rejected, told_goodbye"`,
		"calls?integration=nope":    `integration \"nope\" is unknown: use one of ` + id + ` (Hotline)"`,
		"calls?from=0143":           `the caller's number \"0143\" has no country code`,
		"calls.csv?ended=foo":       `ended \"foo\" is unknown`,
		"alerts?integration=nope":   `integration \"nope\" is unknown`,
		"alerts?team=support":       `team \"support\" is unknown: use one of devops"`,
		"alerts?from=%2B12":         `the caller's number \"+12\" is`,
		"erasures?integration=nope": `integration \"nope\" is unknown`,
		"statistics?team=support":   `team: there is no team \"support\", and no call of this time reached it: use one of devops"`,
		"audit?action=logn":         `action \"logn\" is unknown: use one of login, logout, `,
		"audit?who=alicia":          `who \"alicia\" is unknown: give an e-mail address, a user's id, `,
		"audit?cursor=%3F":          `the cursor \"?\" is not one that`,
		"logins?account=alicia":     `account \"alicia\" is no account: give an e-mail address`,
	} {
		if a := h.Want(400, "GET", "/api/v1/"+path, nil); !strings.Contains(string(a.Body), want) {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	for _, path := range []string{
		"calls.csv?ended=told_goodbye", "alerts?integration=" + id + "&status=resolved", "erasures?integration=" + id, "statistics?team=devops", "audit?action=note.delete&who=alice",
		"audit?who=the+API+token&action=note.delete", "audit?who=gone@example.com", "logins?account=gone@example.com",
	} {
		h.Want(200, "GET", "/api/v1/"+path, nil)
	}
}

// A platform that shows its alerts itself has calls with stories and recordings all the same: what
// the API needs of it is a person's name.
func TestCallsNeedNoAlertBrowser(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	serveOn(t, h, struct{ platform.Platform }{h.Platform})
	in := create(t, h)
	dial(t, h, in, "CA01")
	var c object
	hosttest.Eventually(t, "the recording", func() bool {
		h.Want(200, "GET", "/api/v1/calls/CA01", nil).JSON(t, &c)
		return len(c["recordings"].([]any)) == 1
	})
	if got := len(c["story"].([]any)); got != 4 {
		t.Errorf("%d lines in the story, want 4", got)
	}
	h.Want(501, "GET", "/api/v1/alerts", nil)
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
	for _, query := range []string{"limit=0", "limit=x", "limit=100000", "live=perhaps"} {
		h.Want(400, "GET", "/api/v1/calls?"+query, nil)
	}
}
