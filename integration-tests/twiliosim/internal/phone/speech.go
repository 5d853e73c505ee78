package phone

import (
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/audio"
)

const (
	// longestSpeech is how long somebody may speak whose end is not known yet.
	longestSpeech = 2 * time.Minute
	// wordless stands in the transcript for a voice whose words are not known.
	wordless = "(voice)"
)

// Says speaks words: they take time (Config.SpeechPerCharacter), are heard by whom the call is
// bridged to, and are recorded by a <Record>. It returns when they are spoken, or the call is over.
func (c *Call) Says(words string) { c.SpeaksFor(words, c.account().SpeechTime(words)) }

// SpeaksFor is Says with a length of its own.
func (c *Call) SpeaksFor(words string, d time.Duration) { c.speaks(words, d, nil) }

// SpeaksSound is Says with a sound: it takes the sound's time, is recorded as it is by a <Record>,
// and stands in the transcript as words.
func (c *Call) SpeaksSound(words string, sound audio.Sound) { c.speaks(words, sound.Length(), sound) }

func (c *Call) speaks(words string, d time.Duration, sound audio.Sound) {
	a := c.account()
	a.Lock()
	now := a.Clock.Now()
	if c.leg.Status == account.StatusInProgress {
		c.leg.Speech = account.Speech{Words: words, From: now, Until: now.Add(d)}
		if sound != nil {
			c.leg.Speech.Voice = &account.Utterance{From: now, Words: words, Sound: sound}
		}
		c.leg.SpokeLocked(words, "", d)
	}
	a.Unlock()
	c.await(now.Add(d), c.leg.IsOverLocked)
}

// BeginsToSpeak starts a speech whose words, sound and length StopsSpeaking will give, at most two
// minutes later.
func (c *Call) BeginsToSpeak() {
	a := c.account()
	a.Lock()
	defer a.Unlock()
	if c.leg.Status != account.StatusInProgress {
		return
	}
	now := a.Clock.Now()
	c.leg.Speech = account.Speech{From: now, Until: now.Add(longestSpeech), Voice: &account.Utterance{From: now}}
	c.leg.NotifyLocked()
}

// StopsSpeaking ends what BeginsToSpeak began; it reports false if nothing was begun. It may come
// when the call is over: a recording that is not completed yet has the sound all the same.
func (c *Call) StopsSpeaking(words string, sound audio.Sound) bool {
	a, leg := c.account(), c.leg
	a.Lock()
	defer a.Unlock()
	v := leg.Speech.Voice
	if v == nil || v.Sound != nil {
		return false
	}
	if words == "" {
		words = wordless
	}
	v.Words, v.Sound = words, sound
	if now := a.Clock.Now(); leg.Speech.Until.After(now) {
		leg.Speech.Until = now
	}
	leg.Speech.Words = words
	if leg.Status == account.StatusInProgress {
		leg.SpokeLocked(words, "microphone", sound.Length())
	}
	return true
}

// SpeaksUploaded speaks a sound: the one that BeginsToSpeak began, or else a new one, and it then
// takes the sound's time.
func (c *Call) SpeaksUploaded(words string, sound audio.Sound) {
	if c.StopsSpeaking(words, sound) {
		return
	}
	if words == "" {
		words = wordless
	}
	c.SpeaksSound(words, sound)
}
