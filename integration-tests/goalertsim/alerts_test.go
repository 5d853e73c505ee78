package goalertsim_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

func TestF24_AFullServiceRefusesAlerts(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s := w.service(0)
	first := 0
	for i := range 200 {
		first = max(first, w.alert(s, fmt.Sprintf("lcr:%d", i)))
	}
	status, body := w.post(s.Href, "application/json", `{"summary":"one more","dedup":"lcr:200"}`, "Accept", "application/json")
	if status != 400 || strings.TrimSpace(body) != "too many unacknowledged alerts for this service" {
		t.Errorf("%d %q", status, body)
	}
	must[bool](w)(w.Admin.Acknowledge(w.ctx, first))
	w.alert(s, "lcr:200")
}

func TestF30_CreateByIntegrationKey(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s := w.service(0)
	a := admin.Alert{Summary: "Live call from +12025550199", Details: "IVR: Payments", Dedup: "lcr:CA111", Meta: map[string]string{"lcr/call_sid": "CA111"}}
	created := must[admin.Created](w)(s.Post(w.ctx, a))
	if created.AlertID == 0 || !created.IsNew || created.ServiceID != s.ID {
		t.Errorf("%+v", created)
	}
	same := admin.Created{AlertID: created.AlertID, ServiceID: s.ID}
	if again := must[admin.Created](w)(s.Post(w.ctx, a)); again != same {
		t.Errorf("the same again: %+v", again)
	}
	href, key, _ := strings.Cut(s.Href, "?token=")
	for name, send := range map[string]func() (int, string){
		"form": func() (int, string) {
			return w.post(s.Href, "application/x-www-form-urlencoded", "summary=Live+call&dedup=lcr%3ACA111", "Accept", "application/json")
		},
		"bearer": func() (int, string) {
			return w.post(href, "application/json", `{"summary":"Live call","dedup":"lcr:CA111"}`, "Accept", "application/json", "Authorization", "Bearer "+key)
		},
	} {
		var got admin.Created
		if status, body := send(); status != 200 || json.Unmarshal([]byte(body), &got) != nil || got != same {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

func TestF31_WithoutAcceptThereIsNoBodyAndABadKeyIs401(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s := w.service(0)
	if status, body := w.post(s.Href, "application/json", `{"summary":"Live call","dedup":"lcr:CA111"}`); status != 204 || body != "" {
		t.Errorf("%d %q", status, body)
	}
	if status, _ := w.post(s.Href+"0", "application/json", `{"summary":"Live call","dedup":"lcr:CA111"}`); status != 401 {
		t.Errorf("bad key: %d", status)
	}
}

func TestF32_CloseByIntegrationKey(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s := w.service(0)
	id := w.alert(s, "lcr:CA111")
	if c := must[admin.Created](w)(s.Post(w.ctx, admin.Alert{Action: "close", Dedup: "lcr:CA999"})); c.AlertID != 0 {
		t.Errorf("an unknown dedup key closed %+v", c)
	}
	status, body := w.post(s.Href, "application/x-www-form-urlencoded", "action=close&dedup=lcr%3ACA111", "Accept", "application/json")
	if status != 200 || !strings.Contains(body, fmt.Sprintf(`"AlertID":%d`, id)) {
		t.Errorf("%d %s", status, body)
	}
	if got := w.status(id); got.Status != "StatusClosed" || got.State != nil || !got.Has("Closed via live-call-routing integration (Generic API)") {
		t.Errorf("%+v", got)
	}
}

func TestF32_TheActionAckCreatesAnAlert(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s := w.service(0)
	c := must[admin.Created](w)(s.Post(w.ctx, admin.Alert{Action: "ack", Summary: "Live call", Dedup: "lcr:CA111"}))
	if !c.IsNew || w.status(c.AlertID).Status != "StatusUnacknowledged" {
		t.Errorf("%+v", c)
	}
}

func (w *world) createAlert(s admin.Service, rest string) (int, error) {
	var out struct {
		CreateAlert *struct {
			AlertID int
			Status  string
		}
	}
	err := w.Admin.Query(w.ctx, fmt.Sprintf(`mutation{createAlert(input:{serviceID:%q,%s}){alertID status}}`, s.ID, rest), &out)
	if out.CreateAlert == nil {
		return 0, err
	}
	return out.CreateAlert.AlertID, err
}

func TestF33_ByGraphQLARepeatedDedupKeyIsAnErrorAndUsesUpANumber(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s := w.service(0)
	first := must[int](w)(w.createAlert(s, `summary:"Live call",details:"Payments",dedup:"lcr:CA111",meta:[{key:"lcr/call_sid",value:"CA111"}]`))
	_, err := w.createAlert(s, `summary:"Live call",dedup:"lcr:CA111"`)
	w.refused(err, "duplicate alert already exists", "")
	next := must[int](w)(w.createAlert(s, `summary:"Live call",dedup:"lcr:CA112"`))
	if w.Sim != nil && next != first+2 || next < first+2 {
		t.Errorf("alerts %d and %d, want a number between them", first, next)
	}
}

func TestF34_LongTextsAreCutByRESTAndRefusedByGraphQL(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s := w.service(0)
	long, longer := strings.Repeat("s", 1025), strings.Repeat("d", 6<<10+1)
	c := must[admin.Created](w)(s.Post(w.ctx, admin.Alert{Summary: long, Details: longer, Dedup: "lcr:1"}))
	if w.Sim != nil {
		if a, _ := w.Sim.Alert(c.AlertID); len(a.Summary) != 1024 || len(a.Details) != 6<<10 {
			t.Errorf("summary of %d bytes, details of %d", len(a.Summary), len(a.Details))
		}
	}
	_, err := w.createAlert(s, fmt.Sprintf(`summary:%q,dedup:"lcr:2"`, long))
	w.refused(err, "", "")
	_, err = w.createAlert(s, fmt.Sprintf(`summary:"s",details:%q,dedup:"lcr:2"`, longer))
	w.refused(err, "", "")
	must[int](w)(w.createAlert(s, fmt.Sprintf(`summary:%q,details:%q,dedup:"lcr:2",sanitize:true`, long, longer)))
	w.alertWithoutSummary(s)
}

func (w *world) alertWithoutSummary(s admin.Service) {
	w.Helper()
	if c := must[admin.Created](w)(s.Post(w.ctx, admin.Alert{Dedup: "lcr:3"})); !c.IsNew {
		w.Errorf("an empty summary: %+v", c)
	}
}

func TestF35_MetaIsSetAtCreationOnly(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s := w.service(0)
	c := must[admin.Created](w)(s.Post(w.ctx, admin.Alert{Summary: "Live call", Dedup: "lcr:1", Meta: map[string]string{"lcr/call_sid": "CA111"}}))
	must[admin.Created](w)(s.Post(w.ctx, admin.Alert{Summary: "Live call", Dedup: "lcr:1", Meta: map[string]string{"lcr/call_sid": "CA222"}}))
	out := w.ask(w.Admin, fmt.Sprintf(`{alert(id:%d){meta{key value}}}`, c.AlertID))
	w.equal("the meta data", out, `{"alert":{"meta":[{"key":"lcr/call_sid","value":"CA111"}]}}`)
	for _, key := range []string{"Ä", strings.Repeat("k", 256)} {
		_, err := w.createAlert(s, fmt.Sprintf(`summary:"s",dedup:"lcr:2",meta:[{key:%q,value:"v"}]`, key))
		w.refused(err, "", "")
	}
	_, err := w.createAlert(s, fmt.Sprintf(`summary:"s",dedup:"lcr:2",meta:[{key:"k",value:%q}]`, strings.Repeat("v", 32<<10)))
	w.refused(err, "", "")
}

func TestF36_TheNoiseReasonCanBeWrittenLater(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.service(0), "lcr:1")
	for _, reason := range []string{"answered by Alice, call CA333, 2m10s", "answered by Bob"} {
		must[bool](w)(w.Admin.SetNoise(w.ctx, id, reason))
		if got := w.status(id).NoiseReason; got == nil || *got != reason {
			t.Errorf("noise reason %v, want %q", got, reason)
		}
	}
	_, err := w.Admin.SetNoise(w.ctx, id, strings.Repeat("n", 256))
	w.refused(err, "", "")
}

func TestF37_StateOfAnAlert(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.service(0), "lcr:1")
	if s := w.status(id); s.State != nil || s.Status != "StatusUnacknowledged" {
		t.Errorf("by a policy without steps: %+v", s)
	}
	id = w.alert(w.service(0, []admin.Dest{admin.User(w.Person("Alice Example", "").ID)}), "lcr:1")
	if s := w.status(id); w.Sim != nil && (s.State == nil || s.State.LastEscalation != nil) {
		t.Errorf("before the first step: %+v", s.State)
	}
	w.atStep(id, 0, 0)
	must[bool](w)(w.Admin.CloseAlert(w.ctx, id))
	if s := w.status(id); s.State != nil || s.Status != "StatusClosed" {
		t.Errorf("closed: %+v", s)
	}
	if s := w.status(2147483000); s != nil {
		t.Errorf("an unknown alert: %+v", s)
	}
}

func TestF38_TheLogNamesWhoAcknowledged(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.service(0), "lcr:1")
	if !must[bool](w)(w.Person("Alice Example", "").Session().Acknowledge(w.ctx, id)) {
		t.Error("nothing changed")
	}
	if s := w.status(id); s.Status != "StatusAcknowledged" || !s.Has("Acknowledged by Alice Example (Web)") {
		t.Errorf("%+v", s)
	}
}

