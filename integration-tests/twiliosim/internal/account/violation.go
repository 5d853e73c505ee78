package account

import (
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
)

// Violation is something the program under test did wrong.
type Violation = problem.Violation

// Report records a problem on a call (nil: on none), and counts it as a violation unless a test
// asked for it.
func (a *Account) Report(c *Call, p *problem.Problem) {
	a.Lock()
	defer a.Unlock()
	a.ReportLocked(c, p)
}

// ReportLocked is Report with the lock held. A problem is reported once.
func (a *Account) ReportLocked(c *Call, p *problem.Problem) {
	if p.Reported {
		return
	}
	p.Reported = true
	note := ""
	if p.Warning {
		note = "warning"
	}
	a.AddEventLocked(c, transcript.Event{Kind: transcript.Problem, Code: p.Code, Text: p.Text, URL: p.URL, Note: note})
	if p.Injected || a.Config.Lenient {
		return
	}
	v := Violation{At: a.Clock.Now(), Code: p.Code, Warning: p.Warning, Text: p.Text, URL: p.URL}
	if c != nil {
		v.Call = c.Sid
	}
	a.violations = append(a.violations, v)
}

// Violations returns what was done wrong so far, oldest first.
func (a *Account) Violations() []Violation {
	a.Lock()
	defer a.Unlock()
	return append([]Violation(nil), a.violations...)
}

// TakeViolations returns what was done wrong so far and forgets it.
func (a *Account) TakeViolations() []Violation {
	a.Lock()
	defer a.Unlock()
	out := a.violations
	a.violations = nil
	return out
}

// Allow makes Unallowed leave out violations of these codes.
func (a *Account) Allow(codes ...int) {
	a.Lock()
	defer a.Unlock()
	for _, code := range codes {
		a.allowed[code] = true
	}
}

// Unallowed returns the violations that were not allowed, oldest first.
func (a *Account) Unallowed() []Violation {
	a.Lock()
	defer a.Unlock()
	var out []Violation
	for _, v := range a.violations {
		if !a.allowed[v.Code] {
			out = append(out, v)
		}
	}
	return out
}
