package goalertsim_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

func TestF14_AUsernameHas3Characters(t *testing.T) {
	w := open(t, goalertsim.Config{})
	out := w.ask(w.Admin, fmt.Sprintf(`mutation{createUser(input:{username:%q,password:"alice-password",name:"Alice Example",email:"alice@example.com",role:user}){name role}}`,
		strings.ReplaceAll(w.Unique("alice"), " ", "")))
	w.equal("the user", out, `{"createUser":{"name":"Alice Example","role":"user"}}`)
	_, err := w.Admin.CreateUser(w.ctx, "al", "alice-password", "Alice Example")
	w.refused(err, "", "")
}

func TestF15_ATelephoneIsDisabledUntilVerified(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsTelephones()
	p := w.Person("Alice Example", "")
	m := must[admin.ContactMethod](w)(w.Admin.AddContactMethod(w.ctx, p.ID, "mobile", admin.Voice("+12025550143")))
	if m.ID == "" || !m.Disabled || m.Pending {
		t.Errorf("%+v", m)
	}
	_, err := w.Admin.AddContactMethod(w.ctx, p.ID, "other", admin.Voice("12345"))
	w.refused(err, "", "INVALID_DEST_FIELD_VALUE")
}

func TestF15_TelephonesAreRefusedWithTwilioOff(t *testing.T) {
	w := open(t, goalertsim.Config{WebhooksOff: true})
	w.NeedsStandIn("another configuration")
	w.Sim.DisableTwilio()
	_, err := w.Admin.AddContactMethod(w.ctx, w.Person("Alice Example", "").ID, "mobile", admin.Voice("+12025550143"))
	w.refused(err, "destination type is not enabled", "")
	_, err = w.Admin.AddStep(w.ctx, w.policy(0), 1, admin.Webhook("http://127.0.0.1:1/"))
	w.refused(err, "destination type is not enabled", "")
}

func TestF16_TheCodeIsSpokenInTheCall(t *testing.T) {
	w := open(t, goalertsim.Config{})
	p := w.Person("Alice Example", "+12025550143") // by call, code and verification
	c := w.Twilio.Called(p.Number)
	u, err := url.Parse(c[0].URL)
	if err != nil || u.Path != "/api/v2/twilio/call" || !strings.HasPrefix(c[0].Text, "The code is: ") {
		t.Errorf("call %+v", c[0])
	}
	out := w.ask(w.Admin, fmt.Sprintf(`{user(id:%q){contactMethods{disabled}}}`, p.ID))
	w.equal("the telephone", out, `{"user":{"contactMethods":[{"disabled":false}]}}`)
}

func TestF16_ATextMessageHasTheCode(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsTelephones()
	m := must[admin.ContactMethod](w)(w.Admin.AddContactMethod(w.ctx, w.Person("Alice Example", "").ID, "texts", admin.SMS("+12025550151")))
	w.ok(w.Admin.SendVerification(w.ctx, m.ID))
	w.Await("the code", func() bool { return w.Twilio.Code("+12025550151") != "" })
	w.ok(w.Admin.Verify(w.ctx, m.ID, w.Twilio.Code("+12025550151")))
}

func TestF16_AWrongCodeIsRefused(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsTelephones()
	m := must[admin.ContactMethod](w)(w.Admin.AddContactMethod(w.ctx, w.Person("Alice Example", "").ID, "mobile", admin.Voice("+12025550144")))
	w.refused(w.Admin.Verify(w.ctx, m.ID, "123456"), "", "")
}

func (w *world) onCall(s admin.Service) string {
	w.Helper()
	var out struct {
		Service struct {
			OnCallUsers []struct {
				UserName   string
				StepNumber int
			}
		}
	}
	w.ok(w.Admin.Query(w.ctx, fmt.Sprintf(`{service(id:%q){onCallUsers{userID userName stepNumber}}}`, s.ID), &out))
	var all []string
	for _, o := range out.Service.OnCallUsers {
		all = append(all, fmt.Sprintf("%d %s", o.StepNumber, o.UserName))
	}
	return strings.Join(all, ", ")
}

// onSchedule is a service whose one step is a schedule of one rotation.
func (w *world) onSchedule(start time.Time, people ...*goalertsim.Person) (admin.Service, string) {
	w.Helper()
	var ids []string
	for _, p := range people {
		ids = append(ids, p.ID)
	}
	rotation := must[string](w)(w.Admin.CreateRotation(w.ctx, w.Unique("Rotation"), start, ids...))
	schedule := must[string](w)(w.Admin.CreateSchedule(w.ctx, w.Unique("Schedule"), rotation))
	return w.service(0, []admin.Dest{admin.Schedule(schedule)}), schedule
}

