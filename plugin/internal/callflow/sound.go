package callflow

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// firstDocument is how long the first wait document may take to fail: Twilio waits 15 s for a file.
const firstDocument = 30 * time.Second

// A sound file that Twilio cannot fetch or play ends the document that plays it. Twilio turns to
// the fallback address then, and the same document would fail again; if the answer from there
// fails, the call is over. So the first failure replaces the files of that document by our own
// music and words, for the rest of the call.

// playable reports whether a field holds a file that was not found dead in this call.
func (m *machine) playable(k reply.PromptKey) bool {
	_, file := m.c.Sounds[k]
	return file && !slices.Contains(m.s.Dead, k)
}

// replaceSounds replaces the files of a document that failed. before is the state as it was when
// Twilio asked at the fallback address. It runs after the answer was decided, as it looks at what
// the answer plays.
func (m *machine) replaceSounds(before call.State) {
	if !m.e.Fallback || len(m.questions) > 0 || before.Phase == "" || m.row.answer == nil {
		return
	}
	if _, refused := m.reply.(reply.Refused); refused {
		return
	}
	if leg := m.s.LegIn(call.LegTalking); leg != nil && before.Phase == call.PhaseTalking && m.playable(reply.PromptBeforeConnect) && (m.announceBroke() || !m.talkedSince(leg)) {
		m.s.AnnounceFailed = true
	}
	certain := m.soundsAt(m.e.ErrorURL)
	for _, k := range certain {
		m.soundFailed(k, "Twilio could not fetch or play it"+m.errorCode()+".")
	}
	// The same document again: nothing has changed since it was given.
	again := before.Step == m.s.Step && (before.Phase != call.PhaseLeavingMessage || before.Voicemail.Offered)
	if len(certain) == 0 && (!again || m.e.FailedRequest == event.MenuKeys) {
		return
	}
	// All files of the document, where Twilio does not say which: one of them it was, and each
	// further failure may end the call.
	for _, p := range said(m.reply) {
		if !m.playable(p.Key) {
			continue
		}
		m.s.Dead = append(m.s.Dead, p.Key)
		if len(certain) == 0 {
			m.soundFinding(p.Key, integration.FindingWarning, "Twilio could not finish a document that plays it"+m.errorCode()+".")
		}
	}
}

// errorCode is Twilio's code in parentheses, for the end of a sentence; "" if there is none.
func (m *machine) errorCode() string {
	if m.e.Code == "" {
		return ""
	}
	return " (error " + m.e.Code + ")"
}

// said lists what a document says or plays before it goes on. The wait document and the
// announcement are seen to by functions of their own.
func said(r reply.Reply) []reply.Prompt {
	switch v := r.(type) {
	case reply.Hangup:
		return v.Say
	case reply.Menu:
		return v.Intro
	case reply.Enqueue:
		return v.Say
	case reply.Record:
		return v.Say
	}
	return nil
}

// soundsAt finds the fields whose file an address is, in the order of their keys: a map has none.
// One file may be in several fields, and is as dead in each of them.
func (m *machine) soundsAt(address string) (fields []reply.PromptKey) {
	if address == "" {
		return nil
	}
	for k, s := range m.c.Sounds {
		if slices.ContainsFunc(s.URLs, func(u string) bool { return sameAddress(u, address) }) {
			fields = append(fields, k)
		}
	}
	slices.Sort(fields)
	return fields
}

// sameAddress compares addresses as they are fetched: without a fragment, however they are escaped.
func sameAddress(a, b string) bool {
	plain := func(s string) string {
		s, _, _ = strings.Cut(strings.TrimSpace(s), "#")
		if u, err := url.Parse(s); err == nil {
			return u.String()
		}
		return s
	}
	return plain(a) == plain(b)
}

// soundFailed replaces a field's file for the rest of the call, once.
func (m *machine) soundFailed(k reply.PromptKey, why string) {
	if !m.playable(k) {
		return
	}
	m.s.Dead = append(m.s.Dead, k)
	m.soundFinding(k, integration.FindingError, why)
}

