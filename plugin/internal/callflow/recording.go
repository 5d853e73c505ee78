package callflow

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/draft"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/wording"
)

const (
	// After so long without a callback about a recording, Twilio is asked for the call's
	// recordings, and for those that a request has named.
	recordingLook  = 60 * time.Second
	recordingAgain = 30 * time.Second // between two such lookups
	// A message whose audio cannot be fetched by then is delivered without it: that somebody called
	// is what matters.
	fetchPatience = 5 * time.Minute
	fetchRetry    = 10 * time.Second
	// How long audio that comes after the mail is still attached to the alert.
	lateFetch = 24 * time.Hour
	// maxRecordings bounds the state. A caller records once, and once more for each request about
	// the recording that is lost.
	maxRecordings = 20
)

// A caller may leave several recordings: when the request that ends the first is lost, Twilio turns
// to the fallback address, and the caller may speak again. Any of them may be the one that matters,
// so each is fetched, attached and mailed, whichever request told of it.

// heardOf finds a recording of the call, or notes a new one; nil without a SID. The pointer is good
// until another recording is noted.
func (m *machine) heardOf(sid string) *call.Recording {
	v := &m.s.Voicemail
	if r := v.Recording(sid); r != nil || sid == "" || len(v.Recordings) >= maxRecordings {
		return r
	}
	v.Recordings = append(v.Recordings, call.Recording{Sid: sid})
	return &v.Recordings[len(v.Recordings)-1]
}

// recorded: the recording stopped, by a key, by silence, by its length, or because the caller hung
// up. A caller who hung up is told of by the same request: both are worked on here.
func (m *machine) recorded() {
	if v := &m.s.Voicemail; v.Offered {
		v.Finished = true
		if r := m.heardOf(m.e.RecordingSid); r != nil && r.Seconds == 0 {
			r.Seconds = m.e.Seconds
		}
		m.awaitRecording()
	}
	if m.e.CallStatus.Over() || m.e.Digits == "hangup" {
		m.callerGone("the caller hung up")
		m.reply = reply.Empty{}
	}
}

// resumeLeaving: Twilio asks for a document although the caller was given the one that records. A
// caller whose recording is known, or whose request that ended it failed, is thanked instead of
// being asked to speak once more. Otherwise the greeting is played again: the caller has not spoken
// yet.
func (m *machine) resumeLeaving() {
	v := &m.s.Voicemail
	if v.Offered && (m.e.FailedRequest == event.Recorded || v.AnyOpen()) {
		v.Finished = true
		m.awaitRecording()
	}
}

// awaitRecording waits for Twilio's word on the recordings; if none comes, it is asked for. After
// the end of the call it only renews the waiting, for a recording that came to light late.
func (m *machine) awaitRecording() {
	v := &m.s.Voicemail
	switch m.s.Phase {
	case call.PhaseLeavingMessage:
		m.enter(call.PhaseAwaitingRecording)
	case call.PhaseDelivering, call.PhaseEnded:
		if !v.AnyOpen() {
			return
		}
	case call.PhaseArrived, call.PhaseChoosing, call.PhaseHolding, call.PhaseConnecting, call.PhaseTalking, call.PhaseAwaitingRecording:
	}
	if v.GiveUpAt.IsZero() {
		v.LookAt, v.GiveUpAt = m.now.Add(recordingLook), m.now.Add(fetchPatience)
	}
	m.concludeRecordings()
}

// recording is a status callback about a recording.
func (m *machine) recording() {
	if !m.s.Voicemail.Offered {
		return
	}
	if r := m.heardOf(m.e.RecordingSid); r != nil {
		m.recordingStatus(r, m.e.RecordingStatus, m.e.Seconds)
		m.concludeRecordings()
	}
}

// recordingStatus takes Twilio's word on one recording (Twilio docs: voice/twiml/record, and
// voice/api/recording).
func (m *machine) recordingStatus(r *call.Recording, status string, seconds int) {
	switch status {
	case "completed":
		if seconds > 0 {
			r.Seconds = seconds
		}
		r.Absent, r.Failed = false, false
		if m.s.Phase == call.PhaseLeavingMessage {
			m.awaitRecording()
		}
		// The deadline counts from Twilio's word, so a long message has as much time as a short
		// one.
		if !r.Told && r.Media == nil && !r.Fetching {
			m.s.Voicemail.GiveUpAt = m.now.Add(fetchPatience)
			m.fetch(r, m.now, m.s.Voicemail.GiveUpAt)
		}
	// Twilio heard nothing in it, or not enough (Twilio docs: voice/twiml/record).
	case "absent":
		r.Absent = r.Absent || !r.Told
	case "failed":
		if r.Open() {
			r.Failed = true
			text := "Twilio could not record the caller's message."
			if m.e.Code != "" {
				text += " (Twilio error " + m.e.Code + ")"
			}
			m.log(text, "")
		}
	}
}

