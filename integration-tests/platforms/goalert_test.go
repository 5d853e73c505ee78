package platforms_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

// incidents is a GoAlert server, as the stand-in, with one service: Alice in its first layer, Bob
// in its second.
type incidents struct {
	*goalertsim.Target
	t          *testing.T
	alice, bob *goalertsim.Person
	id, policy string
	service    admin.Service // with a key of the tests' own
	keys       string        // the file that the set-up wrote
}

func newIncidents(t *testing.T) *incidents {
	t.Helper()
	g := &incidents{t: t, keys: filepath.Join(t.TempDir(), "goalert-keys.json")}
	g.Target = goalertsim.Open(t, goalertsim.Config{CycleTime: 200 * time.Millisecond, DisableMessageBundles: true})
	g.NeedsStandIn("its people are called without Twilio")
	g.alice, g.bob = g.Person("Alice Example", alice), g.Person("Bob Example", bob)
	ctx := t.Context()
	var err error
	g.policy, err = g.Admin.CreatePolicy(ctx, g.Unique("Policy"), 0)
	for _, p := range []*goalertsim.Person{g.alice, g.bob} {
		if err == nil {
			_, err = g.Admin.AddStep(ctx, g.policy, 60, admin.User(p.ID))
		}
	}
	if err == nil {
		g.id, err = g.Admin.CreateBareService(ctx, g.Unique("Payments"), g.policy)
	}
	if err == nil {
		g.service.ID = g.id
		g.service.Href, err = g.Admin.AddIntegrationKey(ctx, g.id, "of the tests")
	}
	if err != nil {
		t.Fatal(err)
	}
	g.setup("--service", g.id)
	return g
}

