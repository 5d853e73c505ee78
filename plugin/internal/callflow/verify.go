package callflow

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

// Nobody is woken for a call that Twilio does not know. A valid signature proves a call. Without
// one Twilio is asked, beside the call, which is served meanwhile.

const (
	// Without any verdict for so long a call without a token to check is served unverified.
	verifyPatient = 10 * time.Second
	// A call that is not proven by then leaves a message, which proves it.
	verifyLimit = 30 * time.Second
	verifyRetry = 3 * time.Second // after an answer that is no verdict
	// maxUnproven is how many requests to Twilio a call that is not proven may cause, its
	// recordings included: anybody can make one up.
	maxUnproven = 20
)

// notFoundPauses are the waits before asking again for a call that Twilio does not know (yet).
var notFoundPauses = []time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second}

// startVerify finds out whether the call is real. A valid signature settles it at once, and clears
// the warnings that said otherwise. Else the call is served while Twilio is asked. A wrong
// signature has longer until it is given up, as Twilio's word is the only proof then.
func (m *machine) startVerify() {
	if m.signed() {
		m.s.Verify.Verdict = call.VerdictSigned
		m.emit(integration.Finding{Code: effect.FindingSignature, Severity: integration.FindingClear, At: m.now})
		m.emit(integration.Finding{Code: effect.FindingCallsNotFound, Severity: integration.FindingClear, At: m.now})
		return
	}
	m.s.Verify.Wrong = m.e.Auth == event.AuthMismatch
	m.s.Verify.GiveUpAt = m.now.Add(verifyPatient)
	if m.s.Verify.Wrong {
		m.s.Verify.GiveUpAt = m.now.Add(verifyLimit)
	}
	m.look(m.now)
}

// proveSigned notes the first valid signature of a call that began without.
func (m *machine) proveSigned() {
	if m.phase() == call.PhaseArrived || !m.request() || !m.signed() {
		return
	}
	if m.s.Verify.Verdict == call.VerdictSigned {
		m.s.Verify.Wrong = false
		return
	}
	m.s.Verify = call.Verify{Verdict: call.VerdictSigned}
	m.proven()
}

// doubtSigned has a call looked for whose requests had valid signatures and have them no more: the
// token was changed at Twilio while the call ran. The address of the request carries a token of
// ours, so the call goes on. One that is not proven yet has a wrong signature from then on, as at
// arrival: the token was filled in meanwhile.
func (m *machine) doubtSigned() {
	v := &m.s.Verify
	if !m.request() || m.e.Auth != event.AuthMismatch || v.Wrong || m.phase() == call.PhaseArrived || m.over() {
		return
	}
	switch v.Verdict {
	case call.VerdictSigned:
		v.Wrong = true
		m.look(m.now)
	case call.VerdictPending:
		v.Wrong = true
		if limit := m.s.ArrivedAt.Add(verifyLimit); limit.After(v.GiveUpAt) {
			v.GiveUpAt = limit
		}
	case call.VerdictFound, call.VerdictNotFound, call.VerdictUnverified:
	}
}

// proven withdraws what was to happen to a call that could not be proven. Other exits stay: a
// caller who pressed star wanted to leave.
func (m *machine) proven() {
	if (m.s.Exit == call.ExitNotFound || m.s.Exit == call.ExitNotProven) && m.s.Phase == call.PhaseHolding {
		m.s.Exit = ""
	}
}

// mayAsk reports whether Twilio may be asked for something once more on behalf of the call, and
// counts it where the call is not proven.
func (m *machine) mayAsk() bool {
	if m.real() {
		return true
	}
	m.s.Verify.Asked++
	return m.s.Verify.Asked <= maxUnproven
}

// look asks Twilio for the caller's call, now or later. LookedAt is set although the answer may not
// come: it spaces out the looks.
func (m *machine) look(at time.Time) {
	if !m.mayAsk() {
		return
	}
	m.s.LookedAt = m.now
	m.emit(effect.LookCall{Task: m.task("look-call"), At: at})
}

// lookedAtCall takes Twilio's word on the caller's call.
func (m *machine) lookedAtCall() {
	switch m.e.Result {
	case event.Done:
		m.callFound()
	case event.NotFound:
		m.callNotFound()
	case event.Unknown, event.Refused, event.AccountError, event.Failed:
		m.callNotAnswered()
	}
}

