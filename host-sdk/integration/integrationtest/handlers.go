package integrationtest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/difference"
)

// settle runs a handler until it decides, answering its questions.
func (s *suite) settle(facts *integration.Facts, handle func() (integration.Outcome, error)) (integration.Outcome, error) {
	answer := s.cfg.Answer
	if answer == nil {
		answer = func(q integration.Question) integration.Answer {
			return integration.Answer{ID: q.ID, Err: integration.Errorf(integration.KindUnavailable, "not to be had in this test")}
		}
	}
	facts.Answers = nil
	for range integration.MaxNeedRounds + 1 {
		o, err := handle()
		if err != nil || len(o.Need) == 0 {
			return o, err
		}
		for _, q := range o.Need {
			facts.Answers = append(facts.Answers, answer(q))
		}
	}
	return integration.Outcome{}, integration.Errorf(integration.KindInternal, "still asks after %d rounds", integration.MaxNeedRounds)
}

// settleWebhook, settleAlert and settleTask settle a handler, for a request that the caller gives
// away.
func (s *suite) settleWebhook(ctx context.Context, i integration.Integration, req integration.WebhookRequest) (integration.Outcome, error) {
	return s.settle(&req.Facts, func() (integration.Outcome, error) { return i.HandleWebhook(ctx, req) })
}

func (s *suite) settleAlert(ctx context.Context, i integration.Integration, req integration.AlertRequest) (integration.Outcome, error) {
	return s.settle(&req.Facts, func() (integration.Outcome, error) { return i.HandleAlert(ctx, req) })
}

func (s *suite) settleTask(ctx context.Context, i integration.Integration, req integration.TaskRequest) (integration.Outcome, error) {
	return s.settle(&req.Facts, func() (integration.Outcome, error) { return i.HandleTask(ctx, req) })
}

// The example must do what it is an example of. Formats are those that Describe names, or a host
// would store a state under a wrong number.
func (s *suite) webhookBegins(t *testing.T, i integration.Integration) {
	o, err := s.settleWebhook(callContext(t), i, s.webhook())
	must(t, "Config.Webhook", err)
	s.checkOutcome(t, "Config.Webhook", o)
	s.checkResponse(t, "Config.Webhook", o.Response)
	if o.Session == nil {
		t.Fatal("Config.Webhook begins no session: the other tests would prove nothing")
	}
	d := s.describe(t, i)
	if o.Session.Format != d.Formats.State {
		t.Errorf("state in format %d, Describe says %d", o.Session.Format, d.Formats.State)
	}
	for _, task := range o.Tasks {
		if !task.Timer && !task.Cancel && task.Format != d.Formats.Task {
			t.Errorf("task %q in format %d, Describe says %d", task.Name, task.Format, d.Formats.Task)
		}
	}
}

// webhookPure: the same request has the same outcome, and is left as it was.
func (s *suite) webhookPure(t *testing.T, i integration.Integration) {
	for name, req := range s.webhooks(t, i) {
		before := clone(req)
		first, err1 := i.HandleWebhook(callContext(t), req)
		if d := difference.Of(before, req); d != "" {
			t.Errorf("%s: the request was changed (before, after):\n%s", name, d)
		}
		second, err2 := i.HandleWebhook(callContext(t), clone(before))
		if d := difference.Of(first, second); d != "" || (err1 == nil) != (err2 == nil) {
			t.Errorf("%s: the same request has two outcomes (errors %v, %v):\n%s", name, err1, err2, d)
		}
		if err1 == nil {
			s.checkOutcome(t, name, first)
		}
		first, err1 = s.settleWebhook(callContext(t), i, clone(before))
		second, err2 = s.settleWebhook(callContext(t), i, clone(before))
		if d := difference.Of(first, second); d != "" || (err1 == nil) != (err2 == nil) {
			t.Errorf("%s: the same request with the same answers has two outcomes (errors %v, %v):\n%s", name, err1, err2, d)
		}
	}
}

