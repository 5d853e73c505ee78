package goalert_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
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

// seen looks at requests on their way.
type seen func(r *http.Request, body []byte)

func (f seen) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	f(r, body)
	return http.DefaultTransport.RoundTrip(r)
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
			var roles []any
			req.HTTP = &http.Client{Transport: seen(func(r *http.Request, body []byte) {
				var q struct {
					OperationName string
					Variables     struct{ I struct{ Role any } }
				}
				if json.Unmarshal(body, &q) == nil && q.OperationName == "CreateKey" {
					roles = append(roles, q.Variables.I.Role)
				}
			})}
			in, err := goalert.Setup(t.Context(), req, time.Now())
			w.keep(in)
			w.ok(err)
			if !slices.Equal(roles, []any{"user", "user"}) {
				t.Errorf("the keys have the roles %v, want the least that suffices", roles)
			}
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
	w.keep(in)
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

// A service without an integration key gets one where it is meant by name or label; of all services
// only those that have one are taken.
func TestSetupGivesAServiceThatIsNamedAnIntegrationKey(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	alice := w.Person("Alice Example", "")
	policy := must[string](w)(w.Admin.CreatePolicy(t.Context(), w.Unique("Policy"), 0))
	must[int](w)(w.Admin.AddStep(t.Context(), policy, 60, admin.User(alice.ID)))
	label := strings.ToLower(strings.ReplaceAll(w.Unique("lcr.example/team"), " ", "-"))
	id := must[string](w)(w.Admin.CreateBareService(t.Context(), w.Unique("Payments"), policy, admin.Label{Key: label, Value: "payments"}))
	ordinary := w.service(0, []admin.Dest{admin.User(alice.ID)})

	req := w.setup()
	in, err := goalert.Setup(t.Context(), req, time.Now())
	w.keep(in)
	w.ok(err)
	if slices.ContainsFunc(in.Services, func(s goalert.Service) bool { return s.ID == id }) || !strings.Contains(strings.Join(in.Warnings, "\n"), "Name the service (--service)") {
		t.Errorf("a service that nobody named is taken, or nothing says why not: %q", in.Warnings)
	}
	for name, change := range map[string]func(*goalert.SetupRequest){
		"by name":  func(r *goalert.SetupRequest) { r.Services = []string{id, ordinary.ID} },
		"by label": func(r *goalert.SetupRequest) { r.Label = label },
	} {
		req := w.setup()
		change(&req)
		req.DryRun = true
		dry, err := goalert.Setup(t.Context(), req, time.Now())
		w.ok(err)
		i := slices.IndexFunc(dry.Services, func(s goalert.Service) bool { return s.ID == id })
		if i < 0 || dry.Services[i].Key != "" || dry.CallKey != "" || len(dry.KeyIDs) != 0 || !dry.Found[i].NewKey {
			t.Errorf("%s, looking only: %+v", name, dry)
		}
	}
	req.Services, req.DryRun = []string{id}, true
	w.Await("who is on call", func() bool {
		dry, err := goalert.Setup(t.Context(), req, time.Now())
		w.ok(err)
		return slices.Equal(dry.Found[0].OnCall, []string{alice.Name})
	})
	req.DryRun = false
	in, err = goalert.Setup(t.Context(), req, time.Now())
	w.keep(in)
	w.ok(err)
	if len(in.Services) != 1 || in.Services[0].Key == "" || !in.Found[0].NewKey || in.Found[0].Layers != 1 {
		t.Fatalf("made %+v", in.Found)
	}
	h := w.platform(t, ordinary)
	h.cfg.Services = in.Services
	h.start(t)
	h.onCall(t, id, 1)
	h.open(t, id).apply(integration.AlertCommand{Kind: integration.AlertResolve})

	again, err := goalert.Setup(t.Context(), req, time.Now())
	w.keep(again)
	w.ok(err)
	if again.Found[0].NewKey || again.Services[0] != in.Services[0] || again.CallKey == in.CallKey {
		t.Errorf("run again: %+v", again.Found)
	}
}

func TestSetupWarnsOfPeopleWhomNobodyCanRing(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	alice := w.Person("Alice Example", "")
	s := w.service(0, []admin.Dest{admin.User(alice.ID)})
	req := w.setup()
	req.Services, req.DryRun = []string{s.ID}, true
	w.Await("the warning", func() bool {
		in, err := goalert.Setup(t.Context(), req, time.Now())
		w.ok(err)
		return strings.Contains(strings.Join(in.Warnings, "\n"), alice.Name+", on call for "+w.name(s)+", has no verified telephone")
	})
}