// soundFinding tells the story and the form that a file was replaced. Its code has the field's
// name, so each field has a finding of its own.
func (m *machine) soundFinding(k reply.PromptKey, severity integration.FindingSeverity, why string) {
	s := m.c.Sounds[k]
	address := ""
	if len(s.URLs) > 0 {
		address = " (" + s.URLs[0] + ")"
	}
	m.log(s.Title+address+" was replaced by our own sound for this call: "+why, "")
	m.emit(integration.Finding{Code: effect.FindingSound + string(k), Severity: severity, Field: string(k), At: m.now,
		Message: s.Title + address + " was replaced by our own sound during a call: " + why + " Check that the address serves a sound file, or upload the file."})
}

// holdSoundFailed replaces the files of the wait document where the stay in the queue ended with an
// error. Twilio names no address there. It reports whether there was anything to replace: such an
// error is not the queue's.
func (m *machine) holdSoundFailed() bool {
	if m.e.Kind != event.Left || m.e.QueueResult != "error" && m.e.QueueResult != "system-error" {
		return false
	}
	const why = "the queue ended with an error while it was to be played."
	music, wait := m.playable(reply.PromptMusic), m.playable(reply.PromptPleaseWait)
	wait = wait && m.s.Hold.PleaseWait && m.e.QueueTime < firstDocument && m.now.Sub(m.s.Hold.Since) < 2*firstDocument
	if music {
		m.soundFailed(reply.PromptMusic, why)
	}
	if wait {
		m.soundFailed(reply.PromptPleaseWait, why)
		m.s.Hold.PleaseWait = false // said in our own words now
	}
	return music || wait
}

// announceBroke reports whether Twilio says that the announcement, or its file, could not be used.
// The two were not joined then, however long Twilio tried: the bridge follows the announcement.
func (m *machine) announceBroke() bool {
	return m.e.Fallback && (m.e.FailedRequest == event.Announce || slices.Contains(m.soundsAt(m.e.ErrorURL), reply.PromptBeforeConnect))
}

// announceSoundFailed replaces the announcement's file where the queue ended with an error instead
// of a conversation. How long that took says nothing: Twilio may try a file for longer than the
// shortest conversation, and a queue that ends with an error has joined nobody.
func (m *machine) announceSoundFailed(leg *call.Leg) bool {
	if m.s.Phase != call.PhaseTalking || m.e.Kind != event.Left || m.e.QueueResult != "error" || leg == nil || !m.playable(reply.PromptBeforeConnect) {
		return false
	}
	m.soundFailed(reply.PromptBeforeConnect, "the queue ended with an error while it was to be played.")
	m.s.AnnounceFailed = true
	m.awaitVerdict()
	return true
}

// announceAgain connects the two once more, without the file of the announcement, where that may be
// what kept them apart: the announcement was asked for, they were not joined, and both are still
// there. False: it was something else, and is judged as any end of a connection.
func (m *machine) announceAgain(leg *call.Leg) bool {
	if leg.State != call.LegTalking || m.e.Bridged != event.BridgeNo || !m.s.GoneAt.IsZero() || !m.s.AnnounceFailed && !m.playable(reply.PromptBeforeConnect) {
		return false
	}
	if m.playable(reply.PromptBeforeConnect) {
		m.s.Dead = append(m.s.Dead, reply.PromptBeforeConnect)
	}
	asked := m.s.AnnounceFailed // the caller asked for a document since, and was given the queue
	m.s.AnnounceFailed = false
	m.backFromTalk()
	leg.State, leg.TakingAt, leg.DueAt, leg.Looks = call.LegTaking, m.now, m.now.Add(takeLimit), 0
	m.enter(call.PhaseConnecting)
	if !asked {
		m.s.Hold.Step = m.s.Step
	}
	m.reply = m.legDocument()
	return true
}
