package integrationtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/difference"
)

// hostTimers are the names that a host keeps for its own timers, since minor 1.
var hostTimers = []string{integration.TimerPersonFree, integration.TimerPersonWanted, integration.TimerHostStarted, integration.TimerHostChanged, integration.TimerCallerSilent}

// checkSession checks the lists by which a host finds sessions and media.
func (s *suite) checkSession(t testing.TB, what string, u *integration.SessionUpdate) {
	t.Helper()
	if u == nil {
		return
	}
	for name, list := range map[string][]string{"Occupies": u.Occupies, "WaitsFor": u.WaitsFor, "Media": u.Media} {
		for i, value := range list {
			if value == "" || slices.Contains(list[:i], value) {
				t.Errorf("%s: Session.%s is %q: want each once, and none empty", what, name, list)
			}
			if name == "Media" && !strings.HasPrefix(value, "media:") {
				t.Errorf("%s: Session.Media names %q: want references of stored media", what, value)
			}
		}
	}
}

// taskHostTimers: the timers of the host are known, or have no effect; they never fail, as they
// come to every live session.
func (s *suite) taskHostTimers(t *testing.T, i integration.Integration) {
	session := s.begun(t, i)
	for _, state := range []integration.HostState{integration.HostActive, integration.HostDisabled, integration.HostDeleted} {
		for _, name := range hostTimers {
			what := name + ", host state " + string(state)
			req := integration.TaskRequest{Facts: s.webhook().Facts, Event: integration.TimerDue}
			req.Facts.Session, req.Facts.Instance.State = session, state
			req.Task = integration.Task{Name: name, Timer: true, At: req.Facts.Now}
			first, err := s.settleTask(callContext(t), i, clone(req))
			must(t, what, err)
			second, err := s.settleTask(callContext(t), i, clone(req))
			must(t, what, err)
			if d := difference.Of(first, second); d != "" {
				t.Errorf("%s: the same request has two outcomes:\n%s", what, d)
			}
			s.checkNoAnswer(t, what, first)
			s.checkOutcome(t, what, first)
		}
	}
}

// webhookDeleted: a call whose integration is deleted still gets an answer.
func (s *suite) webhookDeleted(t *testing.T, i integration.Integration) {
	req := s.webhook()
	req.Facts.Session, req.Facts.Instance.State = s.begun(t, i), integration.HostDeleted
	o, err := s.settleWebhook(callContext(t), i, req)
	must(t, "a running call of a deleted integration", err)
	s.checkOutcome(t, "a running call of a deleted integration", o)
	s.checkResponse(t, "a running call of a deleted integration", o.Response)
}

// webhookSeen: a host that keeps when it heard of the caller is told nothing about a call that
// there is not, and its own words change no answer: what the foreign service executes is the same
// at every host.
func (s *suite) webhookSeen(t *testing.T, i integration.Integration) {
	for name, req := range s.webhooks(t, i) {
		first, err := s.settleWebhook(callContext(t), i, clone(req))
		must(t, name, err)
		if first.Seen && req.Facts.Session == nil {
			t.Errorf("%s: a caller of no call is seen", name)
		}
		req.Facts.SeenAt, req.Facts.HearingSince = req.Facts.Now.Add(-time.Second), req.Facts.Now.Add(-time.Hour)
		second, err := s.settleWebhook(callContext(t), i, req)
		must(t, name, err)
		s.checkOutcome(t, name, second)
		if d := difference.Of(first.Response, second.Response); d != "" || first.Seen != second.Seen {
			t.Errorf("%s: the answer depends on when the host heard of the caller:\n%s", name, d)
		}
	}
}

// webhookMediaURLs: the addresses of a call's media are in the answer alone, if anywhere: whoever
// knows one can listen to the recording.
func (s *suite) webhookMediaURLs(t *testing.T, i integration.Integration) {
	const canary = "https://host.example.com/canary-of-a-guarded-address"
	for name, req := range s.webhooks(t, i) {
		req.Facts.MediaURLs = map[string]string{"media:canary": canary}
		o, err := s.settleWebhook(callContext(t), i, req)
		must(t, name, err)
		o.Response = nil
		if where := mentions(o, canary); where != "" {
			t.Errorf("%s: the address of a medium is in %s", name, where)
		}
	}
}

// webhookOlderHost: a host of minor 0 is asked and commanded nothing that it does not know.
func (s *suite) webhookOlderHost(t *testing.T, i integration.Integration) {
	for name, req := range s.webhooks(t, i) {
		req.Facts.Instance.ProtocolMinor = 0
		var outcomes []integration.Outcome
		last, err := s.settle(&req.Facts, func() (integration.Outcome, error) {
			o, err := i.HandleWebhook(callContext(t), req)
			outcomes = append(outcomes, o)
			return o, err
		})
		must(t, name, err)
		s.checkResponse(t, name, last.Response)
		for _, o := range outcomes {
			for _, q := range o.Need {
				if q.Kind == integration.AskRecentCalls {
					t.Errorf("%s: asks a host of minor 0 for %s", name, q.Kind)
				}
			}
			for _, c := range o.Alert {
				if c.Kind == integration.AlertDecline {
					t.Errorf("%s: commands %s to a host of minor 0", name, c.Kind)
				}
			}
		}
	}
}

// webhookWriteFormats: beside hosts of another release a session is written in the format that is
// asked for, or in the oldest that can still be written, never in one that Describe does not name;
// and is read again.
func (s *suite) webhookWriteFormats(t *testing.T, i integration.Integration) {
	newest := s.describe(t, i).Formats.State
	for asked := 1; asked <= newest+1; asked++ {
		what := fmt.Sprintf("write format %d", asked)
		req := s.webhook()
		req.Facts.WriteFormats = integration.Formats{State: asked, Task: asked, Path: asked, Options: asked}
		o, err := s.settleWebhook(callContext(t), i, clone(req))
		must(t, what, err)
		s.checkOutcome(t, what, o)
		if o.Session == nil {
			t.Fatalf("%s: no session begins", what)
		}
		if o.Session.Format < min(asked, newest) || o.Session.Format > newest {
			t.Errorf("%s: the session is in format %d, want %d to %d", what, o.Session.Format, min(asked, newest), newest)
		}
		req.Facts.Session = s.session(o)
		o, err = s.settleWebhook(callContext(t), i, req)
		must(t, what+", read again", err)
		s.checkResponse(t, what+", read again", o.Response)
	}
}
