package integrationtests

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/pace"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/oaicheck"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// The phone numbers of testdata/hotline.yaml.
const (
	caller = "+12025550199"
	alice  = "+12025550143" // DevOps, first layer
	bob    = "+12025550144" // DevOps, second layer
	carol  = "+12025550145" // DevOps, third layer
	dave   = "+12025550147" // Customer Support
)

// patience is how long a test waits for what must come. It decides only when a failing test gives
// up.
const patience = 3 * time.Minute

// hotline is a running stack with its own switchboard, plugin process and simulator.
type hotline struct {
	plugins string // its plugin folder, where commands are to find it
	*demo.Stack
	t   *testing.T
	log *testlog.Buffer
	// database is the URL of a database of its own, and secretKey its key; "": it is a file of the
	// data directory.
	database, secretKey string
	// brief leaves the transcripts out when the test has failed: who uses it shows its own.
	brief bool
	// disturbed says that the database is away at times: see API.
	disturbed bool
}

// options are the options of an integration, without its credentials.
type options = map[string]any

// start starts a hotline with these options. At the end of the test, each violation that the
// simulated Twilio has noticed fails it.
func start(t *testing.T, opts options, change ...func(*demo.Config)) *hotline {
	t.Helper()
	checker, err := oaicheck.AtHand()
	if err != nil {
		t.Logf("REST traffic is not checked against Twilio's OpenAPI document: %v", err)
	}
	h := &hotline{t: t, log: &testlog.Buffer{}}
	starting <- struct{}{}
	defer func() { <-starting }()
	cfg := demo.Config{
		Switchboard: binaries + "/switchboard", File: "testdata/hotline.yaml", Log: h.log, Options: opts,
		Clock: clockFrom(time.Now(), pace.Fastest),
	}
	// Twilio's own 15 s would be less than one on the tests' clock.
	cfg.Sim.PatienceFloor = 20 * time.Second
	if checker != nil {
		cfg.WrapSim = func(next http.Handler) http.Handler {
			return checker.Handler(next, func(err error) { t.Errorf("REST: %v", err) })
		}
	}
	if os.Getenv("LIVECALL_TEST_DATABASE") == "postgres" {
		h.database, h.secretKey = postgres.Database(t), seal.NewKey()
		cfg.Env = append(cfg.Env, "SWITCHBOARD_DATABASE_URL="+h.database, "SWITCHBOARD_SECRET_KEY="+h.secretKey)
	}
	for _, f := range change {
		f(&cfg)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if h.Stack, err = demo.Start(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Sim.Check(t)
		if err := h.StopSwitchboard(); err != nil {
			t.Errorf("switchboard: %v", err)
		}
		if t.Failed() {
			for _, c := range h.Sim.Calls() {
				if h.brief {
					break
				}
				for _, e := range c.Transcript() {
					t.Logf("%s %s %-9s %s%s %s %d %s", e.At.Format("15:04:05.0"), e.Leg, e.Kind, e.Text, e.URL, e.Note, e.Status, e.Params["QueueResult"])
				}
			}
			t.Logf("switchboard's log:\n%s", h.log)
		}
		if s := h.log.String(); strings.Contains(s, "DATA RACE") {
			t.Error("a data race was found in a process; see the log")
		}
		h.Stop()
	})
	return h
}

// clockFrom is a clock for demo.Config that shows now and runs at most so many times as fast as the
// wall.
func clockFrom(now time.Time, most float64) string { return leaderFrom(now, most).Followers() }

func leaderFrom(now time.Time, most float64) *clock.Leader {
	l, err := pacer.Clock(now, most)
	if err != nil {
		panic(err) // the folder of the tests cannot be written
	}
	return l
}

