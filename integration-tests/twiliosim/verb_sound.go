package twiliosim

import (
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"
)

// endlessLoop is how often loop="0" repeats. Source: Twilio docs, voice/twiml/say, loop.
const endlessLoop = 1000

func loops(n *node) int {
	if n == nil {
		return 1
	}
	if k := attrInt(n, "loop", 1); k > 0 {
		return k
	}
	return endlessLoop
}

// say speaks words on the call. stop ends it early.
func (c *Call) say(words string, n *node, stop func() bool) error {
	words = strings.Join(strings.Fields(words), " ")
	if words == "" {
		return nil
	}
	d := c.sim.speechTime(words)
	note := ""
	if n != nil {
		note = strings.TrimSpace(n.attrs["voice"] + " " + n.attrs["language"])
	}
	for range loops(n) {
		c.sim.addEvent(c, Event{Kind: EventSaid, Text: words, Note: note, Duration: d})
		if err := c.pause(d, stop); err != nil || c.stopped(stop) {
			return err
		}
	}
	return nil
}

func (c *Call) stopped(stop func() bool) bool {
	if stop == nil {
		return false
	}
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	return stop()
}

// playVerb plays a file, or keys.
func (c *Call) playVerb(d *document, n *node, stop func() bool) error {
	if keys := n.attrs["digits"]; keys != "" {
		c.sim.addEvent(c, Event{Kind: EventTone, Text: keys})
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
		return c.pause(length, stop)
	}
	length, u, err := c.loadSound(d, n)
	if err != nil {
		var p *problem
		if errors.As(err, &p) && c.sim.cfg.Behaviour.PlayFailureContinues {
			c.sim.report(c, p)
			return nil
		}
		return err
	}
	for range loops(n) {
		c.sim.addEvent(c, Event{Kind: EventPlayed, URL: u, Duration: length})
		if err := c.pause(length, stop); err != nil || c.stopped(stop) {
			return err
		}
	}
	return nil
}

type cachedMedia struct {
	etag, modified string
	length         time.Duration
}

// conditional asks for a file only if it changed since it was cached. Source: Twilio docs, voice/twiml/play.
func (s *Sim) conditional(req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.media[req.URL.String()]
	if m.etag != "" {
		req.Header.Set("If-None-Match", m.etag)
	}
	if m.modified != "" {
		req.Header.Set("If-Modified-Since", m.modified)
	}
}

// loadSound fetches the file of a <Play>: GET, without the call's parameters.
func (c *Call) loadSound(d *document, n *node) (time.Duration, string, error) {
	s := c.sim
	u, err := d.resolve(n.text)
	if err != nil {
		return 0, "", err
	}
	a, err := c.fetch(webhook{on: OnMedia, call: c, target: target{u, http.MethodGet}})
	if err != nil {
		return 0, u, err
	}
	if a.status == http.StatusNotModified {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.media[a.final.String()].length, u, nil
	}
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil || !isAudio(kind) {
		return 0, u, &problem{code: 12300, text: "<Play> needs an audio Content-Type, got " + a.header.Get("Content-Type"), url: u}
	}
	m := cachedMedia{etag: a.header.Get("ETag"), modified: a.header.Get("Last-Modified"), length: s.audioLength(a.body, kind)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.media[a.final.String()] = m
	return m.length, u, nil
}
