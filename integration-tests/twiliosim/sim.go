package twiliosim

import (
	"context"
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/control"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/executor"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/phone"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/rest"
)

// Sim is one simulated Twilio account in one region, with the telephone network around it. Its
// methods may be used from several goroutines.
type Sim struct {
	account  *account.Account
	executor *executor.Executor
	phones   *phone.Phones
	handler  http.ServeMux
}

// New returns a Sim. It fails if the configuration names a credential that Twilio's clients would
// refuse, an unknown region or a malformed telephone number.
func New(cfg Config) (*Sim, error) {
	a, err := account.New(cfg)
	if err != nil {
		return nil, err
	}
	phones := phone.New(a)
	s := &Sim{account: a, phones: phones, executor: executor.New(a, phones)}
	s.handler.Handle("/2010-04-01/", rest.New(a, s.executor))
	control.New(a, s.executor, phones).Register(&s.handler)
	return s, nil
}

// Close ends every call without further requests and waits for what is running.
func (s *Sim) Close() { s.account.Close() }

// ServeHTTP implements http.Handler: REST, control, page.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// AccountSid returns the SID of the account (AC…).
func (s *Sim) AccountSid() string { return s.account.Config.AccountSid }

// Now is the simulator's time.
func (s *Sim) Now() time.Time { return s.account.Clock.Now() }

// Clock is the simulator's clock.
func (s *Sim) Clock() clock.Clock { return s.account.Clock }

// AddNumber gives the account a number (+E.164) and returns its SID (PN…). It fails if the account
// has the number already.
func (s *Sim) AddNumber(n Number) (string, error) { return s.account.AddNumber(n) }

// Numbers returns the account's numbers, oldest first.
func (s *Sim) Numbers() []Number { return s.account.AllNumbers() }

// Call has somebody at from dial to, a number of the account; withheld numbers are "anonymous" or
// "+266696687". The call rings, asks the number's VoiceURL what to do, and continues in the
// background. It fails if the account does not have the number.
func (s *Sim) Call(from, to string) (*Call, error) {
	c, err := s.executor.Inbound(from, to)
	return s.phones.Of(c), err
}

// CallBySid finds a call; nil if there is none.
func (s *Sim) CallBySid(sid string) *Call { return s.phones.Of(s.account.CallBySid(sid)) }

// Calls returns all calls, oldest first.
func (s *Sim) Calls() []*Call { return s.phones.AllCalls() }

// Phone returns the telephone of a number (+E.164).
func (s *Sim) Phone(number string) *Phone { return s.phones.Phone(number) }

// Events returns what happened after the event numbered after (0: everything), oldest first. Of the
// oldest events, those beyond Config.EventLimit are missing.
func (s *Sim) Events(after int64) []Event { return s.account.Events(after) }

// WaitEvents is Events, but waits for at least one event until ctx is done; then it returns none.
func (s *Sim) WaitEvents(ctx context.Context, after int64) []Event {
	return s.account.WaitEvents(ctx, after)
}

// RecordingSound returns what a completed recording holds; false if there is no such recording, or
// it is not completed.
func (s *Sim) RecordingSound(sid string) (Sound, bool) { return s.account.RecordingSound(sid) }

// AddFault arms a fault and returns its number, from 1. The error names the field that is wrong.
func (s *Sim) AddFault(f Fault) (int, error) { return s.account.Faults.Add(f) }

// ClearFaults disarms all faults.
func (s *Sim) ClearFaults() { s.account.Faults.ClearAll() }

// ClearFault disarms the fault of a number; it reports false if there is none.
func (s *Sim) ClearFault(id int) bool { return s.account.Faults.Clear(id) }

// Faults returns the faults, also those that have disturbed all the requests they were for.
func (s *Sim) Faults() []Fault { return s.account.Faults.All() }

// TakeViolations returns what was done wrong so far and forgets it.
func (s *Sim) TakeViolations() []Violation { return s.account.TakeViolations() }

// Allow makes Check overlook violations of these codes; a test that provokes them says so.
func (s *Sim) Allow(codes ...int) { s.account.Allow(codes...) }

// Check fails the test for every violation that was not allowed, with the calls' transcripts.
func (s *Sim) Check(t TB) {
	t.Helper()
	shown := map[string]bool{}
	bad := s.account.Unallowed()
	for _, v := range bad {
		t.Errorf("twiliosim: %v", v)
	}
	for _, v := range bad {
		if c := s.account.CallBySid(v.Call); c != nil && !shown[v.Call] {
			shown[v.Call] = true
			t.Errorf("transcript of %s:\n%s", c.Sid, FormatTranscript(c.Transcript()))
		}
	}
}