func TestF39_AKeysAcknowledgementHasNoName(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.service(0), "lcr:1")
	w.ok(w.key(twoOperations).Send(w.ctx, admin.Request{OperationName: "Ack", Variables: map[string]any{"id": id}}, nil))
	if s := w.status(id); s.Status != "StatusAcknowledged" || !s.Has("Acknowledged") {
		t.Errorf("%+v", s)
	}
}

func TestF40_TooLateAnswersNull(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.service(0), "lcr:1")
	ack := fmt.Sprintf(`mutation{updateAlerts(input:{alertIDs:[%d],newStatus:StatusAcknowledged}){alertID status}}`, id)
	w.equal("the first", w.ask(w.Admin, ack), fmt.Sprintf(`{"updateAlerts":[{"alertID":%d,"status":"StatusAcknowledged"}]}`, id))
	w.equal("repeated", w.ask(w.Admin, ack), `{"updateAlerts":null}`)
	_ = w.Admin.Query(w.ctx, strings.Replace(ack, "StatusAcknowledged", "StatusUnacknowledged", 1), nil)
	if s := w.status(id); s.Status != "StatusAcknowledged" {
		t.Errorf("set back to %s", s.Status)
	}
	must[bool](w)(w.Admin.CloseAlert(w.ctx, id))
	w.equal("closed", w.ask(w.Admin, ack), `{"updateAlerts":null}`)
}