// concludeRecordings ends the waiting when everything that the caller may have recorded is known to
// hold nothing. It does nothing while any may still hold something.
func (m *machine) concludeRecordings() {
	v := &m.s.Voicemail
	if v.AnyOpen() || v.MayBeMore() {
		return
	}
	if len(v.Recordings) == 0 && !v.Absent {
		return
	}
	v.LookAt, v.GiveUpAt = time.Time{}, time.Time{}
	switch m.s.Phase {
	case call.PhaseAwaitingRecording:
		v.Absent = !slices.ContainsFunc(v.Recordings, func(r call.Recording) bool { return r.Failed })
		m.end(call.EndNoMessage, "nothing was recorded")
	case call.PhaseLeavingMessage, call.PhaseDelivering, call.PhaseEnded, call.PhaseArrived, call.PhaseChoosing, call.PhaseHolding, call.PhaseConnecting, call.PhaseTalking:
	}
}

// fetch asks for the audio of a recording, at a time and until another. A call that is not proven
// may ask only so often; beyond that the recording counts as being fetched and is given up at its
// deadline.
func (m *machine) fetch(r *call.Recording, at, until time.Time) {
	r.Fetching = true
	if !m.mayAsk() {
		return
	}
	m.emit(effect.FetchRecording{Task: m.task("fetch-" + r.Sid), RecordingSid: r.Sid, At: at, NotAfter: until})
}

// fetched is the result of fetching the audio of a recording. A result that nobody waits for any
// more, such as of a repeated task, changes nothing.
func (m *machine) fetched() {
	v := &m.s.Voicemail
	r := v.Recording(m.e.RecordingSid)
	if r == nil || r.Media != nil || !r.Fetching {
		return
	}
	switch {
	case m.e.Result == event.Done && m.e.Media != nil:
		media := call.Media(*m.e.Media)
		r.Media, r.Absent, r.Failed = &media, false, false
		if m.e.Seconds > 0 {
			r.Seconds = m.e.Seconds
		}
		m.deliver(r)
		// Only now: the host has stored the audio.
		if m.c.DeleteRecording {
			m.emit(effect.DeleteRecording{Task: m.task("delete-" + r.Sid), RecordingSid: r.Sid})
		}
	case r.Told: // it was tried for a day
		m.log("The audio of the caller's message could not be fetched. "+m.e.Detail, "")
	case m.e.RecordingStatus == "absent":
		r.Absent = true
	case m.e.RecordingStatus == "deleted":
		m.deliver(r) // a message was left, and somebody deleted its audio
	default:
		if at := m.now.Add(fetchRetry); at.Before(v.GiveUpAt) {
			m.fetch(r, at, v.GiveUpAt)
		}
	}
	m.concludeRecordings()
}

// deliver puts a message where people see it: on the alert, which is opened again and routed once
// more where nobody would look at it, and into a mail, once each. It comes twice for a message
// whose audio is late: first without it, then to attach it. Told is what has happened once and for
// all.
func (m *machine) deliver(r *call.Recording) {
	v, a := &m.s.Voicemail, &m.s.Alert
	a.Quiet = false // a message is for somebody to hear, however often its caller called
	if r.Media != nil {
		if m.s.Verify.Verdict == call.VerdictPending || m.s.Verify.Verdict == call.VerdictNotFound {
			// Twilio had the recording, so it had the call.
			m.s.Verify = call.Verify{Verdict: call.VerdictFound}
		}
		label := "Voicemail"
		if n := v.Attached(); n > 1 {
			label += " " + strconv.Itoa(n)
		}
		m.command(integration.AlertCommand{Kind: integration.AlertAttach, Media: r.Media.Reference(), Label: label})
	}
	if r.Told {
		m.beginDelivery()
		return
	}
	m.teamsForMessage()
	taken := m.takenBy()
	if len(m.questions) > 0 {
		return
	}
	// From here on this message counts among those that were delivered, as the text below says.
	r.Told = true
	what := "left a voicemail message of"
	if v.Told() > 1 {
		what = "left a further voicemail message of"
	}
	text := fmt.Sprintf("%s %s %s.", wording.CallerName(m.s.Caller.Shown()), what, wording.Lasting(time.Duration(r.Seconds)*time.Second))
	switch {
	case r.Media == nil && m.e.RecordingStatus == "deleted":
		text += " Its audio was deleted at Twilio before it could be fetched."
	case r.Media == nil:
		text += " Its audio could not be fetched yet and follows on the alert."
	}
	m.log(text+" "+m.s.Caller.CallBack(), "")
	if r.Transcript != "" && !r.Transcribed {
		m.addTranscript(r, r.Transcript)
	}
	m.openForMessage()
	a.RouteWanted = true
	m.route()
	m.tellOfMessage(r, text+" "+m.s.Caller.CallBack(), taken)
	r.Transcript = ""
	if !m.over() {
		m.end(call.EndMessageLeft, "a message was left")
	}
	m.beginDelivery()
}

