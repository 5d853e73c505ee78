package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
	"github.com/livecallrouting/livecall/plugin/internal/twiml/twimltest"
)

const (
	endpointURL = "https://calls.example.com/integrations/int_1"
	authToken   = "authtoken1"
	callerNum   = "+12025550143"
	calledNum   = "+12025550100"
	alicePhon   = "+12025550151"
)

var (
	accountSID = "AC" + strings.Repeat("0a", 16)
	keySID     = "SK" + strings.Repeat("0b", 16)
	callSID    = "CA" + strings.Repeat("0c", 16)
	legSID     = "CA" + strings.Repeat("1d", 16)
	queueSID   = "QU" + strings.Repeat("0e", 16)
	recSID     = "RE" + strings.Repeat("0f", 16)
	start      = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
)

// host is a small host in memory: it answers questions, commits outcomes, applies alert commands,
// runs what is due. Every handler is run twice, and must decide the same.
type host struct {
	t       testing.TB
	app     integration.Integration
	twilio  *fakeTwilio
	now     time.Time
	inst    integration.Instance
	dests   []integration.Destination
	users   map[string]integration.User
	onCall  map[int][]string
	session *integration.Session
	view    *integration.CallView
	live    bool
	alert   *integration.AlertSnapshot
	cmds    []integration.AlertCommand
	tasks   []integration.Task
	seen    map[string]int64 // newest generation by name
	mails   []integration.Mail
	finds   map[string]integration.Finding
	log     []integration.LogLine
	token   string // signs requests; "" = unsigned
	route   func(integration.Question) integration.RouteVerdict
	recent  func(integration.Question) []integration.RecentCall // nil: no number called before
	ask     func(integration.Question)                          // sees every question
	own     *integration.Session                                // of the integration, for actions
	writes  int
	seq     int
}

func newHost(t testing.TB, changes map[string]any) *host {
	t.Helper()
	opts := map[string]any{"account_sid": accountSID, "api_key": keySID, "api_secret": "secret1", "auth_token": authToken}
	for k, v := range changes {
		opts[k] = v
	}
	doc, err := json.Marshal(opts)
	if err != nil {
		t.Fatal(err)
	}
	tw := newFakeTwilio(t)
	return &host{
		t: t, twilio: tw, now: start, token: authToken, app: patient(New(Config{Version: "1.0.0", APIURL: tw.srv.URL, Transport: tw.transport})),
		inst: integration.Instance{
			ID: "int_1", Name: "Hotline", Revision: 1, SavedAt: start.Add(-time.Hour), Options: doc, OptionsFormat: 1, EndpointURL: endpointURL, TokenKey: []byte(strings.Repeat("k", 32)),
			State: integration.HostActive, Urgency: "high",
			Capabilities: integration.Capabilities{UnroutedAlerts: true, Reopen: true, Escalate: true, AcknowledgeAs: true, AcknowledgedByUser: true, Annotations: true, Routers: true, PagesByItself: true, Audiences: true},
		},
		dests:  []integration.Destination{{Kind: integration.DestinationTeam, ID: "devops", Name: "DevOps"}},
		users:  map[string]integration.User{"alice": {ID: "alice", Name: "Alice Example", Phones: []string{alicePhon}}, "bob": {ID: "bob", Name: "Bob Example"}},
		onCall: map[int][]string{1: {"alice"}, 2: {"bob"}},
		seen:   map[string]int64{}, finds: map[string]integration.Finding{},
	}
}

// patient gives the stand-in of Twilio all the time that it may need on a crowded machine.
func patient(a *App) *App {
	a.lookTimeout, a.onlineTimeout = time.Minute, time.Minute
	return a
}

func (h *host) facts(key string) integration.Facts {
	f := integration.Facts{Now: h.now, Instance: h.inst, SessionKey: key, Destinations: h.dests}
	if h.session != nil && h.session.Key == key {
		s := *h.session
		f.Session = &s
	}
	if h.alert != nil {
		a := *h.alert
		f.Alert = &a
	}
	for _, x := range h.finds {
		f.Findings = append(f.Findings, x)
	}
	return f
}