func TestF41_TwilioCallbackAcknowledgesForAUser(t *testing.T) {
	w := open(t, goalertsim.Config{})
	dave := w.Person("Dave Example", "+12025550148")
	id := w.alert(w.service(0, []admin.Dest{admin.User(dave.ID)}), "lcr:1")
	w.Await("a call to Dave", func() bool { return len(w.Twilio.Called(dave.Number)) > 1 })
	w.Await("the log's line of the call", func() bool { return len(w.status(id).MessageIDs) > 0 })
	call := w.Twilio.Called(dave.Number)[1]
	if !strings.Contains(call.URL, "msgID="+w.status(id).MessageIDs[0]) {
		t.Errorf("call %s, log %v", call.URL, w.status(id).MessageIDs)
	}
	forged := &admin.Twilio{AuthToken: "guess"}
	if status, _, err := forged.Press(call, "4"); err != nil || status != 400 {
		t.Errorf("forged: %d, %v", status, err)
	}
	status, _, err := w.Twilio.Press(call, "4")
	if s := w.status(id); err != nil || status != 200 || !s.Has("Acknowledged by Dave Example (Voice Call)") {
		t.Errorf("%d, %v: %+v", status, err, s)
	}
	if _, body, _ := w.Twilio.Press(call, "4"); !strings.Contains(body, "Already Acknowledged by Dave Example<") {
		t.Errorf("too late: %s", body)
	}
}