// takenBy names those who have the alert now, for who is mailed. Somebody whom the platform cannot
// name is named by their id. It may ask questions; then deliver is run again with the answers.
func (m *machine) takenBy() []string {
	if m.s.Alert.Status != integration.AlertAcknowledged {
		return nil
	}
	var names []string
	for _, user := range m.acknowledgers() {
		name := user
		if answer, _ := m.ask(effect.AskUser(user)); answer.User != nil && answer.User.Name != "" {
			name = answer.User.Name
		}
		names = append(names, name)
	}
	return names
}

// tellOfMessage mails a message to whomever the options name. Where that reaches nobody, the story
// and a finding say so: no message may rest unheard without either.
func (m *machine) tellOfMessage(r *call.Recording, lead string, taken []string) {
	m.emit(draft.Mail(&m.s, r, lead, taken, m.now))
	if m.c.Unmailed == "" {
		for _, f := range m.f.Findings {
			if f.Severity != integration.FindingClear && (f.Code == effect.FindingUnmailed || f.Code == effect.FindingMailRefused) {
				// Unless it happens again.
				m.emit(integration.Finding{Code: f.Code, Severity: integration.FindingClear, At: m.now})
			}
		}
		return
	}
	which := "the message"
	if m.s.Voicemail.Told() > 1 {
		which = "the further message"
	}
	m.log("Nobody was mailed about "+which+", because "+m.c.Unmailed+".", "")
	if m.delivers() {
		return // people are rung for it; should none hear it, that is told
	}
	m.emit(integration.Finding{Code: effect.FindingUnmailed, Severity: integration.FindingError, Field: "voicemail_emails", At: m.now,
		Message: "A caller left a message and nobody was mailed about it, because " + m.c.Unmailed + ". It is kept with the alert alone."})
}

// mailed: the mail server took a mail to one address, finally refused it, or none of its recipients
// has an address. Only now does the story say who was mailed: until then it is only meant.
func (m *machine) mailed() {
	if m.e.Result == event.Done {
		m.log("The message was mailed to "+m.e.Detail+".", "")
		return
	}
	text := "The mail about the message was not delivered"
	m.log(text+": "+m.e.Detail+".", "")
	m.emit(integration.Finding{Code: effect.FindingMailRefused, Severity: integration.FindingError, Field: "voicemail_emails", At: m.now,
		Message: text + ": " + m.e.Detail + ". Correct the address, or add another one."})
}

// openForMessage opens an alert that is over, so that its message is seen. Where the platform
// cannot reopen, routing once more is all that can be done.
func (m *machine) openForMessage() {
	a := &m.s.Alert
	if a.Status != integration.AlertDropped && a.Status != integration.AlertResolved && !a.Resolved {
		return
	}
	if m.f.Instance.Capabilities.Reopen {
		m.decide(integration.AlertCommand{Kind: integration.AlertReopen, Text: "the caller left a message"})
	}
	// Until the platform says so itself.
	a.Resolved, a.Status, a.Layer, a.Round = false, integration.AlertOpen, 0, 0
	if ids := m.s.TeamIDs(); a.Routed && len(ids) > 0 {
		m.decide(integration.AlertCommand{Kind: integration.AlertRoute, Teams: ids})
	}
}