func (h *host) answer(q integration.Question) integration.Answer {
	a := integration.Answer{ID: q.ID}
	if h.ask != nil {
		h.ask(q)
	}
	switch q.Kind {
	case integration.AskUser:
		if u, ok := h.users[q.User]; ok {
			a.User = &u
		} else {
			a.Err = integration.Errorf(integration.KindNotFound, "no such user")
		}
	case integration.AskOnCall:
		for layer, ids := range h.onCall {
			for _, id := range ids {
				if q.Layer == 0 || q.Layer == layer {
					a.OnCall = append(a.OnCall, integration.OnCallEntry{Layer: layer, User: h.users[id]})
				}
			}
		}
	case integration.AskRecentCalls:
		if h.recent != nil {
			a.Calls = h.recent(q)
		}
	case integration.AskRoute:
		if q.Router == "broken" {
			a.Err = integration.Errorf(integration.KindUnavailable, "no answer")
			return a
		}
		var facts struct {
			Log struct{ Data map[string]string }
		}
		if err := json.Unmarshal(q.Facts, &facts); err != nil || facts.Log.Data["From"] == "" {
			h.t.Errorf("routing facts %s: %v", q.Facts, err)
		}
		if h.route != nil {
			v := h.route(q)
			a.Route = &v
			return a
		}
		a.Route = &integration.RouteVerdict{Receivers: []integration.Destination{{Kind: integration.DestinationTeam, ID: "support", Name: "Customer Support"}}}
	}
	return a
}

// run runs a handler with answers, twice each time, and commits.
func (h *host) run(key string, handler func(integration.Facts) (integration.Outcome, error)) integration.Outcome {
	h.t.Helper()
	f := h.facts(key)
	for range integration.MaxNeedRounds + 1 {
		out, err := handler(f)
		if err != nil {
			h.t.Fatalf("handler: %v", err)
		}
		again, err := handler(f)
		if err != nil {
			h.t.Fatalf("handler, again: %v", err)
		}
		if diff := cmp.Diff(out, again, cmpopts.EquateEmpty()); diff != "" {
			h.t.Fatalf("the same facts gave another outcome:\n%s", diff)
		}
		if len(out.Need) == 0 {
			h.commit(key, out)
			return out
		}
		if out.Response != nil || out.Session != nil || len(out.Tasks)+len(out.Alert)+len(out.Mail)+len(out.Findings) > 0 {
			h.t.Fatalf("an outcome with questions holds something else: %+v", out)
		}
		for _, q := range out.Need {
			f.Answers = append(f.Answers, h.answer(q))
		}
	}
	h.t.Fatal("too many rounds of questions")
	return integration.Outcome{}
}

func (h *host) commit(key string, out integration.Outcome) {
	h.t.Helper()
	h.log = append(h.log, out.Log...)
	if out.Quiet() {
		return
	}
	h.writes++
	if s := out.Session; s != nil {
		v := int64(1)
		if h.session != nil {
			v = h.session.Version + 1
		}
		h.session = &integration.Session{Key: key, Version: v, State: s.State, Format: s.Format, UpdatedAt: h.now}
		h.view, h.live = s.Call, s.Live
		h.keptAsStored()
	}
	for _, t := range out.Tasks {
		if t.Generation <= h.seen[t.Name] && !t.Cancel {
			h.t.Errorf("task %s: generation %d after %d", t.Name, t.Generation, h.seen[t.Name])
		}
		kept := h.tasks[:0:0]
		for _, old := range h.tasks {
			if old.Name != t.Name {
				kept = append(kept, old)
			}
		}
		h.tasks = kept
		if !t.Cancel {
			h.seen[t.Name] = t.Generation
			h.tasks = append(h.tasks, t)
			if t.PaceKey == "" && strings.HasPrefix(t.Name, "dial-") {
				h.t.Errorf("%s is not paced", t.Name)
			}
		}
	}
	for _, x := range out.Findings {
		if x.Severity == integration.FindingClear {
			delete(h.finds, x.Code)
			continue
		}
		h.finds[x.Code] = x
	}
	h.mails = append(h.mails, out.Mail...)
	for _, c := range out.Alert {
		h.apply(c)
	}
}

