package integrationtest

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// maxPayload bounds a task's payload, in bytes: it is stored for each task, and sent back and
// forth.
const maxPayload = 64 << 10

// checkResponse checks an answer to the foreign service. Its status is 200 whatever is wrong:
// services take any other for an outage.
func (s *suite) checkResponse(t testing.TB, what string, r *integration.Response) {
	t.Helper()
	switch {
	case r == nil:
		t.Errorf("%s: no response", what)
	case r.Status != 0 && r.Status != 200:
		t.Errorf("%s: status %d, want 200: what is wrong is said in the answer", what, r.Status)
	case len(r.Body) == 0:
		t.Errorf("%s: empty body", what)
	case len(r.Body) > s.cfg.MaxResponse:
		t.Errorf("%s: body of %d bytes, want at most %d", what, len(r.Body), s.cfg.MaxResponse)
	case !utf8.Valid(r.Body):
		t.Errorf("%s: body is not UTF-8", what)
	case len(r.Header["Content-Type"]) != 1:
		t.Errorf("%s: Content-Type %q, want one", what, r.Header["Content-Type"])
	}
}

// checkFallback checks the answers that a host gives by itself. The mark in Wait is where it puts
// the address to come back to.
func (s *suite) checkFallback(t testing.TB, what string, f integration.FallbackAnswers) {
	t.Helper()
	s.checkResponse(t, what+".Wait", &f.Wait)
	s.checkResponse(t, what+".LastWords", &f.LastWords)
	mark := []byte(integration.FallbackURLMark)
	if !bytes.Contains(f.Wait.Body, mark) {
		t.Errorf("%s.Wait does not hold %s: the caller would hear it once, then silence", what, mark)
	}
	if bytes.Contains(f.LastWords.Body, mark) {
		t.Errorf("%s.LastWords holds %s: they would not be the last", what, mark)
	}
	if f.For < 0 {
		t.Errorf("%s.For is %v", what, f.For)
	}
}

// checkOutcome checks what holds for the outcome of any handler.
func (s *suite) checkOutcome(t testing.TB, what string, o integration.Outcome) {
	t.Helper()
	if len(o.Need) > 0 {
		rest := o
		rest.Need, rest.Log = nil, nil
		if !rest.Quiet() || rest.Response != nil {
			t.Errorf("%s: asks questions and decides at the same time", what)
		}
		ids := map[string]bool{}
		for _, q := range o.Need {
			if q.ID == "" || ids[q.ID] {
				t.Errorf("%s: question id %q: want one of its own for each", what, q.ID)
			}
			ids[q.ID] = true
			if !slices.Contains([]integration.QuestionKind{integration.AskRoute, integration.AskOnCall, integration.AskUser, integration.AskRecentCalls}, q.Kind) {
				t.Errorf("%s: question kind %q", what, q.Kind)
			}
		}
		return
	}
	s.checkSession(t, what, o.Session)
	s.checkCommands(t, what, o.Alert)
	type identity struct {
		name       string
		generation int64
		cancel     bool
	}
	tasks := map[identity]bool{}
	for _, task := range o.Tasks {
		id := identity{task.Name, task.Generation, task.Cancel}
		if task.Name == "" || tasks[id] {
			t.Errorf("%s: task %q generation %d: want a name, once", what, task.Name, task.Generation)
		}
		tasks[id] = true
		if slices.Contains(hostTimers, task.Name) {
			t.Errorf("%s: task %q has a name of the host's own timers", what, task.Name)
		}
		if len(task.Payload) > maxPayload {
			t.Errorf("%s: task %q has a payload of %d bytes, want at most %d", what, task.Name, len(task.Payload), maxPayload)
		}
		if task.Timer && !task.Cancel && task.At.IsZero() {
			t.Errorf("%s: timer %q has no time", what, task.Name)
		}
		if !task.NotAfter.IsZero() && task.NotAfter.Before(task.At) {
			t.Errorf("%s: task %q: NotAfter %v is before At %v", what, task.Name, task.NotAfter, task.At)
		}
		if task.PaceEvery < 0 || task.PaceEvery > 0 && task.PaceKey == "" {
			t.Errorf("%s: task %q: pace %v without a key", what, task.Name, task.PaceEvery)
		}
	}
	mails := map[string]bool{}
	for _, m := range o.Mail {
		if m.Key == "" || mails[m.Key] {
			t.Errorf("%s: mail key %q: want one of its own for each", what, m.Key)
		}
		mails[m.Key] = true
		if m.Subject == "" || m.Text == "" || len(m.To) == 0 {
			t.Errorf("%s: mail %q: want subject, text and recipients", what, m.Key)
		}
	}
	for _, h := range o.Heard {
		if !strings.HasPrefix(h.Ref, "media:") || h.User == "" || h.At.IsZero() {
			t.Errorf("%s: heard %+v: want the reference of a stored medium, a user and a time", what, h)
		}
	}
	for _, f := range o.Findings {
		if f.Code == "" || f.Severity != integration.FindingClear && f.Message == "" {
			t.Errorf("%s: finding %q without code or message", what, f.Code)
		}
	}
	for _, l := range o.Log {
		if !slices.Contains([]string{"debug", "info", "warn", "error"}, l.Level) || l.Message == "" {
			t.Errorf("%s: log line of level %q: %q", what, l.Level, l.Message)
		}
	}
}

// checkCommands checks that commands can be carried out: numbers rise, and each has what its kind
// needs.
func (s *suite) checkCommands(t testing.TB, what string, commands []integration.AlertCommand) {
	t.Helper()
	var last int64
	for _, c := range commands {
		if c.Number <= last {
			t.Errorf("%s: command %s has number %d after %d: numbers rise", what, c.Kind, c.Number, last)
		}
		last = c.Number
		if c.AlertKey == "" || c.At.IsZero() {
			t.Errorf("%s: command %s: want an alert key and a time", what, c.Kind)
		}
		ok := true
		switch c.Kind {
		case integration.AlertCreate:
			ok = c.Draft != nil && c.Draft.Title != ""
		case integration.AlertRoute:
			ok = len(c.Teams) > 0
		case integration.AlertLog:
			ok = c.Text != ""
		case integration.AlertAddField:
			ok = c.Field != nil && c.Field.Label != ""
		case integration.AlertAttach:
			ok = c.Media != nil && c.Media.Ref != ""
		case integration.AlertAcknowledge, integration.AlertReopen, integration.AlertResolve:
		case integration.AlertDecline:
			ok = c.User != ""
		case integration.AlertEscalate:
			ok = c.Layer >= 1
		default:
			t.Errorf("%s: command kind %q", what, c.Kind)
		}
		if !ok {
			t.Errorf("%s: command %s lacks what it needs: %+v", what, c.Kind, c)
		}
	}
}
