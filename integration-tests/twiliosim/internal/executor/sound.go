package executor

import (
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/audio"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/fault"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/twiml"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// endlessLoop is how often loop="0" repeats. Source: Twilio docs, voice/twiml/say, loop.
const endlessLoop = 1000

// loops returns how often an element is played; nil stands for words without an element.
func loops(n *twiml.Node) int {
	if n == nil {
		return 1
	}
	if k := n.Int("loop", 1); k > 0 {
		return k
	}
	return endlessLoop
}

// isTrue asks a condition that wants the lock; nil: it is false.
func (r runner) isTrue(condition func() bool) bool {
	if condition == nil {
		return false
	}
	r.Account.Lock()
	defer r.Account.Unlock()
	return condition()
}

// repeat plays something that the event describes, loops times. stop (may be nil) ends it early.
func (r runner) repeat(e transcript.Event, loops int, stop func() bool) error {
	for range loops {
		r.Account.AddEvent(r.Call, e)
		if err := r.Pause(e.Duration, stop); err != nil || r.isTrue(stop) {
			return err
		}
	}
	return nil
}

// say speaks words on the call. Source: Twilio docs, voice/twiml/say.
func (r runner) say(words string, n *twiml.Node, stop func() bool) error {
	words = strings.Join(strings.Fields(words), " ")
	if words == "" {
		return nil
	}
	note := ""
	if n != nil {
		note = strings.TrimSpace(n.Attrs["voice"] + " " + n.Attrs["language"])
	}
	return r.repeat(transcript.Event{Kind: transcript.Said, Text: words, Note: note, Duration: r.Account.SpeechTime(words)}, loops(n), stop)
}

// play plays a file, or keys. Source: Twilio docs, voice/twiml/play.
func (r runner) play(d *document, n *twiml.Node, stop func() bool) error {
	a := r.Account
	if keys := n.Attrs["digits"]; keys != "" {
		a.AddEvent(r.Call, transcript.Event{Kind: transcript.Tone, Text: keys})
		return r.Pause(keysTime(keys), stop)
	}
	// A file that cannot be fetched sends the call to its fallback URL; whether Twilio would rather
	// skip it is not documented.
	length, u, err := r.loadSound(d, n)
	if err != nil {
		var p *problem.Problem
		if errors.As(err, &p) && a.Config.Behaviour.PlayFailureContinues {
			a.Report(r.Call, p)
			return nil
		}
		if p != nil && a.Config.Behaviour.PlayFailureNamesDocument && d.base != nil {
			p.URL = d.base.String()
		}
		return err
	}
	return r.repeat(transcript.Event{Kind: transcript.Played, URL: u, Duration: length}, loops(n), stop)
}

// keysTime is how long keys take: w waits half a second, W one (Twilio docs: voice/twiml/play,
// digits). A key's own 200 ms are an assumption.
func keysTime(keys string) time.Duration {
	var length time.Duration
	for _, k := range keys {
		switch k {
		case 'w':
			length += 500 * time.Millisecond
		case 'W':
			length += time.Second
		default:
			length += 200 * time.Millisecond
		}
	}
	return length
}

// cachedMedia is what is kept of a file: enough to ask whether it has changed, and its length.
type cachedMedia struct {
	etag, modified string
	length         time.Duration
}

// conditional asks for a file only if it changed since it was cached. Source: Twilio docs,
// voice/twiml/play.
func (x *Executor) conditional(req *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	m := x.media[req.URL.String()]
	if m.etag != "" {
		req.Header.Set("If-None-Match", m.etag)
	}
	if m.modified != "" {
		req.Header.Set("If-Modified-Since", m.modified)
	}
}

// soundLength returns how long a sound file plays, Config.AudioLength where that is unknown.
func (x *Executor) soundLength(body []byte, kind string) time.Duration {
	if d := audio.Length(body, kind); d > 0 {
		return d
	}
	return x.account.Config.AudioLength
}

// loadSound fetches the file of a <Play>: GET, without the call's parameters.
func (r runner) loadSound(d *document, n *twiml.Node) (time.Duration, string, error) {
	x := r.executor
	u, err := d.resolve(n.Text)
	if err != nil {
		return 0, "", err
	}
	got, err := r.Fetch(webhook.Request{On: fault.OnMedia, Target: webhook.Target{URL: u, Method: http.MethodGet}, Prepare: x.conditional})
	if err != nil {
		return 0, u, err
	}
	if got.Status == http.StatusNotModified { // an answer to what conditional asked
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.media[got.Final.String()].length, u, nil
	}
	kind, _, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil || !audio.Playable(kind) {
		return 0, u, &problem.Problem{Code: 12300, Text: "<Play> needs an audio Content-Type, got " + got.Header.Get("Content-Type"), URL: u}
	}
	m := cachedMedia{etag: got.Header.Get("ETag"), modified: got.Header.Get("Last-Modified"), length: x.soundLength(got.Body, kind)}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.media[got.Final.String()] = m
	return m.length, u, nil
}