func (h *host) apply(c integration.AlertCommand) {
	if len(h.cmds) > 0 && c.Number <= h.cmds[len(h.cmds)-1].Number {
		h.t.Errorf("command %d after %d", c.Number, h.cmds[len(h.cmds)-1].Number)
	}
	h.cmds = append(h.cmds, c)
	if c.Kind == integration.AlertCreate {
		h.alert = &integration.AlertSnapshot{Key: c.AlertKey, ID: "a1", Status: integration.AlertQueued}
	}
	if h.alert == nil {
		h.t.Fatalf("command %s without an alert", c.Kind)
	}
	a := *h.alert
	a.LastCommand, a.ReadAt = c.Number, h.now
	switch c.Kind {
	case integration.AlertRoute:
		a.Status, a.Teams, a.Layer, a.Round = integration.AlertOpen, c.Teams, 1, 1
	case integration.AlertAcknowledge:
		if a.Status != integration.AlertAcknowledged {
			a.Status = integration.AlertAcknowledged
			a.Acknowledgements = []integration.Acknowledgement{{ID: fmt.Sprint("own-", c.Number), User: c.User, At: h.now}}
		}
	case integration.AlertReopen:
		a.Status, a.Acknowledgements = integration.AlertOpen, nil
	case integration.AlertEscalate:
		a.Layer++
	case integration.AlertResolve:
		a.Status = integration.AlertResolved
	case integration.AlertCreate, integration.AlertLog, integration.AlertAddField, integration.AlertAttach, integration.AlertDecline:
	}
	h.alert = &a
}

// request is one request of Twilio, at a URL that we gave (or the plain endpointURL).
func (h *host) request(address string, form url.Values) integration.WebhookRequest {
	address, _, _ = strings.Cut(address, "#")
	path, _, _ := strings.Cut(strings.TrimPrefix(address, endpointURL), "?")
	if path == "" {
		path = "/"
	}
	req := integration.WebhookRequest{Method: "POST", URL: address, Path: path, Body: []byte(form.Encode()), Header: map[string][]string{}, RemoteAddr: "127.0.0.1"}
	if h.token != "" {
		req.Header["X-Twilio-Signature"] = []string{sign(h.token, address, form)}
	}
	return req
}

