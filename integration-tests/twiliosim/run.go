package twiliosim

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// applicationError is what Twilio says when a document cannot be had and there is no fallback; it takes about four
// seconds. The words are from memory.
const (
	applicationError     = "We are sorry, an application error has occurred. Goodbye."
	applicationErrorTime = 4 * time.Second
)

// step is the next document of a call: to be fetched, or given inline.
type step struct {
	target
	params   url.Values
	twiml    string
	inline   bool
	live     bool // it is a REST update of a live call
	fallback bool // it is the fallback URL
}

// run executes documents until the call is over, and tells its end.
func (c *Call) run(first step) {
	defer c.finish()
	st := first
	for {
		next, err := c.perform(st, modeCall)
		var p *problem
		switch {
		case err == nil && next != nil:
			st = *next
		case err == nil, errors.Is(err, errHangup):
			c.end(StatusCompleted)
			return
		case errors.Is(err, errRedirected):
			st = c.takePending()
		case errors.As(err, &p):
			c.sim.report(c, p)
			fallback, ok := c.fallbackStep(p, st.fallback)
			if !ok {
				c.apologise()
				return
			}
			st = fallback
		default:
			return // over, or the simulator was closed
		}
	}
}

func (c *Call) takePending() step {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	i := c.pending
	c.pending = nil
	if i == nil { // the update was taken back by the call's end; the next look sees that
		return step{inline: true, twiml: "<Response/>"}
	}
	return step{target: i.target, twiml: i.twiml, inline: i.twiml != "", live: true}
}

func (c *Call) fallbackStep(p *problem, failedTwice bool) (step, bool) {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	if failedTwice || c.fallback.url == "" {
		return step{}, false
	}
	return step{target: c.fallback, params: values("ErrorCode", strconv.Itoa(p.code), "ErrorUrl", p.url), fallback: true}, true
}

// apologise speaks the application error and hangs up.
func (c *Call) apologise() {
	c.answer()
	c.sim.addEvent(c, Event{Kind: EventSaid, Text: applicationError, Note: "Twilio"})
	if err := c.pause(applicationErrorTime, nil); err == nil || errors.Is(err, errRedirected) {
		c.end(StatusCompleted)
	}
}

// answer connects an inbound call that still rings.
func (c *Call) answer() {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	if c.Direction == DirectionInbound && c.status == StatusRinging {
		c.setStatusLocked(StatusInProgress)
	}
}

// perform gets a document and executes it. It returns the next step; none: the document ended.
func (c *Call) perform(st step, m mode) (*step, error) {
	if st.inline {
		return c.document([]byte(st.twiml), &document{mode: m, liveUpdate: st.live})
	}
	a, err := c.fetch(c.request(st.target, st.params))
	if err != nil {
		return nil, err
	}
	base := *a.final
	doc := &document{mode: m, base: &base, liveUpdate: st.live}
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		return nil, &problem{code: 12300, text: fmt.Sprintf("Content-Type %q: want text/xml", a.header.Get("Content-Type")), url: a.final.String()}
	}
	switch {
	case kind == "text/xml" || kind == "application/xml" || kind == "text/html":
	case isAudio(kind):
		c.answer()
		return nil, c.soundDocument(a, kind, m)
	case kind == "text/plain":
		if _, err := parseTwiML(a.body); err != nil {
			c.answer()
			if err := c.say(string(a.body), nil, nil); err != nil {
				return nil, err
			}
			return nil, errHangup
		}
	default:
		return nil, &problem{code: 12300, text: "Content-Type " + kind, url: a.final.String()}
	}
	if len(a.body) > largestDocument {
		return nil, &problem{code: 11750, text: fmt.Sprintf("document has %d bytes, at most %d", len(a.body), largestDocument), url: a.final.String()}
	}
	return c.document(a.body, doc)
}

// soundDocument plays a sound file that came instead of a document: once and hang up, or in a loop where one waits.
func (c *Call) soundDocument(a *answer, kind string, m mode) error {
	d := c.sim.audioLength(a.body, kind)
	for {
		c.sim.addEvent(c, Event{Kind: EventPlayed, URL: a.final.String(), Duration: d})
		if err := c.pause(d, nil); err != nil {
			return err
		}
		if m != modeWait {
			return errHangup
		}
	}
}

