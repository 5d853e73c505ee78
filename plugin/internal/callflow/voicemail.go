package callflow

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const (
	// After so long without a callback about the recording, Twilio is asked for the call's
	// recordings.
	recordingLook  = 60 * time.Second
	recordingAgain = 30 * time.Second // between two such lookups
	// A message whose audio cannot be fetched by then is delivered without it: that somebody called
	// is what matters.
	fetchPatience = 5 * time.Minute
	fetchRetry    = 10 * time.Second
	// How long audio that comes after the mail is still attached to the alert.
	lateFetch    = 24 * time.Hour
	silenceLimit = 10 * time.Second // of the caller, that ends the recording
)

// leave ends the hold (or the menu) for voicemail, or for goodbye where voicemail is off. Whoever
// is still rung is let go.
func (m *machine) leave(x Exit) {
	m.s.Exit = x
	m.enter(PhaseLeavingMessage)
	m.release("", ReasonCaller)
	if m.s.Hold.QueueSid != "" && !m.row.ofCaller {
		m.emit(Dequeue{Task: m.task("dequeue"), QueueSid: m.s.Hold.QueueSid, Step: m.s.Step})
	}
}

// offerVoicemail is the document that leads out of the call.
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
	case ExitUpkeep:
		return PromptMaintenance
	case ExitDropped, ExitResolved, ExitDeleted, ExitMaxWait, ExitNobody, ExitNotFound, ExitStar, ExitStraight, ExitHoldFails:
	}
	return ""
}

// recorded: the recording stopped, by a key, by silence, by its length, or because the caller hung
// up.
func (m *machine) recorded() {
	if v := &m.s.Voicemail; v.Offered {
		v.Finished = true
		if v.RecordingSid == "" {
			v.RecordingSid, v.Seconds = m.e.RecordingSid, m.e.Seconds
		}
		if m.s.Phase == PhaseLeavingMessage {
			m.awaitRecording()
		}
	}
	if m.e.CallStatus.Over() || m.e.Digits == "hangup" {
		m.callerGone("the caller hung up")
		m.reply = EmptyReply{}
	}
}

// awaitRecording waits for Twilio's word on the recording; if none comes, it is asked for.
func (m *machine) awaitRecording() {
	m.enter(PhaseAwaitingRecording)
	v := &m.s.Voicemail
	v.LookAt = m.now.Add(recordingLook)
	v.GiveUpAt = m.now.Add(fetchPatience)
}

// recording is a status callback about the recording, or what a lookup found.
func (m *machine) recording() {
	if m.e.RecordingSid == "" {
		return
	}
	v := &m.s.Voicemail
	switch m.e.RecordingStatus {
	case "completed":
		if v.Fetching || v.Media != nil || !v.Offered {
			return
		}
		if m.s.Phase == PhaseLeavingMessage {
			m.awaitRecording()
		}
		v.RecordingSid, v.Completed = m.e.RecordingSid, true
		if m.e.Seconds > 0 {
			v.Seconds = m.e.Seconds
		}
		v.Fetching, v.LookAt = true, time.Time{}
		v.GiveUpAt = m.now.Add(fetchPatience)
		m.fetch(m.now, v.GiveUpAt)
	case "absent":
		if v.Completed || v.Absent || !v.Offered || m.s.Phase == PhaseEnded {
			return
		}
		v.Absent = true
		m.end(EndNoMessage, "nothing was recorded")
	}
}

func (m *machine) fetch(at, until time.Time) {
	m.emit(FetchRecording{Task: m.task("fetch"), RecordingSid: m.s.Voicemail.RecordingSid, At: at, NotAfter: until})
}

// fetched is the result of fetching the audio.
func (m *machine) fetched() {
	v := &m.s.Voicemail
	if v.Media != nil || m.e.RecordingSid != "" && m.e.RecordingSid != v.RecordingSid || !v.Fetching {
		return
	}
	if m.e.Result == Done && m.e.Media != nil {
		media := Media(*m.e.Media)
		v.Media = &media
		if m.e.Seconds > 0 {
			v.Seconds = m.e.Seconds
		}
		m.deliver()
		if m.c.DeleteRecording {
			m.emit(DeleteRecording{Task: m.task("delete-recording"), RecordingSid: v.RecordingSid})
		}
		return
	}
	if v.Mailed {
		return // it was tried for a day
	}
	if m.e.RecordingStatus == "absent" && m.s.Phase != PhaseEnded {
		v.Absent, v.Fetching = true, false
		m.end(EndNoMessage, "nothing was recorded")
		return
	}
	if at := m.now.Add(fetchRetry); at.Before(v.GiveUpAt) {
		m.fetch(at, v.GiveUpAt)
	}
}