func TestF17_ARotationHandsOverWeekly(t *testing.T) {
	w := open(t, goalertsim.Config{})
	alice, bob := w.Person("Alice Example", ""), w.Person("Bob Example", "")
	start := w.Now().Add(-7*24*time.Hour + time.Minute)
	out := w.ask(w.Admin, fmt.Sprintf(`mutation{createRotation(input:{name:%q,timeZone:"UTC",start:%q,type:weekly,shiftLength:1,
		userIDs:[%q,%q]}){id activeUserIndex nextHandoffTimes}}`, w.Unique("Rotation"), start.Format(time.RFC3339), alice.ID, bob.ID))
	r := out["createRotation"].(map[string]any)
	if r["activeUserIndex"] != 0.0 || len(r["nextHandoffTimes"].([]any)) == 0 {
		t.Errorf("%v", r)
	}
	s := w.service(0, []admin.Dest{admin.Rotation(r["id"].(string))})
	w.Await("Alice on call", func() bool { return w.onCall(s) == "0 Alice Example" })
	w.Await("Bob on call", func() bool { return w.onCall(s) == "0 Bob Example" })
}

func TestF18_WhoIsActiveInTheRotationIsOnCallByTheSchedule(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s, _ := w.onSchedule(w.Now(), w.Person("Alice Example", ""), w.Person("Bob Example", ""))
	w.Await("Alice on call", func() bool { return w.onCall(s) == "0 Alice Example" })
}

func TestF19_AnOverrideChangesWhoIsOnCallAtTheNextCycle(t *testing.T) {
	w := open(t, goalertsim.Config{})
	alice, bob := w.Person("Alice Example", ""), w.Person("Bob Example", "")
	s, schedule := w.onSchedule(w.Now(), alice)
	w.Await("Alice on call", func() bool { return w.onCall(s) == "0 Alice Example" })
	w.ok(w.Admin.Override(w.ctx, schedule, w.Now().Add(-time.Minute), w.Now().Add(time.Hour), bob.ID, alice.ID))
	if w.Sim != nil && w.onCall(s) != "0 Alice Example" {
		t.Errorf("on call before the cycle: %s", w.onCall(s))
	}
	w.Await("Bob on call", func() bool { return w.onCall(s) == "0 Bob Example" })
}

func TestF20_APolicyRepeats3TimesByDefault(t *testing.T) {
	w := open(t, goalertsim.Config{})
	for input, want := range map[string]int{"": 3, ",repeat:0": 0, ",repeat:-1": -1} {
		id := w.ask(w.Admin, fmt.Sprintf(`mutation{createEscalationPolicy(input:{name:%q%s}){id}}`, w.Unique("Policy"), input))["createEscalationPolicy"].(map[string]any)["id"]
		s := must[admin.Service](w)(w.Admin.CreateService(w.ctx, w.Unique("Payments"), id.(string), "key"))
		out := w.ask(w.Admin, fmt.Sprintf(`{service(id:%q){escalationPolicy{repeat}}}`, s.ID))
		w.equal("the policy", out, fmt.Sprintf(`{"service":{"escalationPolicy":{"repeat":%d}}}`, want))
	}
}

func TestF21_StepsCountFrom0AndLastAMinute(t *testing.T) {
	w := open(t, goalertsim.Config{})
	alice := w.Person("Alice Example", "")
	policy := w.policy(0)
	for want := range 2 {
		if n := must[int](w)(w.Admin.AddStep(w.ctx, policy, 1, admin.User(alice.ID))); n != want {
			t.Errorf("step %d, want %d", n, want)
		}
	}
	_, err := w.Admin.AddStep(w.ctx, policy, 0, admin.User(alice.ID))
	w.refused(err, "must not be below 1", "")
}

func TestF22_AServiceNameHas2To64CharactersALetterFirst(t *testing.T) {
	w := open(t, goalertsim.Config{})
	policy := w.policy(0)
	for _, name := range []string{"P", "1 Payments", strings.Repeat("p", 65)} {
		_, err := w.Admin.CreateService(w.ctx, name, policy, "key")
		w.refused(err, "", "")
	}
	s := must[admin.Service](w)(w.Admin.CreateService(w.ctx, w.Unique("Payments"), policy, "key"))
	if !strings.HasPrefix(s.Href, w.URL+"/api/v2/generic/incoming?token=") {
		t.Errorf("href %q", s.Href)
	}
}