// people is a service with one person at each of two steps.
func (w *world) people(repeat int) admin.Service {
	w.Helper()
	return w.service(repeat, []admin.Dest{admin.User(w.Person("Alice Example", "").ID)}, []admin.Dest{admin.User(w.Person("Bob Example", "").ID)})
}

func TestF42_EscalationReopensAtTheNextCycle(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.people(0), "lcr:1")
	w.atStep(id, 0, 0)
	must[bool](w)(w.Admin.Acknowledge(w.ctx, id))
	w.ok(w.Admin.Escalate(w.ctx, id))
	if s := w.status(id); w.Sim != nil && s.Status != "StatusAcknowledged" {
		t.Errorf("before the cycle: %s", s.Status)
	}
	w.atStep(id, 0, 1)
	if s := w.status(id); s.Status != "StatusUnacknowledged" {
		t.Errorf("after the cycle: %s", s.Status)
	}
}

func TestF43_EscalationWrapsEvenWhenRepeatsAreUsedUp(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.people(0), "lcr:1")
	w.atStep(id, 0, 0)
	w.ok(w.Admin.Escalate(w.ctx, id))
	w.atStep(id, 0, 1)
	w.ok(w.Admin.Escalate(w.ctx, id))
	w.atStep(id, 1, 0)
}

func TestF44_AClosedAlertIsNotEscalated(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.people(0), "lcr:1")
	must[bool](w)(w.Admin.CloseAlert(w.ctx, id))
	w.refused(w.Admin.Escalate(w.ctx, id), "alert is already closed", "")
}

func TestF45_AnAlertIsClosedByItsDedupKey(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s := w.service(0)
	id := w.alert(s, "lcr:1")
	w.ask(w.Admin, fmt.Sprintf(`mutation{closeMatchingAlert(input:{serviceID:%q,dedup:"lcr:1"})}`, s.ID))
	if got := w.status(id); got.Status != "StatusClosed" {
		t.Errorf("%+v", got)
	}
	if again := w.alert(s, "lcr:1"); again == id {
		t.Error("a closed alert took up the dedup key again")
	}
}

func TestF46_NothingTellsThatAPolicyIsExhausted(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.people(1), "lcr:1")
	for _, at := range [][2]int{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
		w.atStep(id, at[0], at[1])
	}
	w.NeedsStandIn("minutes in which nothing happens")
	before := w.status(id)
	w.later(3 * time.Minute)
	after := w.status(id)
	w.equal("the state", after, string(must[[]byte](w)(json.Marshal(before))))
	if last, err := time.Parse(time.RFC3339, *after.State.LastEscalation); err != nil || w.Now().Sub(last) < time.Minute {
		t.Errorf("last escalation %v at %v, %v", last, w.Now(), err)
	}
}

func TestF46_ThePolicyThatRepeatsForeverIsNeverExhausted(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsStandIn("many minutes")
	id := w.alert(w.people(-1), "lcr:1")
	w.atStep(id, 2, 1)
}