// deliver puts the message where people see it: on the alert, which is opened again and routed once
// more where nobody would look at it, and into the mail, once.
func (m *machine) deliver() {
	v, a := &m.s.Voicemail, &m.s.Alert
	if v.Media != nil {
		if m.s.Verify.Verdict == VerdictPending || m.s.Verify.Verdict == VerdictNotFound {
			m.s.Verify = Verify{Verdict: VerdictFound} // Twilio had the recording, so it had the call
		}
		m.command(integration.AlertCommand{Kind: integration.AlertAttach, Media: v.Media.reference(), Label: "Voicemail"})
	}
	if v.Mailed {
		return
	}
	v.Mailed = true
	text := fmt.Sprintf("%s left a voicemail message of %s.", callerName(m.s.Caller.shown()), time.Duration(v.Seconds)*time.Second)
	if v.Media == nil {
		text += " Its audio could not be fetched yet and follows on the alert."
	}
	m.log(text+" "+m.callBack(), "")
	if a.Status == integration.AlertDropped || a.Status == integration.AlertResolved || a.Resolved {
		if m.f.Instance.Capabilities.Reopen {
			m.decide(integration.AlertCommand{Kind: integration.AlertReopen, Text: "the caller left a message"})
		}
		a.Resolved = false
		if ids := m.teamIDs(); a.Routed && len(ids) > 0 {
			m.decide(integration.AlertCommand{Kind: integration.AlertRoute, Teams: ids})
		}
	}
	a.RouteWanted = true
	m.route()
	m.emit(m.voicemailMail(text + " " + m.callBack()))
	v.Transcript = ""
	if m.s.Phase != PhaseEnded {
		m.end(EndMessageLeft, "a message was left")
	}
}

// voicemailMail is the mail about the message.
func (m *machine) voicemailMail(lead string) Mail {
	c, v := m.s.Caller, &m.s.Voicemail
	mail := Mail{
		Key: "voicemail", Teams: m.teamIDs(), Subject: "Voicemail from " + c.label(), Lead: lead,
		Transcript: v.Transcript, Media: v.Media.reference(), At: m.now,
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
		textField("Length", (time.Duration(v.Seconds) * time.Second).String()),
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

func callerName(number string) string {
	if number == "" {
		return "A caller with a withheld number"
	}
	return number
}

// recordingsListed is the result of looking up the call's recordings.
func (m *machine) recordingsListed() {
	v := &m.s.Voicemail
	switch {
	case m.e.Result == Done && (m.e.RecordingStatus == "completed" || m.e.RecordingStatus == "absent"):
		m.recording()
	case m.e.Result == NotFound:
		v.Absent = true
		m.end(EndNoMessage, "nothing was recorded")
	default:
		v.LookAt = m.now.Add(recordingAgain)
	}
}

// recordingDue looks for a recording that no callback reported, and finally stops waiting.
func (m *machine) recordingDue() {
	v := &m.s.Voicemail
	if !m.now.Before(v.GiveUpAt) {
		v.GiveUpAt = time.Time{}
		if v.RecordingSid != "" && m.real() {
			m.deliver()
			if v.Completed {
				m.fetch(m.now.Add(fetchPatience), m.now.Add(lateFetch))
			}
			return
		}
		if m.s.Phase != PhaseEnded {
			m.end(EndNoMessage, "what was recorded could not be found out")
		}
		return
	}
	v.LookAt = time.Time{}
	m.emit(LookRecordings{Task: m.task("look-recordings"), At: m.now})
}

// transcription adds what was said to the alert, once.
func (m *machine) transcription() {
	v := &m.s.Voicemail
	if v.Transcribed || m.e.Text == "" || m.e.RecordingSid == "" || v.RecordingSid != "" && m.e.RecordingSid != v.RecordingSid {
		return
	}
	v.Transcribed = true
	if !v.Mailed {
		v.Transcript = m.e.Text
	}
	transcript := textField("Voicemail Transcription", m.e.Text)
	m.command(integration.AlertCommand{Kind: integration.AlertAddField, Field: &transcript})
}