func TestF23_LimitsOfStepsActionsAndContactMethods(t *testing.T) {
	w := open(t, goalertsim.Config{})
	alice := w.Person("Alice Example", "")
	policy := w.policy(0)
	var actions []admin.Dest
	for i := range 21 {
		actions = append(actions, admin.Webhook(fmt.Sprintf("http://127.0.0.1:1/%d", i)))
	}
	_, err := w.Admin.AddStep(w.ctx, policy, 1, actions...)
	w.refused(err, "", "")
	must[int](w)(w.Admin.AddStep(w.ctx, policy, 1, actions[:20]...))
	for range 9 {
		must[int](w)(w.Admin.AddStep(w.ctx, policy, 1, admin.User(alice.ID)))
	}
	_, err = w.Admin.AddStep(w.ctx, policy, 1, admin.User(alice.ID))
	w.refused(err, "", "")
	w.NeedsTelephones()
	for i := range 10 {
		must[admin.ContactMethod](w)(w.Admin.AddContactMethod(w.ctx, alice.ID, fmt.Sprintf("mobile %d", i), admin.Voice(fmt.Sprintf("+1202555011%d", i))))
	}
	_, err = w.Admin.AddContactMethod(w.ctx, alice.ID, "mobile 10", admin.Voice("+12025550120"))
	w.refused(err, "", "")
}