// webhooks are the example and its continuation: the same request again once the session is there.
func (s *suite) webhooks(t testing.TB, i integration.Integration) map[string]integration.WebhookRequest {
	t.Helper()
	first := s.webhook()
	requests := map[string]integration.WebhookRequest{"first request": first}
	o, err := s.settleWebhook(callContext(t), i, s.webhook())
	if err == nil && o.Session != nil {
		again := s.webhook()
		again.Facts.Session = s.session(o)
		requests["the same request again"] = again
	}
	return requests
}

// session is the session as the host stores it after an outcome.
func (s *suite) session(o integration.Outcome) *integration.Session {
	f := s.cfg.Webhook.Facts
	return &integration.Session{
		Key: f.SessionKey, Version: 1, State: o.Session.State, Format: o.Session.Format, CreatedAt: f.Now, UpdatedAt: f.Now,
	}
}

// Calls beside one another do not disturb one another: a plugin keeps nothing between calls.
func (s *suite) webhookConcurrent(t *testing.T, i integration.Integration) {
	want, err := s.settleWebhook(callContext(t), i, s.webhook())
	must(t, "Config.Webhook", err)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			ctx := callContext(t)
			for range 10 {
				got, err := s.settleWebhook(ctx, i, s.webhook())
				if d := difference.Of(want, got); err != nil || d != "" {
					t.Errorf("another outcome beside other calls (error %v):\n%s", err, d)
					return
				}
			}
		})
	}
	callers.Wait()
}