// teamsForMessage finds somebody for a message on a call that had no team: the teams of the
// destinations as they are now. Where there is none, a finding and a line say so. It may ask
// questions; then deliver is run again with the answers.
func (m *machine) teamsForMessage() {
	if len(m.s.TeamIDs()) > 0 {
		return
	}
	if m.e.Caller == nil { // routers are asked about the caller
		c := m.s.Caller
		m.e.Caller = &c
	}
	teams, _ := m.destinations()
	if len(m.questions) > 0 {
		return
	}
	if len(teams) > 0 {
		m.s.Teams = teams
		return
	}
	told := "nobody was told of it"
	if m.c.MailsAddresses {
		told = "only the addresses in voicemail_emails were told of it"
	}
	m.emit(integration.Finding{Code: effect.FindingNoTeam, Severity: integration.FindingError, Field: "destinations", At: m.now,
		Message: "A caller left a message and " + told + ": the call had no team. Add a team as destination, or a default receiver to the router."})
	m.log("No team is set up for this call: "+told+".", "")
}

// recordingsListed is the result of looking up the call's recordings. NotFound says that Twilio has
// none, as far as it knows yet.
func (m *machine) recordingsListed() {
	v := &m.s.Voicemail
	if m.e.Result != event.Done && m.e.Result != event.NotFound {
		m.lookAgain()
		return
	}
	v.Looked = true
	for _, l := range m.e.Recordings {
		if r := m.heardOf(l.Sid); r != nil {
			m.recordingStatus(r, l.Status, l.Seconds)
		}
	}
	switch {
	case len(v.Recordings) == 0 && v.Finished, slices.ContainsFunc(v.Recordings, func(r call.Recording) bool { return r.Open() && !r.Fetching }):
		// The caller finished a message, or Twilio still works on it.
		m.lookAgain()
		return
	case len(v.Recordings) == 0:
		v.Absent = true // the caller was gone before the tone
	}
	m.concludeRecordings()
}

// lookAgain has Twilio asked for the recordings once more, if they are still waited for.
func (m *machine) lookAgain() {
	if v := &m.s.Voicemail; !v.GiveUpAt.IsZero() {
		v.LookAt = m.now.Add(recordingAgain)
	}
}

// recordingDue looks for recordings that no callback reported, and finally stops waiting. A
// callback that was lost is made up for here, at the latest after fetchPatience.
func (m *machine) recordingDue() {
	v := &m.s.Voicemail
	if v.GiveUpAt.IsZero() || !m.now.Before(v.GiveUpAt) {
		m.stopWaiting()
		return
	}
	v.LookAt = time.Time{}
	if m.mayAsk() {
		m.emit(effect.LookRecordings{Task: m.task("look-recordings"), At: m.now})
	}
	for i := range v.Recordings {
		if r := &v.Recordings[i]; r.Open() && !r.Fetching {
			// Named by a request: whether it is listed does not matter.
			m.fetch(r, m.now, v.GiveUpAt)
		}
	}
}

// stopWaiting delivers what is known without its audio, which is fetched for a day more. Of a call
// that is not real nothing is told: anybody could have made its requests up.
func (m *machine) stopWaiting() {
	v := &m.s.Voicemail
	v.LookAt, v.GiveUpAt = time.Time{}, time.Time{}
	for i := range v.Recordings {
		if r := &v.Recordings[i]; r.Open() && m.real() {
			m.deliver(r)
			if len(m.questions) > 0 {
				return
			}
			m.fetch(r, m.now.Add(fetchPatience), m.now.Add(lateFetch))
		}
	}
	if m.s.Phase == call.PhaseAwaitingRecording {
		m.end(call.EndNoMessage, "what was recorded could not be found out")
	}
}

// transcription adds what was said to the alert, once for each recording.
func (m *machine) transcription() {
	v := &m.s.Voicemail
	if !v.Offered || m.e.Text == "" {
		return
	}
	// A recording that nothing else has named may be another call's.
	known := len(v.Recordings) == 0 || v.Recording(m.e.RecordingSid) != nil
	r := m.heardOf(m.e.RecordingSid)
	if r == nil || r.Transcribed || r.Transcript != "" {
		return
	}
	if !r.Told {
		r.Transcript = m.e.Text
	}
	if known {
		m.addTranscript(r, m.e.Text)
		return
	}
	// Nothing else told of this recording: whether it is the call's own, fetching it will show.
	v.GiveUpAt = m.now.Add(fetchPatience)
	m.fetch(r, m.now, v.GiveUpAt)
}

// addTranscript puts what was said on the alert. Hosts know the label, and delete the field with
// the recordings.
func (m *machine) addTranscript(r *call.Recording, text string) {
	r.Transcribed = true
	transcript := draft.TextField(integration.LabelTranscription, text)
	m.command(integration.AlertCommand{Kind: integration.AlertAddField, Field: &transcript})
}