func sign(token, address string, form url.Values) string {
	data := address
	var names []string
	for n := range form {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		data += n + form.Get(n)
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(data))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// post sends a request and checks the answer as Twilio would read it.
func (h *host) post(address string, pairs ...string) twiml.Document {
	h.t.Helper()
	form := url.Values{"CallSid": {callSID}, "AccountSid": {accountSID}, "From": {callerNum}, "To": {calledNum}, "CallStatus": {"in-progress"}, "Direction": {"inbound"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return h.send(h.request(address, form))
}

func (h *host) send(req integration.WebhookRequest) twiml.Document {
	h.t.Helper()
	key := ""
	if rest, ok := strings.CutPrefix(req.Path, "/c/"); ok {
		key, _, _ = strings.Cut(rest, "/")
	} else if v := req.Form().Get("CallSid"); v != "" {
		key = v
	}
	out := h.run(key, func(f integration.Facts) (integration.Outcome, error) {
		r := req
		r.Facts = f
		return h.app.HandleWebhook(context.Background(), r)
	})
	if out.Response == nil || out.Response.Status != 200 || out.Response.Header["Content-Type"][0] != twiml.ContentType || out.Response.Header["Cache-Control"][0] != "no-store" {
		h.t.Fatalf("response %+v", out.Response)
	}
	doc, err := twimltest.Decode(out.Response.Body)
	if err != nil {
		h.t.Fatalf("%s: %v\n%s", req.Path, err, out.Response.Body)
	}
	for _, u := range links1(doc) {
		if !strings.HasPrefix(u, endpointURL+"/") || !strings.HasSuffix(u, "#rc=3&rp=ct,5xx") {
			h.t.Errorf("URL %q", u)
		}
	}
	return doc
}

// links1 lists the URLs to us in a document.
func links1(doc twiml.Document) []string {
	var out []string
	for _, v := range doc.Verbs {
		switch v := v.(type) {
		case twiml.Gather:
			out = append(out, v.Action)
			out = append(out, links1(twiml.New(v.Nested...))...)
		case twiml.Enqueue:
			out = append(out, v.Action, v.WaitURL)
		case twiml.Redirect:
			out = append(out, v.URL)
		case twiml.Record:
			out = append(out, v.Action, v.StatusCallback)
		case twiml.Dial:
			out = append(out, v.Action, v.Queue.URL)
		case twiml.Play:
			if strings.HasPrefix(v.URL, endpointURL) {
				out = append(out, v.URL)
			}
		default:
		}
	}
	return out
}

// changed tells the plugin of the alert as it is now.
func (h *host) changed(change func(a *integration.AlertSnapshot)) {
	h.t.Helper()
	a := *h.alert
	change(&a)
	a.ReadAt = h.now
	h.alert = &a
	h.run(callSID, func(f integration.Facts) (integration.Outcome, error) {
		return h.app.HandleAlert(context.Background(), integration.AlertRequest{Facts: f})
	})
}

// pass lets time pass, and everything due happen.
func (h *host) pass(d time.Duration) {
	h.t.Helper()
	end := h.now.Add(d)
	for range 1000 {
		next := -1
		for i, t := range h.tasks {
			if !t.At.After(end) && (next < 0 || t.At.Before(h.tasks[next].At)) {
				next = i
			}
		}
		if next < 0 {
			h.now = end
			return
		}
		task := h.tasks[next]
		h.tasks = append(h.tasks[:next:next], h.tasks[next+1:]...)
		if task.At.After(h.now) {
			h.now = task.At
		}
		h.perform(task)
	}
	h.t.Fatal("time stands still")
}

func (h *host) perform(task integration.Task) {
	h.t.Helper()
	key := integration.IntegrationSessionKey
	if h.session != nil {
		key = h.session.Key
	}
	req := integration.TaskRequest{Event: integration.TimerDue, Task: task}
	if !task.Timer {
		res, err := h.app.Perform(context.Background(), integration.PerformRequest{Facts: h.facts(key), Task: task, Attempt: 1})
		var e *integration.Error
		switch {
		case err == nil:
			req.Event, req.Result = integration.TaskDone, res.Payload
			for _, m := range res.Media {
				req.Media = append(req.Media, integration.MediaRef{Ref: "media:" + strings.Repeat("ab", 32), Name: m.Name, ContentType: m.ContentType, Bytes: int64(len(m.Data)), Duration: m.Duration})
			}
		case asError(err, &e) && e.Kind.Final(), !h.now.Before(task.NotAfter):
			req.Event, req.Failure = integration.TaskFailed, e
		default:
			task.At = h.now.Add(5 * time.Second)
			h.tasks = append(h.tasks, task)
			return
		}
	}
	h.run(key, func(f integration.Facts) (integration.Outcome, error) {
		r := req
		r.Facts = f
		return h.app.HandleTask(context.Background(), r)
	})
}

func asError(err error, e **integration.Error) bool {
	x, ok := err.(*integration.Error) //nolint:errorlint // the contract's errors come bare
	*e = x
	return ok
}

func (h *host) kinds() string {
	var out []string
	for _, c := range h.cmds {
		if c.Kind != integration.AlertLog && c.Kind != integration.AlertAddField {
			out = append(out, string(c.Kind))
		}
	}
	return strings.Join(out, " ")
}

// account is the account of the options, as the plugin reads them.
func (h *host) account() options.Account {
	return options.Load(h.inst.Options, h.inst.OptionsFormat, options.Context{}).Options.Account
}