func TestF47_InMaintenanceNobodyIsNotified(t *testing.T) {
	w := open(t, goalertsim.Config{})
	box := w.inbox()
	s := w.service(0, []admin.Dest{admin.Webhook(box.URL)})
	w.ok(w.Admin.SetMaintenance(w.ctx, s.ID, w.Now().Add(20*time.Second)))
	out := w.ask(w.Admin, fmt.Sprintf(`{service(id:%q){maintenanceExpiresAt}}`, s.ID))
	if out["service"].(map[string]any)["maintenanceExpiresAt"] == nil {
		t.Error("the service does not say that it is in maintenance")
	}
	id := w.alert(s, "lcr:1")
	w.NeedsStandIn("seconds in which nothing happens")
	w.later(10 * time.Second)
	if got := w.status(id); got.State == nil || got.State.LastEscalation != nil || len(box.of("Alert")) > 0 {
		t.Errorf("%+v, %d webhooks", got, len(box.of("Alert")))
	}
	w.leftOpen(w.Admin.Escalate(w.ctx, id), "in maintenance")
}

func TestF48_GoAlertCallsPeopleItself(t *testing.T) {
	w := open(t, goalertsim.Config{})
	alice := w.Person("Alice Example", "+12025550149")
	id := w.alert(w.service(0, []admin.Dest{admin.User(alice.ID)}), "lcr:1")
	w.Await("a call to Alice", func() bool { return len(w.Twilio.Called(alice.Number)) > 1 })
	w.Await("the log's line", func() bool { return strings.Contains(strings.Join(w.status(id).Log, "\n"), "Notification sent to") })
}

func TestF49_ThereAreNoSubscriptions(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.equal("the schema", w.ask(w.Admin, `{__schema{subscriptionType{name}}}`), `{"__schema":{"subscriptionType":null}}`)
}

func TestF57_FiftySlotsWithId0(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.service(0), "lcr:1")
	var head, body, want strings.Builder
	for i := range 50 {
		fmt.Fprintf(&head, "$a%d:Int!=0 ", i)
		fmt.Fprintf(&body, "a%d:alert(id:$a%d){status recentEvents(input:{limit:3}){nodes{timestamp}}} ", i, i)
		if i != 7 {
			fmt.Fprintf(&want, `"a%d":null,`, i)
		}
	}
	var out map[string]any
	k := w.key("query Poll(" + head.String() + "){" + body.String() + "}")
	w.ok(k.Send(w.ctx, admin.Request{OperationName: "Poll", Variables: map[string]any{"a7": id}}, &out))
	if out["a7"] == nil {
		t.Error("the alert is missing")
	}
	delete(out, "a7")
	w.equal("the other slots", out, "{"+strings.TrimSuffix(want.String(), ",")+"}")
}

func TestF58_AlertsByAliasAreLoadedTogether(t *testing.T) {
	w := open(t, goalertsim.Config{})
	id := w.alert(w.service(0), "lcr:1")
	var b strings.Builder
	for i := range 150 {
		fmt.Fprintf(&b, "a%d:alert(id:%d){status state{stepNumber} meta{key}} ", i, id)
	}
	if out := w.ask(w.Admin, "{"+b.String()+"}"); len(out) != 150 {
		t.Errorf("%d alerts", len(out))
	}
}

func TestF59_AlertsOfServices(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s := w.service(0)
	id, other := w.alert(s, "lcr:1"), w.alert(s, "lcr:2")
	w.alert(w.service(0), "lcr:1")
	must[bool](w)(w.Admin.CloseAlert(w.ctx, other))
	ask := func(services string, first int) string {
		return fmt.Sprintf(`{alerts(input:{filterByServiceID:[%s],filterByStatus:[StatusUnacknowledged,StatusAcknowledged],first:%d}){nodes{alertID status}}}`, services, first)
	}
	own := fmt.Sprintf("%q", s.ID)
	w.equal("the alerts", w.ask(w.Admin, ask(own, 1000)), fmt.Sprintf(`{"alerts":{"nodes":[{"alertID":%d,"status":"StatusUnacknowledged"}]}}`, id))
	w.refused(w.Admin.Query(w.ctx, ask(own, 1001), nil), "", "")
	w.refused(w.Admin.Query(w.ctx, ask(strings.TrimSuffix(strings.Repeat(own+",", 51), ","), 1), nil), "", "")
}

