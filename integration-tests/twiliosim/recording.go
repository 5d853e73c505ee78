package twiliosim

import (
	"strconv"
	"strings"
	"time"
)

// recording is a Recording resource and its sound. Guarded by sim.mu once it is listed.
type recording struct {
	sid      string
	call     *Call
	started  time.Time
	stopped  time.Time
	updated  time.Time
	status   string // in-progress, processing, completed, absent
	code     int    // error_code of an absent one
	length   time.Duration
	parts    []speech // what was said while it ran
	told     target
	events   map[string]bool
	trim     bool
	expunged time.Time // deleted by REST

	transcribe    bool
	transcription target
}

func (s *Sim) newRecording(c *Call, told target, events []string) *recording {
	now := s.clock.Now()
	r := &recording{sid: newSid("RE"), call: c, started: now, updated: now, status: StatusInProgress, told: told, events: map[string]bool{}}
	for _, e := range events {
		r.events[e] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recordings = append(s.recordings, r)
	s.addEventLocked(c, Event{Kind: EventRecording, Text: r.status, Note: r.sid})
	s.tellRecordingLocked(r)
	return r
}

// hearLocked notes what the person says, if it is new and within the recording.
func (r *recording) hearLocked(said speech) {
	if said.until.Before(r.started) || said.from.IsZero() {
		return
	}
	if said.from.Before(r.started) {
		said.from = r.started
	}
	if k := len(r.parts); k > 0 && r.parts[k-1].from.Equal(said.from) {
		r.parts[k-1] = said // its end may be known by now
		return
	}
	r.parts = append(r.parts, said)
}

func (r *recording) lastSound() time.Time {
	at := r.started
	for _, p := range r.parts {
		if p.until.After(at) {
			at = p.until
		}
	}
	return at
}

// stopRecordingLocked ends the recording; it returns its length before silence is cut off.
func (s *Sim) stopRecordingLocked(r *recording) time.Duration {
	now := s.clock.Now()
	r.hearLocked(r.call.speech)
	r.stopped, r.updated, r.status = now, now, "processing"
	for i := range r.parts {
		if r.parts[i].until.After(now) {
			r.parts[i].until = now
		}
	}
	s.addEventLocked(r.call, Event{Kind: EventRecording, Text: r.status, Note: r.sid})
	return now.Sub(r.started)
}

// completeRecording makes the recording available, or absent, and tells so.
func (s *Sim) completeRecording(r *recording) {
	if !s.sleep(s.cfg.Behaviour.RecordingDelay) {
		return
	}
	s.mu.Lock()
	r.length = r.stopped.Sub(r.started)
	if r.trim && len(r.parts) > 0 {
		r.length = r.lastSound().Sub(r.parts[0].from)
	}
	r.status = StatusCompleted
	switch {
	case r.length < s.cfg.Behaviour.ShortestRecording:
		r.status, r.code = "absent", 16101
	case len(r.parts) == 0 && !s.cfg.Behaviour.KeepSilentRecordings:
		r.status, r.code = "absent", 16102
	}
	r.updated = s.clock.Now()
	s.addEventLocked(r.call, Event{Kind: EventRecording, Text: r.status, Note: r.sid, Code: r.code})
	s.tellRecordingLocked(r)
	kept, length := r.status == StatusCompleted, r.length
	s.mu.Unlock()
	if !r.transcribe || !kept {
		return
	}
	if length <= transcribedLeast || length >= transcribedMost {
		s.report(r.call, &problem{code: 13617, warning: true, injected: true, text: "recording of " + length.String() + " is too short or too long to be transcribed"})
		return
	}
	if r.transcription.url == "" || !s.sleep(s.cfg.Behaviour.TranscriptionDelay) {
		return
	}
	s.deliver(s.transcribed(r))
}

// transcribed is the request to the transcribeCallback.
func (s *Sim) transcribed(r *recording) webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	params := r.call.parametersLocked()
	status, text := "completed", r.wordsLocked()
	if s.cfg.Behaviour.TranscriptionFails {
		status, text = "failed", ""
	}
	tr := newSid("TR")
	for k, v := range map[string]string{
		"TranscriptionSid": tr, "TranscriptionText": text, "TranscriptionStatus": status, "TranscriptionType": "fast",
		"TranscriptionUrl": s.mediaURL(r) + "/Transcriptions/" + tr, "RecordingSid": r.sid, "RecordingUrl": s.mediaURL(r),
	} {
		params.Set(k, v)
	}
	return webhook{on: OnCallback, call: r.call, target: r.transcription, params: params}
}

func (r *recording) wordsLocked() string {
	var words []string
	for _, p := range r.parts {
		if p.voice != nil {
			p.words = p.voice.words
		}
		words = append(words, p.words)
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// tellRecordingLocked sends the recordingStatusCallback for the present status, if subscribed.
func (s *Sim) tellRecordingLocked(r *recording) {
	if r.told.url == "" || !r.events[r.status] {
		return
	}
	params := values("AccountSid", s.cfg.AccountSid, "CallSid", r.call.Sid, "RecordingSid", r.sid, "RecordingUrl", s.mediaURL(r),
		"RecordingStatus", r.status, "RecordingDuration", wholeSeconds(r.length), "RecordingChannels", "1", "RecordingSource", "RecordVerb",
		"RecordingStartTime", stamp(r.started), "RecordingTrack", "inbound", "ErrorCode", strconv.Itoa(r.code))
	w := webhook{on: OnCallback, call: r.call, target: r.told, params: params}
	s.spawn(func() { s.deliver(w) })
}
