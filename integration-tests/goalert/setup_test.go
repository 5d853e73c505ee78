package goalert_test

import (
	"cmp"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/goalert"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

func (w *world) setup() goalert.SetupRequest {
	return goalert.SetupRequest{URL: w.URL, Username: goalert.Secret(cmp.Or(os.Getenv("GOALERT_USER"), "admin")),
		Password: goalert.Secret(cmp.Or(os.Getenv("GOALERT_PASSWORD"), "admin12345")), Expires: time.Now().Add(24 * time.Hour)}
}

func TestSetupMakesWhatAPlatformNeeds(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]goalertsim.Version{"v0.34.1": goalertsim.V0341, "HEAD": goalertsim.Head} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, version)
			alice := w.Person("Alice Example", "")
			s := w.service(0, []admin.Dest{admin.User(alice.ID)})
			for range 20 { // more than a page
				w.service(0)
			}
			req := w.setup()
			req.Services = []string{s.ID}
			in, err := goalert.Setup(t.Context(), req, time.Now())
			w.ok(err)
			if in.CallKey == in.PollKey || len(in.KeyIDs) != 2 || len(in.Services) != 1 || in.Services[0] != serviceOf(s) {
				t.Fatalf("%+v", in)
			}
			h := w.platform(t, s)
			h.cfg.CallKey, h.cfg.PollKey, h.cfg.Services = in.CallKey, in.PollKey, in.Services
			h.start(t)
			w.ok(h.Health(t.Context()))
			h.onCall(t, s.ID, 1)
			c := h.open(t, s.ID)
			c.apply(acknowledge(alice.ID))
			c.apply(integration.AlertCommand{Kind: integration.AlertReopen, Ack: c.snapshot().Acknowledgements[0].ID})
			c.apply(integration.AlertCommand{Kind: integration.AlertResolve})
		})
	}
}

func TestSetupMakesTeamsOfALabel(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	policy := must[string](w)(w.Admin.CreatePolicy(t.Context(), w.Unique("Policy"), 0))
	key := "lcr.example/" + strings.ToLower(strings.ReplaceAll(w.Unique("team"), " ", "-"))
	for _, name := range []string{"Payments B", "Payments A"} {
		must[admin.Service](w)(w.Admin.CreateService(t.Context(), w.Unique(name), policy, "key", admin.Label{Key: key, Value: "payments"}))
	}
	w.service(0)
	req := w.setup()
	req.Label = key
	in, err := goalert.Setup(t.Context(), req, time.Now())
	w.ok(err)
	if len(in.Services) != 1 || in.Services[0].Team != "payments" {
		t.Fatalf("services %+v", in.Services)
	}
	all := strings.Join(in.Warnings, "\n")
	if !strings.Contains(all, "has the same label") || !strings.Contains(all, "no steps") {
		t.Errorf("warnings %q", in.Warnings)
	}
	h := w.platform(t, w.service(0))
	h.cfg.Services = in.Services
	h.start(t)
	teams, err := h.Teams(t.Context(), h.scope)
	if err != nil || len(teams) != 1 || teams[0].ID != "payments" || teams[0].Name != "payments" {
		t.Errorf("teams %+v, %v", teams, err)
	}
}

func TestSetupRefusesInWords(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	s := w.service(0)
	for _, one := range []struct {
		change func(*goalert.SetupRequest)
		kind   integration.Kind
		want   string
	}{
		{func(r *goalert.SetupRequest) { r.Password = "wrong-password" }, integration.KindUnauthorized, "password"},
		{func(r *goalert.SetupRequest) { r.Services = []string{"No Such Service"} }, integration.KindNotFound, "No Such Service"},
		{func(r *goalert.SetupRequest) { r.Label = "no.such/label" }, integration.KindInvalid, "none can take calls"},
		{func(r *goalert.SetupRequest) { r.Expires = time.Now().Add(-time.Hour) }, integration.KindInvalid, "expires"},
	} {
		req := w.setup()
		req.Services = []string{s.ID}
		one.change(&req)
		in, err := goalert.Setup(t.Context(), req, time.Now())
		if integration.KindOf(err) != one.kind || !strings.Contains(err.Error(), one.want) || strings.Contains(err.Error(), string(req.Password)) {
			t.Errorf("%v, want %s with %q", err, one.kind, one.want)
		}
		if len(in.KeyIDs) != 0 || slices.Contains(in.KeyIDs, "") {
			t.Errorf("keys %q were made", in.KeyIDs)
		}
	}
}
