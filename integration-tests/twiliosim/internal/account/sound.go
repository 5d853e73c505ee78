package account

import (
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/audio"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
)

// Speech is what a person says at the moment, or said last.
type Speech struct {
	Words string
	From  time.Time
	Until time.Time
	Voice *Utterance // nil: words alone
}

// Utterance is the sound of a speech. It may come after the speech has ended; the account's lock
// guards it.
type Utterance struct {
	From  time.Time
	Words string
	Sound audio.Sound // nil: it is still being spoken
}

// SpeechTime returns how long words take to speak.
func (a *Account) SpeechTime(words string) time.Duration {
	d := time.Duration(len([]rune(strings.TrimSpace(words)))) * a.Config.SpeechPerCharacter
	return max(d, 200*time.Millisecond)
}

// SpokeLocked records that the person spoke, and that whom they talk to heard it.
func (c *Call) SpokeLocked(words, note string, d time.Duration) {
	c.Account.AddEventLocked(c, transcript.Event{Kind: transcript.Spoke, Text: words, Note: note, Duration: d})
	if c.Bridge != nil {
		c.Account.AddEventLocked(c.Bridge.Other(c), transcript.Event{Kind: transcript.Heard, Text: words, Note: note, Peer: c.PersonNumber(), Duration: d})
	}
}

// RecordingSound returns what a completed recording holds; false if there is no such recording, or
// it is not completed.
func (a *Account) RecordingSound(sid string) (audio.Sound, bool) {
	a.Lock()
	defer a.Unlock()
	r := a.RecordingLocked(sid)
	if r == nil || r.Status != RecordingCompleted || !r.Deleted.IsZero() {
		return nil, false
	}
	return r.SoundLocked(), true
}

// HasVoiceLocked reports whether the recording holds somebody's voice, and not only words.
func (r *Recording) HasVoiceLocked() bool {
	for _, s := range r.speeches {
		if s.Voice != nil && len(s.Voice.Sound) > 0 {
			return true
		}
	}
	return false
}

// SoundLocked puts together what was said: voices as they are, words without a sound as a soft
// tone, and if there is no voice at all a soft tone for the whole length.
func (r *Recording) SoundLocked() audio.Sound {
	if !r.HasVoiceLocked() {
		return audio.Tone(r.Length)
	}
	origin := r.Started
	if r.plan.Trim && len(r.speeches) > 0 {
		origin = r.speeches[0].From
	}
	out := make(audio.Sound, audio.Samples(r.Length))
	for _, s := range r.speeches {
		heard := audio.Tone(s.Until.Sub(s.From))
		if s.Voice != nil {
			heard = s.Voice.Sound.Part(s.From.Sub(s.Voice.From), s.Until.Sub(s.Voice.From))
		}
		if at := audio.Samples(s.From.Sub(origin)); at >= 0 && at < len(out) {
			copy(out[at:], heard)
		}
	}
	return out
}