// callFound: Twilio knows the call. It proves the call, and says whether its leg still is up.
func (m *machine) callFound() {
	v := &m.s.Verify
	if v.Wrong {
		m.emit(integration.Finding{Code: effect.FindingSignature, Severity: integration.FindingError, Field: "auth_token", At: m.now,
			Message: "Twilio confirmed a call whose signature did not match the Auth Token: was the token changed at Twilio? Fill in the primary token of the chosen region. Until then every call is looked up before anybody is called."})
		v.Wrong = v.Verdict == call.VerdictSigned // proven before: it is told once
	}
	// A new value: what was counted while the call was in doubt does not matter any more.
	if v.Verdict == call.VerdictPending || v.Verdict == call.VerdictNotFound || v.Verdict == call.VerdictUnverified {
		*v = call.Verify{Verdict: call.VerdictFound}
		m.proven()
	}
	if m.over() && m.s.Hold.QueueSid != "" && m.s.QueueTries == 0 {
		m.deleteQueue() // which was left alone while nothing proved the call
	}
	if m.e.CallStatus.Over() {
		m.callerGone("Twilio says that the call is over")
	} else if !m.over() {
		m.s.SeenAt, m.s.Unanswered = m.now, 0
	}
}

// callNotFound: Twilio does not know the call, not yet perhaps. A call that has just come in may
// not be listed yet, hence the pauses.
func (m *machine) callNotFound() {
	v := &m.s.Verify
	if v.Verdict != call.VerdictPending {
		if v.Verdict != call.VerdictNotFound {
			// A proven call that Twilio does not find: the account or the region is wrong.
			m.callsNotFound()
		}
		return
	}
	if m.over() {
		return
	}
	v.NotFound++
	if v.NotFound > len(notFoundPauses) {
		*v = call.Verify{Verdict: call.VerdictNotFound, Wrong: v.Wrong, Asked: v.Asked}
		if !v.Wrong {
			// With a wrong signature it is a forged request, and no concern of the account.
			m.callsNotFound()
		}
		if m.s.Phase == call.PhaseHolding {
			m.s.Exit = call.ExitNotFound
			m.log("Twilio does not know this call: nobody is called.", "")
		}
		return
	}
	at := m.now.Add(notFoundPauses[v.NotFound-1])
	v.GiveUpAt = at.Add(verifyPatient)
	m.look(at)
}

// callsNotFound warns that what the form says of the account cannot be right.
func (m *machine) callsNotFound() {
	m.emit(integration.Finding{Code: effect.FindingCallsNotFound, Severity: integration.FindingError, Field: "account_sid", At: m.now,
		Message: "Twilio does not find a call that came in. Check that account, API key and region are those of the phone number."})
}

// callNotAnswered: there is no verdict. That Twilio has too many requests, or that too many wait
// for their turn to be looked up, is no reason to stop asking: with enough forged requests anybody
// could bring that about. NoVerdict stays once it was set: then Twilio was asked, and could not say
// for another reason than being busy.
func (m *machine) callNotAnswered() {
	v := &m.s.Verify
	if v.Verdict != call.VerdictPending {
		return
	}
	v.Busy, v.NoVerdict = m.e.Busy, v.NoVerdict || !m.e.Busy
	if m.over() {
		return
	}
	if m.e.Busy {
		limit := m.s.ArrivedAt.Add(verifyLimit)
		if later := m.now.Add(verifyPatient); later.Before(limit) {
			limit = later
		}
		if limit.After(v.GiveUpAt) {
			v.GiveUpAt = limit
		}
	}
	if m.now.Add(verifyRetry).Before(v.GiveUpAt) {
		m.look(m.now.Add(verifyRetry))
	}
}

// verifyDue gives up asking. A call without a token to check is served where Twilio was asked and
// could not say. With a wrong signature, and where Twilio is too busy to say or the call's turn to
// be looked up has not come, nobody is woken: the caller leaves a message, whose recording proves
// the call.
func (m *machine) verifyDue() {
	v := &m.s.Verify
	if !v.Wrong && v.NoVerdict && !v.Busy {
		*v = call.Verify{Verdict: call.VerdictUnverified}
		m.emit(integration.Finding{Code: effect.FindingUnverified, Severity: integration.FindingWarning, Field: "auth_token", At: m.now,
			Message: "Twilio could not be asked whether a call is real; it was served unverified. Set the Auth Token, and check the API key."})
		m.log("Twilio could not be asked whether this call is real; it is served unverified.", "")
		return
	}
	if limit := m.s.ArrivedAt.Add(verifyLimit); !v.Wrong && !v.NoVerdict && m.now.Before(limit) {
		v.GiveUpAt = limit
		return
	}
	*v = call.Verify{Verdict: call.VerdictNotFound, Wrong: v.Wrong, Asked: v.Asked}
	if m.s.Phase == call.PhaseHolding {
		m.s.Exit = call.ExitNotProven
		m.log("Twilio did not confirm this call in time: nobody is called.", "")
	}
}

// real reports whether somebody may be woken for this call.
func (m *machine) real() bool { return m.s.Verify.Proven() }
