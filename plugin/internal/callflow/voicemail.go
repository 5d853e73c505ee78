package callflow

import (
	"time"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

const (
	silenceLimit = 10 * time.Second // of the caller, that ends the recording
	manyOffers   = 2                // further offers make no difference
)

// leave ends the hold (or the menu) for voicemail, or for goodbye where voicemail is off. Whoever
// is still rung is let go. A caller in the queue does not notice by this alone: the next tick leads
// out, or, between ticks, a request to Twilio. Where the event is a request of the caller's own
// leg, its answer leads out.
func (m *machine) leave(x call.Exit) {
	m.s.Exit = x
	m.enter(call.PhaseLeavingMessage)
	m.release("", call.ReasonCaller)
	m.tallyRings()
	if m.s.Hold.QueueSid != "" && !m.row.ofCaller && m.real() { // else the next tick leads out
		m.emit(effect.Dequeue{Task: m.task("dequeue"), QueueSid: m.s.Hold.QueueSid, Step: m.s.Step})
	}
}

// offerVoicemail is the document that leads out of the call: the greeting and a recording, or
// goodbye, which is the end. It is given again to a caller who comes back without having recorded.
// It changes the state although it is a document: only a caller who is given it has been offered
// anything.
func (m *machine) offerVoicemail() reply.Reply {
	if !m.c.Voicemail {
		m.s.Farewell = exitPrompt(m.s.Exit)
		if m.s.Farewell == "" {
			m.s.Farewell = reply.PromptNoAnswer
		}
		say := m.welcome()
		m.end(call.EndToldGoodbye, "no voicemail: "+string(m.s.Exit))
		r, _ := m.farewell().(reply.Hangup)
		r.Say = append(say, r.Say...)
		return r
	}
	v := &m.s.Voicemail
	if !v.Offered {
		v.Offered, v.OfferedAt, m.s.SeenAt = true, m.now, m.now
	}
	v.Offers = min(v.Offers+1, manyOffers)
	say := m.welcome()
	if key := exitPrompt(m.s.Exit); key != "" {
		say = append(say, reply.Prompt{Key: key})
	}
	return reply.Record{
		Step: m.s.Step, Say: append(say, reply.Prompt{Key: reply.PromptGreeting}), MaxLength: m.c.VoicemailMaxLength,
		Silence: silenceLimit, FinishOnKey: "#", Transcribe: m.c.Transcribe,
	}
}

// exitPrompt is what is said of the reason before the rest; "" = nothing.
func exitPrompt(x call.Exit) reply.PromptKey {
	switch x {
	case call.ExitMenu:
		return reply.PromptTooManyTries
	case call.ExitNoTeam:
		return reply.PromptNoTeam
	case call.ExitMaintenance:
		return reply.PromptMaintenance
	case call.ExitFlood:
		return reply.PromptRateLimited
	case call.ExitDropped, call.ExitResolved, call.ExitDeleted, call.ExitMaxWait, call.ExitNobody, call.ExitOneRound, call.ExitAccount, call.ExitRefused, call.ExitRemoved, call.ExitNotProven, call.ExitNotFound, call.ExitStar, call.ExitStraight, call.ExitHoldFails:
	}
	return ""
}