// webhookGarbage: what is no request of the foreign service gets an answer, and has no effect.
func (s *suite) webhookGarbage(t *testing.T, i integration.Integration) {
	d := s.describe(t, i)
	example := s.webhook()
	with := func(change func(*integration.WebhookRequest)) integration.WebhookRequest {
		req := s.webhook()
		req.Facts.SessionKey = ""
		req.Body, req.Method, req.Path = nil, "POST", "/"
		req.URL = req.Facts.Instance.EndpointURL
		change(&req)
		return req
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same bytes each time
	noise := make([]byte, 4096)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	cases := map[string]integration.WebhookRequest{
		"empty POST":     with(func(*integration.WebhookRequest) {}),
		"empty GET":      with(func(r *integration.WebhookRequest) { r.Method = "GET" }),
		"noise":          with(func(r *integration.WebhookRequest) { r.Body = noise }),
		"no headers":     with(func(r *integration.WebhookRequest) { r.Header = nil }),
		"many fields":    with(func(r *integration.WebhookRequest) { r.Body = []byte(strings.Repeat("a=b&", 16000)) }),
		"broken escapes": with(func(r *integration.WebhookRequest) { r.Body = []byte("%zz=%&%%%=;") }),
		"JSON":           with(func(r *integration.WebhookRequest) { r.Body = []byte(`{"a":[1,2,3]}`) }),
		"unknown path":   with(func(r *integration.WebhookRequest) { r.Path = "/no/such/path"; r.URL += r.Path }),
		"climbing path":  with(func(r *integration.WebhookRequest) { r.Path = "/../../etc/passwd"; r.URL += r.Path }),
		"unknown session": with(func(r *integration.WebhookRequest) {
			r.Path = d.Webhook.SessionPrefix + "nobody/nothing"
			r.URL += r.Path
		}),
		"only the prefix":    with(func(r *integration.WebhookRequest) { r.Path = d.Webhook.SessionPrefix; r.URL += r.Path }),
		"no path":            with(func(r *integration.WebhookRequest) { r.Path = "" }),
		"no URL":             with(func(r *integration.WebhookRequest) { r.URL = "" }),
		"path without UTF-8": with(func(r *integration.WebhookRequest) { r.Path = "/\xff\xfe"; r.URL += "/%ff%fe" }),
	}
	if form := example.Form(); form.Has(d.Webhook.SessionField) {
		form.Del(d.Webhook.SessionField)
		cases["without "+d.Webhook.SessionField] = with(func(r *integration.WebhookRequest) {
			r.Header, r.Body = example.Header, []byte(form.Encode())
		})
		form.Set(d.Webhook.SessionField, "../../\x00\xff")
		cases["odd "+d.Webhook.SessionField] = with(func(r *integration.WebhookRequest) {
			r.Header, r.Body = example.Header, []byte(form.Encode())
		})
	} else {
		t.Errorf("Config.Webhook has no field %q, which Describe says holds the session key", d.Webhook.SessionField)
	}
	for name, req := range cases {
		o, err := s.settleWebhook(callContext(t), i, req)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s.checkOutcome(t, name, o)
		s.checkResponse(t, name, o.Response)
		if o.Session != nil || len(o.Alert)+len(o.Tasks)+len(o.Mail) > 0 {
			t.Errorf("%s: has an effect: session %v, %d commands, %d tasks, %d mails", name, o.Session != nil, len(o.Alert), len(o.Tasks), len(o.Mail))
		}
	}
}

// webhookNoSecrets: secrets of the options are in nothing that the host stores, shows or answers.
func (s *suite) webhookNoSecrets(t *testing.T, i integration.Integration) {
	f := s.schema(t, i)
	doc := map[string]any{}
	must(t, "Config.Options", json.Unmarshal(s.cfg.Options, &doc))
	outcomes := map[string]integration.Outcome{}
	for name, req := range s.webhooks(t, i) {
		o, err := s.settleWebhook(callContext(t), i, req)
		must(t, name, err)
		outcomes[name] = o
	}
	for name, p := range f.properties {
		secret, _ := doc[name].(string)
		if !p.secret() || secret == "" {
			continue
		}
		for request, o := range outcomes {
			for _, form := range []string{secret, url.QueryEscape(secret)} {
				if where := mentions(o, form); where != "" {
					t.Errorf("%s: the secret %s is in %s", request, name, where)
				}
			}
		}
	}
	key := string(s.cfg.Webhook.Facts.Instance.TokenKey)
	for request, o := range outcomes {
		if key == "" {
			t.Error("Config.Webhook has no Facts.Instance.TokenKey")
		} else if where := mentions(o, key); where != "" {
			t.Errorf("%s: the token key is in %s", request, where)
		}
	}
}

// webhookNewerState: a state that this version cannot read is not overwritten.
func (s *suite) webhookNewerState(t *testing.T, i integration.Integration) {
	req := s.webhook()
	req.Facts.Session = &integration.Session{
		Key: req.Facts.SessionKey, Version: 3, State: []byte(`{"of":"a later version"}`),
		Format: s.describe(t, i).Formats.State + 1, CreatedAt: req.Facts.Now, UpdatedAt: req.Facts.Now,
	}
	s.refusedPolitely(t, "newer state", req, i)
}

// webhookBrokenState: likewise one that is damaged.
func (s *suite) webhookBrokenState(t *testing.T, i integration.Integration) {
	for _, state := range []string{"", "\x00\xff", "{", "null", "[]"} {
		req := s.webhook()
		req.Facts.Session = &integration.Session{
			Key: req.Facts.SessionKey, Version: 3, State: []byte(state),
			Format: s.describe(t, i).Formats.State, CreatedAt: req.Facts.Now, UpdatedAt: req.Facts.Now,
		}
		o, err := s.settleWebhook(callContext(t), i, req)
		if err != nil {
			checkError(t, fmt.Sprintf("state %q", state), err,
				integration.KindInvalid, integration.KindUnsupported, integration.KindInternal)
			continue
		}
		s.checkOutcome(t, fmt.Sprintf("state %q", state), o)
		s.checkResponse(t, fmt.Sprintf("state %q", state), o.Response)
	}
}

// refusedPolitely wants either an error of a final kind, for which the host answers with the
// fallback, or an answer that leaves the session as it is.
func (s *suite) refusedPolitely(t testing.TB, what string, req integration.WebhookRequest, i integration.Integration) {
	t.Helper()
	o, err := s.settleWebhook(callContext(t), i, req)
	checkError(t, what, err, integration.KindUnsupported, integration.KindInvalid)
	if err != nil {
		return
	}
	s.checkOutcome(t, what, o)
	s.checkResponse(t, what, o.Response)
	if o.Session != nil {
		t.Errorf("%s: is overwritten", what)
	}
}

// webhookHostStates: what the host wants is spoken, never an HTTP error.
func (s *suite) webhookHostStates(t *testing.T, i integration.Integration) {
	for _, state := range []integration.HostState{
		integration.HostActive, integration.HostDisabled, integration.HostMaintenance, integration.HostUnavailable,
		integration.HostRateLimited, "of_a_later_version",
	} {
		req := s.webhook()
		req.Facts.Instance.State = state
		o, err := s.settleWebhook(callContext(t), i, req)
		must(t, "host state "+string(state), err)
		s.checkOutcome(t, "host state "+string(state), o)
		s.checkResponse(t, "host state "+string(state), o.Response)
	}
}

// alert is a request about the alert of the example's session.
func (s *suite) alert(session *integration.Session) integration.AlertRequest {
	facts := s.webhook().Facts
	facts.Session = session
	facts.Alert = &integration.AlertSnapshot{
		Key: facts.SessionKey, ID: "1", Status: integration.AlertAcknowledged, Teams: []string{"nobody-knows"}, Layer: 1, Round: 1,
		Acknowledgements: []integration.Acknowledgement{{ID: "ack-1", User: "nobody-knows", At: facts.Now}},
		LastCommand:      1000, Change: 1, ReadAt: facts.Now,
	}
	return integration.AlertRequest{Facts: facts}
}

// A hint may come when its session has long expired.
func (s *suite) alertUnknownSession(t *testing.T, i integration.Integration) {
	o, err := s.settleAlert(callContext(t), i, s.alert(nil))
	checkError(t, "alert without a session", err)
	s.checkNoAnswer(t, "alert without a session", o)
	if o.Session != nil || len(o.Tasks)+len(o.Mail) > 0 {
		t.Error("an alert whose session is gone has an effect")
	}
}

// checkNoAnswer checks an outcome of a handler that nobody waits for.
func (s *suite) checkNoAnswer(t testing.TB, what string, o integration.Outcome) {
	t.Helper()
	s.checkOutcome(t, what, o)
	if o.Response != nil {
		t.Errorf("%s: has a response, but there is no request to answer", what)
	}
	if o.Seen {
		t.Errorf("%s: says that the caller is there, but there is no request that shows it", what)
	}
}

// begun is the example's session after its first request.
func (s *suite) begun(t testing.TB, i integration.Integration) *integration.Session {
	t.Helper()
	o, err := s.settleWebhook(callContext(t), i, s.webhook())
	must(t, "Config.Webhook", err)
	if o.Session == nil {
		t.Fatal("Config.Webhook begins no session")
	}
	return s.session(o)
}

// The same snapshot has the same outcome. A status that a later version may add must not make it
// fail.
func (s *suite) alertPure(t *testing.T, i integration.Integration) {
	session := s.begun(t, i)
	for _, status := range []integration.AlertStatus{
		integration.AlertQueued, integration.AlertOpen, integration.AlertAcknowledged, integration.AlertResolved,
		integration.AlertDropped, integration.AlertDeleted, "of_a_later_version",
	} {
		req := s.alert(session)
		req.Facts.Alert.Status = status
		before := clone(req)
		first, err1 := i.HandleAlert(callContext(t), req)
		checkError(t, "alert "+string(status), err1)
		if d := difference.Of(before, req); d != "" {
			t.Errorf("alert %s: the request was changed (before, after):\n%s", status, d)
		}
		second, err2 := i.HandleAlert(callContext(t), clone(before))
		if d := difference.Of(first, second); d != "" || (err1 == nil) != (err2 == nil) {
			t.Errorf("alert %s: the same request has two outcomes (errors %v, %v):\n%s", status, err1, err2, d)
		}
		s.checkNoAnswer(t, "alert "+string(status), first)
		_, err := s.settleAlert(callContext(t), i, before)
		checkError(t, "alert "+string(status)+", answered", err)
	}
}

// alertUnpaged: that nobody is paged is taken from a snapshot of before the last command as well,
// since it may be the command that the platform cannot carry out.
func (s *suite) alertUnpaged(t *testing.T, i integration.Integration) {
	session := s.begun(t, i)
	for _, last := range []int64{0, 1000} {
		req := s.alert(session)
		req.Facts.Alert.Status, req.Facts.Alert.Acknowledgements = integration.AlertQueued, nil
		req.Facts.Alert.Unpaged, req.Facts.Alert.LastCommand = "the service is full: close some alerts", last
		o, err := s.settleAlert(callContext(t), i, req)
		must(t, "an alert for which nobody is paged", err)
		s.checkNoAnswer(t, "an alert for which nobody is paged", o)
	}
}

// strangeTasks are requests about things that no session of ours has.
func (s *suite) strangeTasks(session *integration.Session) map[string]integration.TaskRequest {
	facts := s.webhook().Facts
	facts.Session = session
	task := integration.Task{Name: "nobody-knows", Generation: 1, Payload: []byte("\x00garbage"), Format: 1, At: facts.Now}
	failure := integration.Errorf(integration.KindInvalid, "refused in this test")
	return map[string]integration.TaskRequest{
		"timer":            {Facts: facts, Event: integration.TimerDue, Task: integration.Task{Name: "nobody-knows", Timer: true, At: facts.Now}},
		"result":           {Facts: facts, Event: integration.TaskDone, Task: task, Result: []byte("\xffgarbage")},
		"failure":          {Facts: facts, Event: integration.TaskFailed, Task: task, Failure: failure},
		"command failure":  {Facts: facts, Event: integration.CommandFailed, Command: &integration.AlertCommand{Number: 1000, Kind: integration.AlertLog, AlertKey: facts.SessionKey, Text: "x", At: facts.Now}, Failure: failure},
		"unknown event":    {Facts: facts, Event: "of_a_later_version", Task: task},
		"bare command":     {Facts: facts, Event: integration.CommandFailed},
		"bare task result": {Facts: facts, Event: integration.TaskDone},
		"mail":             {Facts: facts, Event: integration.TaskDone, Task: integration.Task{Name: integration.TaskMailSent, Payload: []byte("ops@example.com")}},
		"mail failure":     {Facts: facts, Event: integration.TaskFailed, Task: integration.Task{Name: integration.TaskMail, Payload: []byte("ops@example.com")}, Failure: failure},
	}
}

// Timers and results may come when their session has expired: they have no effect then.
func (s *suite) taskUnknown(t *testing.T, i integration.Integration) {
	for name, req := range s.strangeTasks(nil) {
		o, err := s.settleTask(callContext(t), i, req)
		checkError(t, name+" without a session", err)
		s.checkNoAnswer(t, name+" without a session", o)
		if o.Session != nil || len(o.Tasks)+len(o.Mail)+len(o.Alert) > 0 {
			t.Errorf("%s of a session that is gone has an effect", name)
		}
	}
}

// The same result or timer has the same outcome, also one that this session never asked for.
func (s *suite) taskPure(t *testing.T, i integration.Integration) {
	session := s.begun(t, i)
	for name, req := range s.strangeTasks(session) {
		before := clone(req)
		first, err1 := i.HandleTask(callContext(t), req)
		checkError(t, name, err1)
		if d := difference.Of(before, req); d != "" {
			t.Errorf("%s: the request was changed (before, after):\n%s", name, d)
		}
		second, err2 := i.HandleTask(callContext(t), clone(before))
		if d := difference.Of(first, second); d != "" || (err1 == nil) != (err2 == nil) {
			t.Errorf("%s: the same request has two outcomes (errors %v, %v):\n%s", name, err1, err2, d)
		}
		s.checkNoAnswer(t, name, first)
	}
}