func TestF60_AllLogLinesOfAServiceSinceATime(t *testing.T) {
	for name, cfg := range map[string]goalertsim.Config{"newest first": {}, "oldest first": {OldestFirst: true}, "exclusive": {SinceExclusive: true}} {
		t.Run(name, func(t *testing.T) {
			w := open(t, cfg)
			s, elsewhere := w.service(0), w.service(0)
			first, second := w.alert(s, "lcr:1"), w.alert(s, "lcr:2")
			w.alert(elsewhere, "lcr:1")
			w.Cycle()
			middle := w.Now()
			w.Cycle()
			must[bool](w)(w.Person("Alice Example", "").Session().Acknowledge(w.ctx, second))
			must[bool](w)(w.Admin.CloseAlert(w.ctx, first))
			lines := func(since time.Time, limit int) (all []string) {
				var out struct {
					Service struct {
						RecentEvents struct {
							Nodes []struct {
								AlertID   int
								Timestamp time.Time
								Message   string
							}
						}
					}
				}
				w.ok(w.Admin.Query(w.ctx, fmt.Sprintf(`{service(id:%q){recentEvents(input:{since:%q,limit:%d}){nodes{id alertID timestamp message}}}}`,
					s.ID, since.Format(time.RFC3339Nano), limit), &out))
				for _, n := range out.Service.RecentEvents.Nodes {
					if n.Timestamp.Before(since) {
						t.Errorf("%v is before %v", n.Timestamp, since)
					}
					all = append(all, fmt.Sprintf("%d %s", n.AlertID, n.Message))
				}
				return all
			}
			if w.Sim == nil {
				middle = time.Now().Add(-time.Minute) // its clock may differ a little
			}
			want := fmt.Sprintf("%d Acknowledged by Alice Example (Web)", second)
			if got := strings.Join(lines(middle, 100), "\n"); !strings.Contains(got, want) {
				t.Errorf("lines %q, want %q", got, want)
			}
			if got := lines(middle, 100); w.Sim != nil && len(got) != 2 {
				t.Errorf("lines %q, want two", got)
			}
			if got := lines(middle.Add(-time.Hour), 1); len(got) != 1 || w.Sim != nil && strings.Contains(got[0], "created") != cfg.OldestFirst {
				t.Errorf("lines %q with limit 1", got)
			}
			if w.Sim != nil && (len(lines(w.Now(), 100)) == 0) != cfg.SinceExclusive {
				t.Errorf("lines of exactly now: %q", lines(w.Now(), 100))
			}
		})
	}
}

func TestF61_ANumberGetsOneMessageAMinute(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsStandIn("its clock")
	alice := w.Person("Alice Example", "+12025550150")
	s := w.service(0, []admin.Dest{admin.User(alice.ID)})
	w.alert(s, "lcr:1")
	verified := w.Now()
	w.Await("a call to Alice", func() bool { return len(w.Twilio.Called(alice.Number)) == 2 })
	if d := w.Now().Sub(verified); d < 55*time.Second {
		t.Errorf("called %v after the code", d)
	}
	for i := range 4 {
		w.alert(s, fmt.Sprintf("lcr:more%d", i))
	}
	w.later(10 * time.Minute)
	if n := len(w.Twilio.Called(alice.Number)); n != 4 {
		t.Errorf("%d calls, want the code and 3 alerts in 15 minutes", n)
	}
}
