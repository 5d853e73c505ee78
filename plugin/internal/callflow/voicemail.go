package callflow

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const (
	silenceLimit = 10 * time.Second // of the caller, that ends the recording
	manyOffers   = 2                // further offers make no difference
)

// leave ends the hold (or the menu) for voicemail, or for goodbye where voicemail is off. Whoever
// is still rung is let go. A caller in the queue does not notice by this alone: the next tick leads
// out, or, between ticks, a request to Twilio.
func (m *machine) leave(x Exit) {
	m.s.Exit = x
	m.enter(PhaseLeavingMessage)
	m.release("", ReasonCaller)
	m.tallyRings()
	if m.s.Hold.QueueSid != "" && !m.row.ofCaller && m.real() { // else the next tick leads out
		m.emit(Dequeue{Task: m.task("dequeue"), QueueSid: m.s.Hold.QueueSid, Step: m.s.Step})
	}
}

// offerVoicemail is the document that leads out of the call: the greeting and a recording, or
// goodbye, which is the end. It is given again to a caller who comes back without having recorded.
func (m *machine) offerVoicemail() Reply {
	if !m.c.Voicemail {
		m.s.Farewell = exitPrompt(m.s.Exit)
		if m.s.Farewell == "" {
			m.s.Farewell = PromptNoAnswer
		}
		say := m.welcome()
		m.end(EndToldGoodbye, "no voicemail: "+string(m.s.Exit))
		r, _ := m.farewell().(HangupReply)
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
		say = append(say, Prompt{Key: key})
	}
	return RecordReply{
		Step: m.s.Step, Say: append(say, Prompt{Key: PromptGreeting}), MaxLength: m.c.VoicemailMaxLength,
		Silence: silenceLimit, FinishOnKey: "#", Transcribe: m.c.Transcribe,
	}
}

// exitPrompt is what is said of the reason before the rest; "" = nothing.
func exitPrompt(x Exit) PromptKey {
	switch x {
	case ExitMenu:
		return PromptTooManyTries
	case ExitNoTeam:
		return PromptNoTeam
	case ExitMaintenance:
		return PromptMaintenance
	case ExitFlood:
		return PromptRateLimited
	case ExitDropped, ExitResolved, ExitDeleted, ExitMaxWait, ExitNobody, ExitOneRound, ExitAccount, ExitRefused, ExitRemoved, ExitNotProven, ExitNotFound, ExitStar, ExitStraight, ExitHoldFails:
	}
	return ""
}

// voicemailMail is the mail about a message. Its key tells several messages of a call apart, and
// keeps each from being mailed twice.
func (m *machine) voicemailMail(r *Recording, lead string) Mail {
	c, v := m.s.Caller, &m.s.Voicemail
	mail := Mail{
		Key: "voicemail", Teams: m.teamIDs(), Subject: "Voicemail from " + c.label(), Lead: lead,
		Transcript: r.Transcript, Media: r.Media.reference(), At: m.now,
	}
	if n := v.told(); n > 1 {
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
	caller := c.shown()
	if caller == "" {
		caller = "withheld"
	}
	place := slices.DeleteFunc([]string{c.City, c.State, c.Zip, c.Country}, func(s string) bool { return s == "" })
	for _, f := range []integration.AlertField{
		textField("Caller", caller), textField("Caller's name", c.Name),
		textField("From", strings.Join(place, ", ")),
		phoneField("Called", c.Called), textField("Team", strings.Join(names, ", ")),
		textField("Time", left.UTC().Format("Mon 2 Jan 2006 15:04 UTC")),
		textField("Length", lasting(time.Duration(r.Seconds)*time.Second)),
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