// dial calls the hotline.
func (h *hotline) dial() *twiliosim.Call {
	h.t.Helper()
	c, err := h.Sim.Call(caller, demo.Number)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// onHold calls, chooses DevOps and hears music.
func (h *hotline) onHold() *twiliosim.Call {
	h.t.Helper()
	c := h.dial()
	c.Hears(h.t, "Press 1 for Customer Support")
	c.Hears(h.t, "Press 2 for DevOps")
	c.Presses("2")
	c.Hears(h.t, "wait")
	c.Hears(h.t, "music-")
	return c
}

// alert is an alert as the JSON API shows it.
type alert struct {
	ID, Key, Status, Title, Urgency string
	DestinationTeams                []string `json:"destination_teams"`
	Layer                           int
	Paged                           []string
	Fields                          []struct{ Label, Value string }
	Attachments                     []struct {
		Label, Ref, URL string
		ContentType     string `json:"content_type"`
		Duration        float64
	}
	Log []struct {
		Time             time.Time
		Actor, ActorName string
		Message          string
	}
}

func (a alert) field(label string) string {
	for _, f := range a.Fields {
		if f.Label == label {
			return f.Value
		}
	}
	return ""
}

func (a alert) story() string {
	var lines []string
	for _, l := range a.Log {
		lines = append(lines, l.Message)
	}
	return strings.Join(lines, "\n")
}

type call struct {
	SID, State, Ended, Team string
	Legs                    []struct{ ID, Role, User, Name, Phone, State, Reason string }
}

func (h *hotline) get(path string, into any) {
	h.t.Helper()
	if err := h.API(context.Background(), "GET", path, nil, into); err != nil {
		h.t.Fatal(err)
	}
}

// alerts returns all alerts.
func (h *hotline) alerts() []alert {
	h.t.Helper()
	var list []alert
	h.get("/api/v1/alerts", &list)
	return list
}

// alert waits until there is one alert and good accepts it.
func (h *hotline) alert(what string, good func(alert) bool) alert {
	h.t.Helper()
	var last []alert
	h.eventually("the alert: "+what, func() bool {
		last = h.alerts()
		if len(last) > 1 {
			h.t.Fatalf("%d alerts for one call", len(last))
		}
		return len(last) == 1 && good(last[0])
	}, func() string { return fmt.Sprintf("%+v", last) })
	return last[0]
}

// call waits until good accepts the caller's call.
func (h *hotline) call(c *twiliosim.Call, what string, good func(call) bool) call {
	h.t.Helper()
	var got call
	h.eventually("the call: "+what, func() bool {
		got = call{}
		_ = h.API(context.Background(), "GET", "/api/v1/calls/"+c.Sid, nil, &got)
		return good(got)
	}, func() string { return fmt.Sprintf("%+v", got) })
	return got
}

// act runs an action on an alert, such as acknowledge, in the name of a user.
func (h *hotline) act(id, action, user string) error {
	return h.API(context.Background(), "POST", "/api/v1/alerts/"+id+"/"+action, map[string]string{"user": user}, nil)
}

func (h *hotline) acknowledge(id, user string) {
	h.t.Helper()
	if err := h.act(id, "acknowledge", user); err != nil {
		h.t.Fatal(err)
	}
}

// eventually polls for what must come; the limit only says when to give up.
func (h *hotline) eventually(what string, done func() bool, detail ...func() string) {
	h.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
	}
	for _, d := range detail {
		what += "\n" + d()
	}
	h.t.Fatalf("did not come: %s", what)
}

// cleanedUp waits until Twilio has no live leg and no queue.
func (h *hotline) cleanedUp() {
	h.t.Helper()
	h.eventually("no live call, no queue left at Twilio", func() bool {
		for _, c := range h.Sim.Calls() {
			if !slices.Contains([]string{"completed", "busy", "failed", "no-answer", "canceled"}, c.Status()) {
				return false
			}
		}
		return len(h.queues()) == 0
	}, func() string { return strings.Join(h.queues(), ", ") })
}

// queues returns the names of the queues at the simulated Twilio.
func (h *hotline) queues() []string {
	h.t.Helper()
	req, _ := http.NewRequest("GET", h.SimURL+"/2010-04-01/Accounts/"+twiliosim.DefaultAccountSid+"/Queues.json", nil)
	req.Host = "api.twilio.com"
	req.SetBasicAuth(twiliosim.DefaultAPIKey, twiliosim.DefaultAPISecret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body)
	var names []string
	for _, part := range strings.Split(string(b), `"friendly_name":"`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		names = append(names, name)
	}
	return names
}

// inOrder checks that the alert's log mentions these texts one after the other.
func (h *hotline) inOrder(a alert, parts ...string) {
	h.t.Helper()
	rest := a.story()
	for _, p := range parts {
		i := strings.Index(strings.ToLower(rest), strings.ToLower(p))
		if i < 0 {
			h.t.Errorf("the alert's log lacks %q, or has it earlier:\n%s", p, a.story())
			return
		}
		rest = rest[i+len(p):]
	}
}
