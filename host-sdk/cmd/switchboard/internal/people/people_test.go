package people_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Each role may do what the one before it may, and more; a role or an action that is none, nothing.
func TestRoles(t *testing.T) {
	t.Parallel()
	allowed := map[people.Role]string{
		people.Viewer: "look, see alert, self", people.Responder: "look, see alert, self, take, hear, respond",
		people.Admin: "look, see alert, self, take, hear, respond, configure, manage", "king": "", "": "",
	}
	for role, want := range allowed {
		var got []string
		for _, a := range []people.Action{people.Look, people.SeeAlert, people.Self, people.TakeAlert, people.Hear, people.Respond, people.Configure, people.Manage, "rule", ""} {
			if role.May(a) {
				got = append(got, string(a))
			}
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%q may %s, want %s", role, text, want)
		}
	}
	page := people.Identity{Role: people.Admin, How: store.LoginByPage, User: "alice", Alert: "1"} // of whatever role
	for action, want := range map[people.Action]bool{people.SeeAlert: true, people.TakeAlert: true, people.Hear: true, people.Look: false, people.Respond: false, people.Configure: false, people.Manage: false, people.Self: false} {
		if got := page.May(action, "1"); got != want {
			t.Errorf("the link in a page: %s its alert: %v, want %v", action, got, want)
		}
		if page.May(action, "2") && action != people.Hear {
			t.Errorf("the link in a page: %s another alert", action)
		}
	}
}

// The audit keeps lines as long as it is told.
func TestTheAuditKeepsLinesForTheirTime(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	kept := h.Store.(store.People)
	now := time.Now()
	for days, who := range map[int]string{41: "old", 39: "new"} {
		if err := kept.AddAudit(t.Context(), store.AuditLine{At: now.AddDate(0, 0, -days), Who: who, Action: "login"}); err != nil {
			t.Fatal(err)
		}
	}
	h.People(func(c *people.Config) { c.KeepAudit, c.Clock = 40*24*time.Hour, clock.NewManual(now) })
	hosttest.Eventually(t, "the old line is gone", func() bool {
		lines, _, err := kept.ListAudit(t.Context(), store.AuditFilter{})
		if err != nil {
			t.Fatal(err)
		}
		return len(lines) == 1 && lines[0].Who == "new"
	})
}

// Wrong tokens are counted by where they come from, and the right one is let in whatever came before.
func TestTheAPILetsTheRightTokenInAfterAnyNumberOfWrongOnes(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	api := h.People(nil).API(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	try := func(authorization string) int {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = "192.0.2.1:1000"
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w.Code
	}
	counts := map[int]int{}
	for range 40 {
		counts[try("Bearer swb_WRONG")]++
		if got := try("bearer " + hosttest.Token); got != 204 {
			t.Fatalf("the right token: %d", got)
		}
	}
	if counts[401] < 10 || counts[401]+counts[429] != 40 || counts[429] == 0 {
		t.Errorf("wrong tokens were answered %v", counts)
	}
	for _, none := range []string{"", "Bearer ", "Bearer", hosttest.Token, "Basic " + hosttest.Token} {
		if got := try(none); got != 401 && got != 429 {
			t.Errorf("%q is let in: %d", none, got)
		}
	}
}
