package goalertsim_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

// hooked is a service whose one step is a webhook.
func (w *world) hooked() (admin.Service, *inbox) {
	w.Helper()
	box := w.inbox()
	return w.service(0, []admin.Dest{admin.Webhook(box.URL)}), box
}

func (w *world) told(box *inbox, kind string, n int) []map[string]any {
	w.Helper()
	w.Await(fmt.Sprintf("%d %s", n, kind), func() bool { return len(box.of(kind)) >= n })
	return box.of(kind)
}

func TestF50_AStepPostsTheAlert(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s, box := w.hooked()
	c := must[admin.Created](w)(s.Post(w.ctx, admin.Alert{Summary: "Live call", Details: "Payments", Dedup: "lcr:1", Meta: map[string]string{"lcr/call_sid": "CA111"}}))
	if w.Sim != nil && len(box.of("Alert")) > 0 {
		t.Error("posted before the step was reached")
	}
	got := w.told(box, "Alert", 1)[0]
	if name, _ := got["ServiceName"].(string); name == "" {
		t.Errorf("%v has no ServiceName", got)
	}
	delete(got, "ServiceName")
	w.equal("the webhook", got, fmt.Sprintf(`{"AppName":"GoAlert","Type":"Alert","AlertID":%d,"Summary":"Live call","Details":"Payments",
		"ServiceID":%q,"Meta":{"lcr/call_sid":"CA111"}}`, c.AlertID, s.ID))
}

func TestF51_AnyAnswerCountsAsReceived(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsStandIn("seconds in which nothing happens")
	s, box := w.hooked()
	box.does = func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) }
	w.alert(s, "lcr:1")
	w.later(20 * time.Second)
	if n := len(box.of("Alert")); n != 1 {
		t.Errorf("%d webhooks, want 1", n)
	}
}

func TestF51_AConnectionErrorIsRetried(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s, box := w.hooked()
	box.does = func(http.ResponseWriter, *http.Request) {
		if len(box.of("Alert")) < 2 {
			panic(http.ErrAbortHandler)
		}
	}
	w.alert(s, "lcr:1")
	w.told(box, "Alert", 2)
}

func TestF52_StatusIsPostedOnlyAfterTheAlert(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s, box := w.hooked()
	early := w.alert(s, "lcr:early")
	alice := w.Person("Alice Example", "").Session()
	if w.Sim != nil { // a real engine may be faster
		must[bool](w)(alice.Acknowledge(w.ctx, early))
	}
	id := w.alert(s, "lcr:1")
	w.told(box, "Alert", 1)
	w.Await("its post", func() bool { return w.status(id).State.LastEscalation != nil })
	must[bool](w)(alice.Acknowledge(w.ctx, id))
	got := w.told(box, "AlertStatus", 1)[0]
	if got["AlertID"] != float64(id) || got["LogEntry"] != "Acknowledged by Alice Example (Web)" || got["AppName"] != "GoAlert" {
		t.Errorf("%v", got)
	}
}

func TestF52_OnHeadTheStatusDescribesTheAlert(t *testing.T) {
	for version, fields := range map[goalertsim.Version]int{goalertsim.V0341: 4, goalertsim.Head: 10} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			w := open(t, goalertsim.Config{Version: version})
			w.NeedsStandIn("the version")
			s, box := w.hooked()
			c := must[admin.Created](w)(s.Post(w.ctx, admin.Alert{Summary: "Live call", Dedup: "lcr:1", Meta: map[string]string{"a": "b"}}))
			w.told(box, "Alert", 1)
			must[bool](w)(w.Admin.CloseAlert(w.ctx, c.AlertID))
			if got := w.told(box, "AlertStatus", 1)[0]; len(got) != fields {
				t.Errorf("%v has %d fields, want %d", got, len(got), fields)
			}
		})
	}
}

func TestF53_SeveralAlertsAreBundledWithoutNumbers(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsStandIn("the configuration, and alerts of one cycle")
	s, box := w.hooked()
	first := 0
	for i := range 5 {
		first = w.alert(s, fmt.Sprintf("lcr:%d", i))
	}
	w.equal("the bundle", w.told(box, "AlertBundle", 1)[0], `{"Type":"AlertBundle","Count":5}`)
	must[bool](w)(w.Admin.Acknowledge(w.ctx, first))
	w.later(2 * time.Minute)
	if n := len(box.all); n != 1 {
		t.Errorf("%d webhooks, want the bundle alone: %q", n, box.all)
	}
}

