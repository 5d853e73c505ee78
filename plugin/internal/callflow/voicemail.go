package callflow

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/draft"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

const (
	silenceLimit = 10 * time.Second // of the caller, that ends the recording
	manyOffers   = 2                // further offers make no difference
)

// leave ends the hold (or the menu) for voicemail, or for goodbye where voicemail is off. Whoever
// is still rung is let go. A caller in the queue does not notice by this alone: the next tick leads
// out, or, between ticks, a request to Twilio.
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

// voicemailMail is the mail about a message. Its key tells several messages of a call apart, and
// keeps each from being mailed twice.
func (m *machine) voicemailMail(r *call.Recording, lead string) effect.Mail {
	c, v := m.s.Caller, &m.s.Voicemail
	mail := effect.Mail{
		Key: "voicemail", Teams: m.teamIDs(), Subject: "Voicemail from " + c.Label(), Lead: lead,
		Transcript: r.Transcript, Media: r.Media.Reference(), At: m.now,
	}
	if n := v.Told(); n > 1 {
		mail.Key += "-" + strconv.Itoa(n)
	}
	var names []string
	for _, t := range m.s.Teams {
		names = append(names, t.Name)
	}
	if m.s.Team != nil {
		names = []string{m.s.Team.Name}
		mail.Subject += " for " + m.s.Team.Name
	}
	left := v.OfferedAt
	if left.IsZero() {
		left = m.now
	}
	caller := c.Shown()
	if caller == "" {
		caller = "withheld"
	}
	place := slices.DeleteFunc([]string{c.City, c.State, c.Zip, c.Country}, func(s string) bool { return s == "" })
	for _, f := range []integration.AlertField{
		draft.TextField("Caller", caller), draft.TextField("Caller's name", c.Name),
		draft.TextField("From", strings.Join(place, ", ")),
		draft.PhoneField("Called", c.Called), draft.TextField("Team", strings.Join(names, ", ")),
		draft.TextField("Time", left.UTC().Format("Mon 2 Jan 2006 15:04 UTC")),
		draft.TextField("Length", lasting(time.Duration(r.Seconds)*time.Second)),
	} {
		if f.Label == "Caller" && c.Number != "" {
			f.Format = integration.FieldPhone
		}
		if f.Value != "" {
			mail.Fields = append(mail.Fields, f)
		}
	}
	return mail
}

// callerName begins a sentence about the caller.
func callerName(number string) string {
	if number == "" {
		return "A caller with a withheld number"
	}
	return number
}
