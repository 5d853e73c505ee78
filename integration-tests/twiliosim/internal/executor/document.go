package executor

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/audio"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/twiml"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// document is a TwiML document in execution. It belongs to one call.
type document struct {
	root *twiml.Node
	base *url.URL // of relative URLs; nil: the document came inline by REST
	mode twiml.Mode
	// liveUpdate says that it is the first document after a REST update of a live call.
	liveUpdate bool
}

// resolve makes an absolute URL of one that stands in this document. Twilio does not resolve host
// names with underscores. Source: Twilio docs, api/errors/11100, api/errors/15004.
func (d *document) resolve(ref string) (string, error) {
	ref = strings.TrimSpace(ref)
	u, err := url.Parse(ref)
	if err != nil {
		return "", &problem.Problem{Code: 11100, Text: "invalid URL", URL: ref}
	}
	if u.IsAbs() {
		if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
			return "", &problem.Problem{Code: 11100, Text: "invalid URL", URL: ref}
		}
		if strings.Contains(u.Hostname(), "_") {
			return "", &problem.Problem{Code: 11100, Text: "invalid URL: underscore in the host name", URL: ref}
		}
		return ref, nil
	}
	if d.base == nil {
		return "", &problem.Problem{Code: 15004, Text: "relative URL in TwiML given by REST: an absolute one is needed", URL: ref}
	}
	if ref == "" {
		return d.base.String(), nil // the document itself
	}
	return d.base.ResolveReference(u).String(), nil
}

// target returns what an attribute of a verb names, with the method that another gives.
func (d *document) target(n *twiml.Node, attribute, method string) (webhook.Target, error) {
	u, err := d.resolve(n.Attrs[attribute])
	if err != nil {
		return webhook.Target{}, err
	}
	return webhook.Target{URL: u, Method: webhook.MethodOr(n.Attrs[method], http.MethodPost)}, nil
}

// optionalTarget is target, or no target without the attribute.
func (d *document) optionalTarget(n *twiml.Node, attribute, method string) (webhook.Target, error) {
	if n.Attrs[attribute] == "" {
		return webhook.Target{}, nil
	}
	return d.target(n, attribute, method)
}

// action returns the URL that a verb requests when it is done; ok is false if the verb has none.
func (d *document) action(n *twiml.Node) (t webhook.Target, ok bool, err error) {
	if _, given := n.Attrs["action"]; !given {
		return t, false, nil
	}
	t, err = d.target(n, "action", "method")
	return t, err == nil, err
}

// perform fetches a document, if it is not given, and executes it. It returns the next step; nil:
// the document ended. Errors are a *problem.Problem, for which the fallback is asked, or a reason
// of package account.
func (r runner) perform(st step, mode twiml.Mode) (*step, error) {
	if st.TwiML != "" {
		return r.document([]byte(st.TwiML), &document{mode: mode, liveUpdate: st.liveUpdate})
	}
	got, err := r.Fetch(r.Request(st.Target, st.params))
	if err != nil {
		return nil, err
	}
	where := got.Final.String()
	kind, _, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil {
		return nil, &problem.Problem{Code: 12300, Text: fmt.Sprintf("Content-Type %q: want text/xml", got.Header.Get("Content-Type")), URL: where}
	}
	// The header alone decides what the content is, except for plain text. Source: Twilio docs,
	// voice/twiml, MIME types.
	switch {
	case kind == "text/xml" || kind == "application/xml" || kind == "text/html":
	case audio.Playable(kind):
		r.answer()
		return nil, r.soundDocument(got, kind, mode)
	case kind == "text/plain":
		if _, err := twiml.Parse(got.Body); err != nil { // words to be spoken, unless it is TwiML
			r.answer()
			if err := r.say(string(got.Body), nil, nil); err != nil {
				return nil, err
			}
			return nil, errHangup
		}
	default:
		return nil, &problem.Problem{Code: 12300, Text: "Content-Type " + kind, URL: where}
	}
	if len(got.Body) > twiml.LargestDocument {
		return nil, &problem.Problem{Code: 11750, Text: fmt.Sprintf("document has %d bytes, at most %d", len(got.Body), twiml.LargestDocument), URL: where}
	}
	base := *got.Final
	return r.document(got.Body, &document{mode: mode, base: &base, liveUpdate: st.liveUpdate})
}

// soundDocument plays a sound file that came instead of a document: once and hang up, or in a loop
// for a call that waits.
func (r runner) soundDocument(got *webhook.Answer, kind string, mode twiml.Mode) error {
	d := r.executor.soundLength(got.Body, kind)
	for {
		r.Account.AddEvent(r.Call, transcript.Event{Kind: transcript.Played, URL: got.Final.String(), Duration: d})
		if err := r.Pause(d, nil); err != nil {
			return err
		}
		if mode != twiml.ModeWait {
			return errHangup
		}
	}
}

