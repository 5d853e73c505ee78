package twiliosim

import "time"

// longestVoice is how long somebody may speak whose end is not told.
const longestVoice = 2 * time.Minute

// utterance is the sound of a speech. It may come after the speech has ended; sim.mu guards it.
type utterance struct {
	from  time.Time
	words string
	sound Sound
}

// SpeaksSound is Says with a sound: it takes the sound's time, is recorded as it is by a <Record>, and stands in the
// transcript as words.
func (c *Call) SpeaksSound(words string, sound Sound) {
	c.sim.mu.Lock()
	now, d := c.sim.clock.Now(), sound.Length()
	if c.status == StatusInProgress {
		c.speech = speech{words: words, from: now, until: now.Add(d), voice: &utterance{from: now, words: words, sound: sound}}
		c.spokeLocked(words, "", d)
	}
	c.sim.mu.Unlock()
	c.sim.await(c, now.Add(d), func() bool { return terminal(c.status) })
}

// BeginsToSpeak starts a speech whose words, sound and length StopsSpeaking will tell, at most two minutes later.
func (c *Call) BeginsToSpeak() {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	if c.status != StatusInProgress {
		return
	}
	now := c.sim.clock.Now()
	c.speech = speech{from: now, until: now.Add(longestVoice), voice: &utterance{from: now}}
	c.notifyLocked()
}

// StopsSpeaking ends what BeginsToSpeak began; false: nothing was begun. It may come when the call is over: a recording
// has the sound nevertheless, if it is not completed yet.
func (c *Call) StopsSpeaking(words string, sound Sound) bool {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	v := c.speech.voice
	if v == nil || v.sound != nil {
		return false
	}
	if words == "" {
		words = "(voice)"
	}
	v.words, v.sound = words, sound
	if now := c.sim.clock.Now(); c.speech.until.After(now) {
		c.speech.until = now
	}
	c.speech.words = words
	if c.status == StatusInProgress {
		c.spokeLocked(words, "microphone", sound.Length())
	}
	return true
}

// spokeLocked tells that the person spoke, to whom they talk to as well.
func (c *Call) spokeLocked(words, note string, d time.Duration) {
	c.sim.addEventLocked(c, Event{Kind: EventSpoke, Text: words, Note: note, Duration: d})
	if c.bridge != nil {
		c.sim.addEventLocked(c.bridge.other(c), Event{Kind: EventHeard, Text: words, Note: note, Peer: c.personNumber(), Duration: d})
	}
}

// RecordingSound is what a completed recording holds; false: there is no such recording, or it is not completed.
func (s *Sim) RecordingSound(sid string) (Sound, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.recordingLocked(sid)
	if r == nil || r.status != StatusCompleted || !r.expunged.IsZero() {
		return nil, false
	}
	return r.soundLocked(), true
}

// voicedLocked reports whether it holds somebody's voice, and not only words.
func (r *recording) voicedLocked() bool {
	for _, p := range r.parts {
		if p.voice != nil && len(p.voice.sound) > 0 {
			return true
		}
	}
	return false
}

// soundLocked puts together what was said: voices as they are; words without a sound as a soft tone; nothing of either,
// a soft tone for the whole length.
func (r *recording) soundLocked() Sound {
	if !r.voicedLocked() {
		return tone(r.length)
	}
	origin := r.started
	if r.trim && len(r.parts) > 0 {
		origin = r.parts[0].from
	}
	out := make(Sound, samples(r.length))
	for _, p := range r.parts {
		heard := tone(p.until.Sub(p.from))
		if p.voice != nil {
			heard = p.voice.sound.part(p.from.Sub(p.voice.from), p.until.Sub(p.voice.from))
		}
		if at := samples(p.from.Sub(origin)); at >= 0 && at < len(out) {
			copy(out[at:], heard)
		}
	}
	return out
}