// document parses, validates and executes.
func (c *Call) document(body []byte, d *document) (*step, error) {
	where := ""
	if d.base != nil {
		where = d.base.String()
	}
	root, err := parseTwiML(body)
	if err != nil {
		var p *problem
		if errors.As(err, &p) {
			p.url = where
		}
		return nil, err
	}
	d.root = root
	if d.mode == modeWait && len(root.children) == 0 {
		c.sim.report(c, &problem{warning: true, text: "a wait document without verbs is asked for again at once: play or pause a few seconds", url: where})
	}
	found := validate(root)
	for i := range found {
		found[i].url = where
		c.sim.report(c, &found[i].problem)
	}
	return c.exec(d)
}

// exec runs the verbs of a document, top to bottom.
func (c *Call) exec(d *document) (*step, error) {
	for i, n := range d.root.children {
		if err := c.interrupt(); err != nil {
			return nil, err
		}
		if n.fault != nil {
			c.answer()
			return nil, n.fault
		}
		if list, limited := allowedVerbs[d.mode]; limited && !strings.Contains(list, " "+n.name+" ") {
			p := &problem{code: 12200, warning: true, text: fmt.Sprintf("<%s> is not allowed in a %v document", n.name, d.mode)}
			if d.mode == modeWhisper && n.name == "Dial" {
				p = &problem{code: 13201, text: "<Dial> in a whisper document"}
			}
			c.sim.report(c, p)
			if p.code == 13201 || d.mode == modeWait && !c.sim.cfg.Behaviour.WaitVerbContinues {
				return nil, p
			}
			continue
		}
		if !grammar[n.name].simulated {
			return nil, &problem{text: fmt.Sprintf("twiliosim does not simulate <%s>", n.name)}
		}
		if !(i == 0 && (n.name == "Reject" || n.name == "Pause") || n.name == "Redirect" || n.name == "Dial" && n.attrs["answerOnBridge"] == "true") {
			c.answer()
		}
		next, err := c.verb(d, n, i)
		if err != nil || next != nil {
			return next, err
		}
	}
	return nil, nil
}

// verb executes one verb. A step ends the document; nil: the next verb.
func (c *Call) verb(d *document, n *node, at int) (*step, error) {
	switch n.name {
	case "Say":
		return nil, c.say(n.allText(), n, nil)
	case "Play":
		return nil, c.playVerb(d, n, nil)
	case "Pause":
		return nil, c.pause(attrSeconds(n, "length", 1), nil)
	case "Gather":
		return c.gather(d, n)
	case "Record":
		return c.record(d, n)
	case "Enqueue":
		return c.enqueue(d, n)
	case "Dial":
		return c.dial(d, n)
	case "Redirect":
		u, err := d.resolve(n.text)
		if err != nil {
			return nil, err
		}
		return &step{target: target{u, methodOr(n.attrs["method"], http.MethodPost)}}, nil
	case "Leave":
		if d.mode == modeWait {
			return nil, errLeave
		}
		return nil, nil
	case "Reject":
		status := StatusNoAnswer
		if n.attrs["reason"] == "busy" {
			status = StatusBusy
		}
		if at > 0 || c.Status() != StatusRinging {
			c.sim.report(c, &problem{code: 12200, warning: true, text: "<Reject> must be the first verb of an unanswered call"})
			status = StatusCompleted
		}
		c.end(status)
		return nil, errEnded
	case "Hangup":
		return nil, errHangup
	}
	return nil, &problem{text: fmt.Sprintf("twiliosim does not simulate <%s>", n.name)}
}

// actionOf is the URL that a verb asks for when it is done; ok false: the verb has none. With orCurrent the current
// document is asked for again.
func (c *Call) actionOf(d *document, n *node, orCurrent bool) (target, bool, error) {
	ref, given := n.attrs["action"]
	if !given && !orCurrent {
		return target{}, false, nil
	}
	u, err := d.resolve(ref)
	if err != nil {
		return target{}, false, err
	}
	return target{u, methodOr(n.attrs["method"], http.MethodPost)}, true, nil
}

func attrSeconds(n *node, name string, fallback int) time.Duration {
	if v, err := strconv.Atoi(n.attrs[name]); err == nil {
		return time.Duration(v) * time.Second
	}
	return time.Duration(fallback) * time.Second
}

func attrInt(n *node, name string, fallback int) int {
	if v, err := strconv.Atoi(n.attrs[name]); err == nil {
		return v
	}
	return fallback
}