// Keys of an earlier set-up go on being accepted until they are taken away.
func TestOldKeysWorkUntilTheyAreDeleted(t *testing.T) {
	t.Parallel()
	w, h, s, _, _ := ordinary(t)
	req := w.setup()
	req.Services = []string{s.ID}
	old := must[goalert.Installation](w)(goalert.Setup(t.Context(), req, time.Now()))
	w.keep(old)
	renewed := must[goalert.Installation](w)(goalert.Setup(t.Context(), req, time.Now()))
	w.keep(renewed)
	health := func(in goalert.Installation) error {
		h.cfg.CallKey, h.cfg.PollKey = in.CallKey, in.PollKey
		p := must[*goalert.Platform](w)(goalert.New(t.Context(), h.cfg))
		return p.Health(t.Context())
	}
	w.ok(health(old))
	w.ok(health(renewed))
	left, err := goalert.DeleteKeys(t.Context(), req, old.KeyIDs)
	if err != nil || len(left) != 0 {
		t.Fatalf("left %q, %v", left, err)
	}
	w.Await("the old keys are refused", func() bool { return health(old) != nil })
	w.ok(health(renewed))
}

// answering is a server that answers the log-in, and everything else as GoAlert reports one error.
func answering(t *testing.T, login, message string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "identity") {
			_, _ = io.WriteString(rw, login)
			return
		}
		_ = json.NewEncoder(rw).Encode(map[string]any{"errors": []any{map[string]any{"message": message}}})
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestSetupEndsWhateverAServerSaysOfFurtherServices gives the same page again and again, under the
// same cursor or another one each time.
func TestSetupEndsWhateverAServerSaysOfFurtherServices(t *testing.T) {
	t.Parallel()
	for name, cursor := range map[string]func(asked int64) string{
		"the same cursor": func(int64) string { return "abc" },
		"two by turns":    func(asked int64) string { return []string{"abc", "def"}[asked%2] },
		"new ones":        func(asked int64) string { return strconv.FormatInt(asked, 10) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				switch {
				case strings.Contains(r.URL.Path, "identity"):
					_, _ = io.WriteString(rw, "token")
				case bytes.Contains(body, []byte("WhoAmI")):
					_, _ = io.WriteString(rw, `{"data":{"user":{"id":"1","name":"admin","role":"admin"}}}`)
				default:
					if asked.Add(1) > 10 {
						rw.WriteHeader(http.StatusTeapot) // or a fault would keep the test waiting
						return
					}
					_, _ = io.WriteString(rw, `{"data":{"services":{"nodes":[{"id":"s1","name":"One"}],"pageInfo":{"hasNextPage":true,"endCursor":"`+cursor(asked.Load())+`"}}}}`)
				}
			}))
			t.Cleanup(server.Close)
			_, err := goalert.Setup(t.Context(), goalert.SetupRequest{URL: server.URL, Username: "admin", Password: "a password", Expires: time.Now().Add(time.Hour)}, time.Now())
			if err == nil || !strings.Contains(err.Error(), "lists the same ones again: update GoAlert") || asked.Load() != 2 {
				t.Errorf("%v after %d pages", err, asked.Load())
			}
		})
	}
}

func TestSetupRefusesInWords(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	s := w.service(0)
	p := w.Person("Alice Example", "")
	down := httptest.NewServer(nil)
	down.Close()
	site := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(site.Close)
	for _, one := range []struct {
		change func(*goalert.SetupRequest)
		kind   integration.Kind
		want   string
	}{
		{func(r *goalert.SetupRequest) { r.Password = "wrong-password" }, integration.KindUnauthorized, "password"},
		{func(r *goalert.SetupRequest) { r.Services = []string{"No Such Service"} }, integration.KindNotFound, "No Such Service"},
		{func(r *goalert.SetupRequest) { r.Label = "no.such/label" }, integration.KindInvalid, "none can take calls"},
		{func(r *goalert.SetupRequest) {
			r.Username, r.Password = goalert.Secret(p.Username()), goalertsim.PersonPassword
		}, integration.KindUnauthorized, "no administrator"},
		{func(r *goalert.SetupRequest) { r.URL = "goalert.example.com" }, integration.KindInvalid, "public URL, such as https://"},
		{func(r *goalert.SetupRequest) { r.URL = down.URL }, integration.KindUnavailable, "cannot be reached"},
		{func(r *goalert.SetupRequest) { r.URL = site.URL }, integration.KindUnavailable, "whether the URL is right"},
		{func(r *goalert.SetupRequest) { r.URL = answering(t, "<html>Sign in</html>", "") }, integration.KindUnavailable, "whether the URL is right"},
		{func(r *goalert.SetupRequest) {
			r.URL = answering(t, "token", `Cannot query field "onCallUsers" on type "Service".`)
		}, integration.KindUnsupported, "update it to v0.34.1"},
		{func(r *goalert.SetupRequest) { r.URL = answering(t, "token", "experimental flag not enabled") }, integration.KindUnsupported, "update it to v0.34.1"},
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