// document parses, validates and executes.
func (r runner) document(body []byte, d *document) (*step, error) {
	where := ""
	if d.base != nil {
		where = d.base.String()
	}
	root, err := twiml.Parse(body)
	if err != nil {
		var p *problem.Problem
		if errors.As(err, &p) {
			p.URL = where
		}
		return nil, err
	}
	d.root = root
	if d.mode == twiml.ModeWait && len(root.Children) == 0 {
		r.Account.Report(r.Call, &problem.Problem{Warning: true, Text: "a wait document without verbs is requested again at once: play or pause a few seconds", URL: where})
	}
	// The whole document is validated before its first verb, so that a test learns of a mistake in
	// a part that its call never reached.
	for _, p := range twiml.Validate(root) {
		p.URL = where
		r.Account.Report(r.Call, p)
	}
	return r.execute(d)
}

// execute runs the verbs of a document, top to bottom.
func (r runner) execute(d *document) (*step, error) {
	for i, n := range d.root.Children {
		if err := r.Interrupt(); err != nil {
			return nil, err
		}
		if n.Fatal != nil {
			// A fatal mistake ends the document here, not before: the verbs above it have run. The
			// caller hears the apology, for which the call must be answered.
			r.answer()
			return nil, n.Fatal
		}
		if !d.mode.Allows(n.Name) {
			if p := r.refuseVerb(d.mode, n); p != nil {
				return nil, p
			}
			continue
		}
		if !twiml.Simulated(n.Name) {
			return nil, notSimulated(n.Name)
		}
		if answersCall(n, i == 0) {
			r.answer()
		}
		next, err := r.verb(d, n, i == 0)
		if err != nil || next != nil {
			return next, err
		}
	}
	return nil, nil
}

// refuseVerb reports a verb that a document of this kind may not hold. It returns the problem if
// the document ends here, nil if the verb is skipped.
func (r runner) refuseVerb(mode twiml.Mode, n *twiml.Node) error {
	p := &problem.Problem{Code: 12200, Warning: true, Text: fmt.Sprintf("<%s> is not allowed in a %v document", n.Name, mode)}
	if mode == twiml.ModeWhisper && n.Name == "Dial" {
		p = &problem.Problem{Code: 13201, Text: "<Dial> in a whisper document"}
	}
	r.Account.Report(r.Call, p)
	// The end of a wait document shows as QueueResult=error. Elsewhere Twilio skips the verb.
	if p.Code == 13201 || mode == twiml.ModeWait && !r.Account.Config.Behaviour.WaitVerbContinues {
		return p
	}
	return nil
}

// answersCall reports whether a verb answers a call that rings. Source: Twilio docs,
// voice/twiml/reject, voice/twiml/pause, voice/twiml/dial (answerOnBridge).
func answersCall(n *twiml.Node, first bool) bool {
	switch n.Name {
	case "Reject", "Pause":
		return !first
	case "Redirect":
		return false
	case "Dial":
		return n.Attrs["answerOnBridge"] != "true"
	}
	return true
}

// notSimulated is the problem of a verb that only Twilio executes. It ends the call, so that no
// test passes because something was left out.
func notSimulated(name string) *problem.Problem {
	return &problem.Problem{Text: fmt.Sprintf("twiliosim does not simulate <%s>", name)}
}

// verb executes one verb. A step ends the document; nil: the next verb.
func (r runner) verb(d *document, n *twiml.Node, first bool) (*step, error) {
	switch n.Name {
	case "Say":
		return nil, r.say(n.AllText(), n, nil)
	case "Play":
		return nil, r.play(d, n, nil)
	case "Pause":
		return nil, r.Pause(n.Seconds("length", 1), nil)
	case "Gather":
		return r.gather(d, n)
	case "Record":
		return r.record(d, n)
	case "Enqueue":
		return r.enqueue(d, n)
	case "Dial":
		return r.dial(d, n)
	case "Redirect":
		u, err := d.resolve(n.Text)
		if err != nil {
			return nil, err
		}
		return request(webhook.Target{URL: u, Method: webhook.MethodOr(n.Attrs["method"], http.MethodPost)}, nil), nil
	case "Leave":
		if d.mode == twiml.ModeWait {
			return nil, errLeave
		}
		return nil, nil
	case "Reject":
		r.reject(n, first)
		return nil, account.ErrEnded
	case "Hangup":
		return nil, errHangup
	}
	return nil, notSimulated(n.Name)
}

// reject ends a call that has not been answered. Source: Twilio docs, voice/twiml/reject.
func (r runner) reject(n *twiml.Node, first bool) {
	status := account.StatusNoAnswer
	if n.Attrs["reason"] == "busy" {
		status = account.StatusBusy
	}
	if !first || r.CurrentStatus() != account.StatusRinging {
		r.Account.Report(r.Call, &problem.Problem{Code: 12200, Warning: true, Text: "<Reject> must be the first verb of an unanswered call"})
		status = account.StatusCompleted
	}
	r.End(status)
}
