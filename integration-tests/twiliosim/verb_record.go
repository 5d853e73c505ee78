package twiliosim

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

const (
	beepTime         = 500 * time.Millisecond
	transcribedMost  = 120 * time.Second // Twilio docs: voice/twiml/record, transcribe
	transcribedLeast = 2 * time.Second
)

// record records the caller. Source: Twilio docs, voice/twiml/record.
func (c *Call) record(d *document, n *node) (*step, error) {
	s := c.sim
	if _, given := n.attrs["action"]; !given && (d.liveUpdate || d.base == nil) {
		return nil, &problem{code: 11100, text: "<Record> needs an action in a document that changes a live call"}
	}
	action, _, err := c.actionOf(d, n, true)
	if err != nil {
		return nil, err
	}
	told := target{}
	if ref := n.attrs["recordingStatusCallback"]; ref != "" {
		if told.url, err = d.resolve(ref); err != nil {
			return nil, err
		}
		told.method = methodOr(n.attrs["recordingStatusCallbackMethod"], http.MethodPost)
	}
	transcription := target{}
	if ref := n.attrs["transcribeCallback"]; ref != "" {
		if transcription.url, err = d.resolve(ref); err != nil {
			return nil, err
		}
		transcription.method = http.MethodPost
	}
	transcribe := n.attrs["transcribe"] == "true"
	most := attrSeconds(n, "maxLength", 3600)
	if transcribe && most > transcribedMost {
		if n.attrs["maxLength"] != "" {
			s.report(c, &problem{code: 13615, warning: true, text: "<Record maxLength> is over 120 s with transcribe"})
			transcribe = false
		} else {
			most = transcribedMost
		}
	}
	if n.attr("playBeep", "true") == "true" {
		s.addEvent(c, Event{Kind: EventBeep, Duration: beepTime})
		if err := c.pause(beepTime, nil); err != nil {
			return nil, err
		}
	}
	r := s.newRecording(c, told, strings.Fields(n.attr("recordingStatusCallbackEvent", "completed")))
	r.trim = n.attr("trim", "trim-silence") == "trim-silence"
	r.transcribe, r.transcription = transcribe, transcription
	key, err := c.listen(r, n.attr("finishOnKey", "1234567890*#"), attrSeconds(n, "timeout", 5), most)
	if errors.Is(err, errClosed) {
		return nil, err
	}
	s.mu.Lock()
	length := s.stopRecordingLocked(r)
	s.mu.Unlock()
	s.spawn(func() { s.completeRecording(r) })
	params := values("RecordingUrl", s.mediaURL(r), "RecordingSid", r.sid, "RecordingDuration", wholeSeconds(length), "Digits", key)
	if errors.Is(err, errEnded) {
		params.Set("Digits", "hangup")
		c.fetchIgnored(action, params)
	}
	if err != nil {
		return nil, err
	}
	return &step{target: action, params: params}, nil
}

// listen waits for the end of a recording and returns the key that ended it.
func (c *Call) listen(r *recording, finish string, silence, most time.Duration) (string, error) {
	s := c.sim
	s.mu.Lock()
	c.keys, c.listening = nil, true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		c.listening, c.keys = false, nil
		s.mu.Unlock()
	}()
	for {
		s.mu.Lock()
		r.hearLocked(c.speech)
		deadline := r.started.Add(most)
		if quiet := r.lastSound().Add(silence); silence > 0 && quiet.Before(deadline) {
			deadline = quiet
		}
		known := c.speech
		s.mu.Unlock()
		key := rune(0)
		var why error
		got := s.await(c, deadline, func() bool {
			why, key = c.interruptLocked(), 0
			if why == nil && len(c.keys) > 0 {
				key, c.keys = c.keys[0], c.keys[1:]
			}
			return why != nil || key != 0 || c.speech != known
		})
		switch {
		case why != nil:
			return "", why
		case s.ctx.Err() != nil:
			return "", errClosed
		case !got:
			return "", nil
		case key != 0 && strings.ContainsRune(finish, key):
			return string(key), nil
		}
	}
}