func TestF53_WithDisableMessageBundlesEachAlertIsPosted(t *testing.T) {
	w := open(t, goalertsim.Config{DisableMessageBundles: true})
	s, box := w.hooked()
	for i := range 5 {
		w.alert(s, fmt.Sprintf("lcr:%d", i))
	}
	w.told(box, "Alert", 5)
}

func TestF54_LaterChangesWaitForAScanAndStatesAreLost(t *testing.T) {
	w := open(t, goalertsim.Config{DisableMessageBundles: true})
	w.NeedsStandIn("its clock")
	s, box := w.hooked()
	id := w.alert(s, "lcr:1")
	w.told(box, "Alert", 1)
	must[bool](w)(w.Person("Alice Example", "").Session().Acknowledge(w.ctx, id))
	w.told(box, "AlertStatus", 1)
	w.ok(w.Admin.Escalate(w.ctx, id))
	w.later(2 * time.Second)
	must[bool](w)(must[admin.Created](w)(s.Post(w.ctx, admin.Alert{Action: "close", Dedup: "lcr:1"})).AlertID == id, nil)
	start := w.Now()
	got := w.told(box, "AlertStatus", 2)[1]
	if got["LogEntry"] != "Closed via live-call-routing integration (Generic API)" {
		t.Errorf("%v", got)
	}
	if late := w.Now().Sub(start); late < 10*time.Second || late > time.Minute {
		t.Errorf("the second change came after %v", late)
	}
}

func TestF54_AnEscalationThatReopensIsAChangeOfStatus(t *testing.T) {
	w := open(t, goalertsim.Config{DisableMessageBundles: true})
	w.NeedsStandIn("its clock")
	s, box := w.hooked()
	id := w.alert(s, "lcr:1")
	w.told(box, "Alert", 1)
	w.ok(w.Admin.Escalate(w.ctx, id))
	w.told(box, "Alert", 2)
	w.later(2 * time.Minute)
	if n := len(box.of("AlertStatus")); n != 0 {
		t.Errorf("%d AlertStatus of an alert that was unacknowledged all the time", n)
	}
	must[bool](w)(w.Admin.Acknowledge(w.ctx, id))
	w.told(box, "AlertStatus", 1)
	w.ok(w.Admin.Escalate(w.ctx, id))
	w.told(box, "AlertStatus", 2)
}

func TestF54_AllChangesMayBeLate(t *testing.T) {
	w := open(t, goalertsim.Config{LateStatus: true})
	w.NeedsStandIn("its clock")
	s, box := w.hooked()
	id := w.alert(s, "lcr:1")
	w.told(box, "Alert", 1)
	must[bool](w)(w.Admin.Acknowledge(w.ctx, id))
	w.later(5 * time.Second)
	if len(box.of("AlertStatus")) > 0 {
		t.Error("the change was posted at once")
	}
	w.told(box, "AlertStatus", 1)
}

func TestF55_AChangeOfTheScheduleIsPosted(t *testing.T) {
	w := open(t, goalertsim.Config{})
	alice, bob := w.Person("Alice Example", ""), w.Person("Bob Example", "")
	s, schedule := w.onSchedule(w.Now(), alice)
	box := w.inbox()
	w.Await("Alice on call", func() bool { return w.onCall(s) == "0 Alice Example" })
	w.ok(w.Admin.NotifySchedule(w.ctx, schedule, box.URL))
	w.ok(w.Admin.Override(w.ctx, schedule, w.Now().Add(-time.Minute), w.Now().Add(time.Hour), bob.ID, alice.ID))
	w.Cycle()
	w.Cycle()
	if n := len(box.of("ScheduleOnCallUsers")); n > 1 {
		t.Errorf("%d webhooks for one change", n)
	}
	var got map[string]any
	w.Await("Bob told", func() bool {
		for _, got = range box.of("ScheduleOnCallUsers") {
			if users := got["Users"].([]any); len(users) == 1 && users[0].(map[string]any)["Name"] == "Bob Example" {
				return true
			}
		}
		return false
	})
	if got["ScheduleID"] != schedule || got["Users"].([]any)[0].(map[string]any)["ID"] != bob.ID {
		t.Errorf("%v", got)
	}
}