// setup runs the command that sets GoAlert up, as an administrator would, and returns what it
// prints.
func (g *incidents) setup(args ...string) string {
	g.t.Helper()
	cmd := exec.CommandContext(g.t.Context(), binaries+"/switchboard", append([]string{"platform", "setup", "goalert", g.URL, "--keys", g.keys}, args...)...)
	cmd.Env = append(os.Environ(), "GOALERT_USER=admin", "GOALERT_PASSWORD=admin12345")
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// section is the platform section of a switchboard file.
func (g *incidents) section() string {
	return fmt.Sprintf("{kind: goalert, url: %q, keys: {file: %q}}", g.URL, g.keys)
}

// alert is the number of the service's only alert, once there is one.
func (g *incidents) alert(h *hotline) (number int) {
	g.t.Helper()
	h.eventually("the alert in GoAlert", func() bool {
		var out struct {
			Service struct {
				RecentEvents struct{ Nodes []struct{ AlertID int } }
			}
		}
		err := g.Admin.Query(g.t.Context(), fmt.Sprintf(`{service(id:%q){recentEvents(input:{limit:100}){nodes{id alertID timestamp message}}}}`, g.id), &out)
		for _, n := range out.Service.RecentEvents.Nodes {
			number = max(number, n.AlertID)
		}
		return err == nil && number > 0
	})
	return number
}

// becomes waits for the status of an alert.
func (g *incidents) becomes(h *hotline, alert int, status string) *admin.Status {
	g.t.Helper()
	var got *admin.Status
	h.eventually("the alert is "+status, func() bool {
		var err error
		got, err = g.Admin.AlertStatus(context.Background(), alert)
		return err == nil && got.Status == status
	}, func() string { return fmt.Sprintf("%+v", got) })
	return got
}

func TestACallReachesWhoeverAcknowledgesInGoAlert(t *testing.T) {
	t.Parallel()
	g := newIncidents(t)
	h := start(t, g.section(), []string{g.id}, nil)
	c := h.waiting()
	number := g.alert(h)
	at := time.Now()
	if ok, err := g.bob.Session().Acknowledge(t.Context(), number); !ok || err != nil {
		t.Fatal(ok, err)
	}
	rang := h.converses(c, bob)
	t.Logf("from the acknowledgement in GoAlert to the ring: %v", rang.Sub(at).Round(time.Millisecond))
	g.becomes(h, number, "StatusAcknowledged")
}

// Nobody is paged: the caller reaches somebody all the same, and GoAlert gets the alert when it
// can.
func TestACallToAFullServiceOfGoAlertReachesThePersonOnCall(t *testing.T) {
	t.Parallel()
	g := newIncidents(t)
	for i := range 200 {
		if _, err := g.service.Post(t.Context(), admin.Alert{Summary: "full", Dedup: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	before := g.newest()
	h := start(t, g.section(), []string{g.id}, nil)
	c := h.waiting()
	h.converses(c, alice)
	if text := h.story(c.Sid); !strings.Contains(text, "pages nobody") || !strings.Contains(text, "acknowledge or close some") {
		t.Errorf("the call's story does not say why Alice was rung:\n%s", text)
	}
	var ready string
	h.eventually("/readyz says what is wrong", func() bool {
		_, ready = h.ready()
		return strings.Contains(ready, "acknowledge or close some")
	}, func() string { return ready })
	if _, err := g.service.Post(t.Context(), admin.Alert{Action: "close", Dedup: "7"}); err != nil {
		t.Fatal(err)
	}
	var number int
	h.eventually("the alert", func() bool { number = g.newest(); return number > before })
	g.becomes(h, number, "StatusAcknowledged")
	var got *admin.Status
	h.eventually("GoAlert says who took the call", func() bool {
		var err error
		got, err = g.Admin.AlertStatus(context.Background(), number)
		return err == nil && got.NoiseReason != nil && strings.Contains(*got.NoiseReason, "Alice Example")
	}, func() string { return fmt.Sprintf("%+v", got) })
}

func TestACallToAServiceOfGoAlertInMaintenanceReachesThePersonOnCall(t *testing.T) {
	t.Parallel()
	g := newIncidents(t)
	if err := g.Admin.SetMaintenance(t.Context(), g.id, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	h := start(t, g.section(), []string{g.id}, nil)
	c := h.waiting()
	h.converses(c, alice)
	if text := h.story(c.Sid); !strings.Contains(text, "in maintenance") {
		t.Errorf("the call's story does not say why Alice was rung:\n%s", text)
	}
}

// newest is the highest number of the service's unacknowledged and acknowledged alerts.
func (g *incidents) newest() (number int) {
	g.t.Helper()
	var out struct {
		Alerts struct{ Nodes []struct{ AlertID int } }
	}
	err := g.Admin.Query(g.t.Context(), fmt.Sprintf(`{alerts(input:{filterByServiceID:[%q],filterByStatus:[StatusUnacknowledged,StatusAcknowledged],first:1000}){nodes{alertID}}}`, g.id), &out)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, n := range out.Alerts.Nodes {
		number = max(number, n.AlertID)
	}
	return number
}

// story is what the host keeps of a call.
func (h *hotline) story(sid string) string {
	h.t.Helper()
	var got json.RawMessage
	if err := h.API(h.t.Context(), "GET", "/api/v1/calls/"+sid, nil, &got); err != nil {
		h.t.Fatal(err)
	}
	var indented bytes.Buffer
	_ = json.Indent(&indented, got, "", " ")
	return indented.String()
}

// The command is run again for new keys: those of before work until they are taken away.
func TestTheSetUpOfGoAlertRunAgainLosesNothing(t *testing.T) {
	t.Parallel()
	g := newIncidents(t)
	if _, err := g.Admin.CreateService(t.Context(), g.Unique("Search"), g.policy, "of another program"); err != nil {
		t.Fatal(err)
	}
	first := g.document()
	out := g.setup() // for the services that it had
	second := g.document()
	if !strings.Contains(out, "--revoke-old") || second["call_key"] == first["call_key"] || second["webhook_token"] != first["webhook_token"] ||
		fmt.Sprint(second["services"]) != fmt.Sprint(first["services"]) || fmt.Sprint(second["old_key_ids"]) != fmt.Sprint(first["key_ids"]) {
		t.Errorf("run again:\n%s\nbefore %v\nafter %v", out, first, second)
	}
	if info, err := os.Stat(g.keys); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for key, value := range second {
		if secret, ok := value.(string); ok && (strings.HasSuffix(key, "_key") || key == "webhook_token") && strings.Contains(out, secret) {
			t.Errorf("%s is printed", key)
		}
	}
	works := func(document map[string]any) error {
		k := &admin.Client{URL: g.URL, Token: document["call_key"].(string)}
		return k.Send(t.Context(), admin.Request{OperationName: "OnCall", Variables: map[string]any{"service": g.id}}, nil)
	}
	if err := works(first); err != nil {
		t.Errorf("the key of before: %v", err)
	}
	g.setup("--dry-run")
	if again := g.document(); fmt.Sprint(again) != fmt.Sprint(second) {
		t.Error("a dry run wrote something")
	}
	g.setup("--revoke-old")
	if err := works(first); err == nil {
		t.Error("the key of before still works")
	}
	if err := works(second); err != nil {
		t.Errorf("the new key: %v", err)
	}
}

func (g *incidents) document() map[string]any {
	g.t.Helper()
	text, err := os.ReadFile(g.keys)
	var out map[string]any
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return out
}