func TestF25_ServicesByPageAndByLabel(t *testing.T) {
	w := open(t, goalertsim.Config{})
	team := strings.ReplaceAll(w.Unique("team"), " ", "-")
	policy := w.policy(0)
	for i := range 3 {
		must[admin.Service](w)(w.Admin.CreateService(w.ctx, w.Unique(fmt.Sprintf("Payments %d", i)), policy, "key", admin.Label{Key: "example.com/team", Value: team}))
	}
	must[admin.Service](w)(w.Admin.CreateService(w.ctx, w.Unique("Shop"), policy, "key", admin.Label{Key: "example.com/team", Value: team + "x"}))
	seen, after, pages := map[string]bool{}, "", 0
	for more := true; more; pages++ {
		var out struct {
			Services struct {
				Nodes []struct {
					ID, EscalationPolicyID string
					Labels                 []admin.Label
					MaintenanceExpiresAt   *time.Time
				}
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
		w.ok(w.Admin.Query(w.ctx, fmt.Sprintf(`{services(input:{first:2,after:%q,search:"example.com/team=%s"}){
			nodes{id name labels{key value} escalationPolicyID maintenanceExpiresAt} pageInfo{hasNextPage endCursor}}}`, after, team), &out))
		for _, s := range out.Services.Nodes {
			seen[s.ID] = true
			if s.EscalationPolicyID != policy || s.MaintenanceExpiresAt != nil || len(s.Labels) != 1 || s.Labels[0].Value != team {
				t.Errorf("service %+v", s)
			}
		}
		more, after = out.Services.PageInfo.HasNextPage, out.Services.PageInfo.EndCursor
	}
	if len(seen) != 3 || pages != 2 {
		t.Errorf("%d services on %d pages, want 3 on 2", len(seen), pages)
	}
	out := w.ask(w.Admin, `{labelValues(input:{key:"example.com/team"}){nodes}}`)
	if text := fmt.Sprint(out); !strings.Contains(text, team+" ") || !strings.Contains(text, team+"x") {
		t.Errorf("values of the label: %s", text)
	}
}

func TestF26_ALabelKeyHasAPrefixOf3Characters(t *testing.T) {
	w := open(t, goalertsim.Config{})
	for _, key := range []string{"team", "ab/team", "Example/team"} {
		_, err := w.Admin.CreateService(w.ctx, w.Unique("Payments"), w.policy(0), "key", admin.Label{Key: key, Value: "payments"})
		w.refused(err, "", "")
	}
}

func TestF26_OnHeadPoliciesHaveLabels(t *testing.T) {
	w := open(t, goalertsim.Config{Version: goalertsim.Head})
	w.NeedsStandIn("the version")
	s := w.service(0)
	document := fmt.Sprintf(`{service(id:%q){escalationPolicy{labels{key value}}}}`, s.ID)
	w.equal("the labels", w.ask(w.Admin, document), `{"service":{"escalationPolicy":{"labels":[]}}}`)
	old := goalertsim.Open(t, goalertsim.Config{CycleTime: -1})
	if err := old.Admin.Query(w.ctx, document, nil); err == nil || len(old.Sim.Refusals()) != 1 {
		t.Errorf("v0.34.1 has labels on policies: %v", err)
	}
}

func TestF27_OnCallUsersAreOfAllSteps(t *testing.T) {
	w := open(t, goalertsim.Config{})
	alice, carol := w.Person("Alice Example", ""), w.Person("Carol Example", "")
	s := w.service(0, []admin.Dest{admin.User(alice.ID), admin.Webhook("http://127.0.0.1:1/")}, []admin.Dest{admin.User(carol.ID), admin.User(alice.ID)})
	if w.Sim != nil && w.onCall(s) != "" {
		t.Errorf("on call before the first cycle: %s", w.onCall(s))
	}
	w.Await("three on call", func() bool { return strings.Count(w.onCall(s), "Example") == 3 })
	for _, want := range []string{"0 Alice Example", "1 Carol Example", "1 Alice Example"} {
		if got := w.onCall(s); !strings.Contains(got, want) {
			t.Errorf("on call %s, want %s", got, want)
		}
	}
	out := w.ask(w.Admin, fmt.Sprintf(`{service(id:%q){escalationPolicy{repeat steps{stepNumber delayMinutes actions{type args}}}}}`, s.ID))
	w.equal("the policy", out, fmt.Sprintf(`{"service":{"escalationPolicy":{"repeat":0,"steps":[
		{"stepNumber":0,"delayMinutes":1,"actions":[{"type":"builtin-user","args":{"user_id":%q}},{"type":"builtin-webhook","args":{"webhook_url":"http://127.0.0.1:1/"}}]},
		{"stepNumber":1,"delayMinutes":1,"actions":[{"type":"builtin-user","args":{"user_id":%q}},{"type":"builtin-user","args":{"user_id":%q}}]}]}}}`,
		alice.ID, carol.ID, alice.ID))
}

func TestF28_AnybodyReadsTelephones(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsTelephones()
	alice, bob := w.Person("Alice Example", ""), w.Person("Bob Example", "")
	m := must[admin.ContactMethod](w)(w.Admin.AddContactMethod(w.ctx, alice.ID, "mobile", admin.Voice("+12025550145")))
	must[admin.ContactMethod](w)(w.Admin.AddContactMethod(w.ctx, alice.ID, "texts", admin.SMS("+12025550145")))
	document := fmt.Sprintf(`{user(id:%q){name contactMethods{id disabled dest{type args}} notificationRules{delayMinutes contactMethodID}}}`, alice.ID)
	for _, c := range []*admin.Client{bob.Session(), w.key(document)} {
		out := w.ask(c, document)["user"].(map[string]any)
		if out["name"] != "Alice Example" || len(out["contactMethods"].([]any)) != 2 || len(out["notificationRules"].([]any)) < 2 {
			t.Errorf("user %v", out)
		}
		found := false
		for _, one := range out["contactMethods"].([]any) {
			if one := one.(map[string]any); one["id"] == m.ID {
				found = true
				w.equal("the telephone", one["dest"], `{"type":"builtin-twilio-voice","args":{"phone_number":"+12025550145"}}`)
			}
		}
		if !found {
			t.Errorf("contact methods %v have no %s", out, m.ID)
		}
	}
}

func TestF29_UsersByTelephone(t *testing.T) {
	w := open(t, goalertsim.Config{})
	w.NeedsTelephones()
	alice := w.Person("Alice Example", "")
	number := "+12025550146"
	must[admin.ContactMethod](w)(w.Admin.AddContactMethod(w.ctx, alice.ID, "mobile", admin.Voice(number)))
	for number, want := range map[string]bool{number: true, "+12025550147": false} {
		out := w.ask(w.Admin, fmt.Sprintf(`{users(input:{dest:{type:"builtin-twilio-voice",args:{phone_number:%q}}}){nodes{id name}}}`, number))
		if got := strings.Contains(fmt.Sprint(out), alice.ID); got != want {
			t.Errorf("%s finds %v", number, out)
		}
	}
}

func TestF56_AWebhookOfAUserNeedsVerification(t *testing.T) {
	w := open(t, goalertsim.Config{})
	m := must[admin.ContactMethod](w)(w.Admin.AddContactMethod(w.ctx, w.Person("Alice Example", "").ID, "hook", admin.Webhook("http://127.0.0.1:1/"+w.Unique("")[1:])))
	if !m.Disabled {
		t.Error("the webhook is enabled at once")
	}
	w.NeedsStandIn("the code's webhook is not known")
	w.leftOpen(w.Admin.SendVerification(w.ctx, m.ID), "verification of a webhook")
}

func TestF63_AServiceGetsAnotherIntegrationKey(t *testing.T) {
	w := open(t, goalertsim.Config{})
	s := w.service(0)
	href := must[string](w)(w.Admin.AddIntegrationKey(w.ctx, s.ID, "another"))
	if href == s.Href {
		t.Fatalf("the same key %q", href)
	}
	if created := must[admin.Created](w)(admin.Service{ID: s.ID, Href: href}.Post(w.ctx, admin.Alert{Summary: "x", Dedup: "x"})); created.ServiceID != s.ID {
		t.Errorf("created %+v", created)
	}
}
