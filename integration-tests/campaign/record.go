package campaign

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// record holds the facts of one wave, as the checks read them.
type record struct {
	Calls      []*callFacts
	Strangers  []alertFacts // alerts of no caller of this wave
	Windows    []window
	Earlier    []window              // of the waves before
	Violations []twiliosim.Violation // what the simulated Twilio objects to
	Documents  []string              // callbacks that were answered with a document to execute
	Took       []time.Duration       // by the host to answer, of real time
	Mails      []delivery
	Before     remains
	After      remains
	Slack      time.Duration // what the machine's own slowness is worth, of the simulator's time
}

// callFacts is what is known of one caller's call.
type callFacts struct {
	Plan     callerPlan
	Sid      string
	Dialed   time.Time
	Over     time.Time // zero: it is not
	Status   string    // Twilio's last
	HungUp   time.Time // by the caller; zero: not
	Events   []twiliosim.Event
	Legs     []*legFacts
	Alerts   []alertFacts
	Actions  []action
	Known    bool // to the host
	State    string
	Ended    string // as the host says
	Bridges  []bridge
	Sounds   []string // SIDs of completed recordings
	Injected int      // requests of this call and its legs that a fault disturbed
}

// legFacts is one call to a responder.
type legFacts struct {
	Sid, To              string
	Rang, Answered, Over time.Time // zero: did not
	Status               string
	Passed               bool // 2 was pressed in time
	Events               []twiliosim.Event
	Injected             int
	Caller               string // CallSid
}

// bridge is a conversation of two legs.
type bridge struct {
	Leg, Number string // the responder's
	From, To    time.Time
}

// long reports whether two talked: less than five seconds is no conversation (docs/call-flow.md).
func (b bridge) lasted() time.Duration { return b.To.Sub(b.From) }

var ofLeg = regexp.MustCompile(`/c/(CA[0-9a-f]{32})/leg/`)

// digest reads the events of a caller's call.
func (c *callFacts) digest(events []twiliosim.Event) {
	c.Events = events
	for _, e := range events {
		switch e.Kind {
		case twiliosim.EventStatus:
			c.Status = e.Text
			if isFinal(e.Text) {
				c.Over = e.At
			}
		case twiliosim.EventBridged:
			c.Bridges = append(c.Bridges, bridge{Leg: e.Note, Number: e.Peer, From: e.At})
		case twiliosim.EventUnbridged:
			if n := len(c.Bridges); n > 0 {
				c.Bridges[n-1].To = e.At
			}
		case twiliosim.EventRecording:
			if e.Text == "completed" {
				c.Sounds = append(c.Sounds, e.Note)
			}
		}
		c.Injected += disturbances(e)
	}
}

// digestLeg reads the events of a call to a responder; nil if no request tells whose it is.
func digestLeg(sid string, events []twiliosim.Event) *legFacts {
	l := &legFacts{Sid: sid, Events: events}
	for _, e := range events {
		// Somebody who has heard a message is sent on to another call's.
		if found := ofLeg.FindStringSubmatch(e.URL + " " + e.Params["Url"]); found != nil && l.Caller == "" {
			l.Caller = found[1]
		}
		switch e.Kind {
		case twiliosim.EventStatus:
			l.Status = e.Text
			switch {
			case e.Text == twiliosim.StatusRinging:
				l.Rang = e.At
			case e.Text == twiliosim.StatusInProgress:
				l.Answered = e.At
			case isFinal(e.Text):
				l.Over = e.At
			}
		case twiliosim.EventPressed:
			l.Passed = l.Passed || e.Text == "2" && e.Note == ""
		}
		l.To = e.Leg
		l.Injected += disturbances(e)
	}
	if l.Caller == "" {
		return nil
	}
	return l
}

// disturbances is 1 for an event that a fault on demand has changed.
func disturbances(e twiliosim.Event) int {
	if strings.Contains(e.Note, "on demand") {
		return 1
	}
	return 0
}

// during reports whether a fault of one of the groups was in force at any time from from to to.
// Their effects may last a little longer.
func (r *record) during(from, to time.Time, groups ...string) bool {
	for _, w := range slices.Concat(r.Earlier, r.Windows) {
		for _, g := range groups {
			if w.Group == g && w.From.Before(to) && w.To.Add(r.Slack).After(from) {
				return true
			}
		}
	}
	return false
}

// walked is how long a host makes up the longest difference of its clock, see setClock.
const walked = 2 * time.Minute * 10

// hostTime is the least of the simulator's time that a wait of the host's lasts between two times:
// a host whose clock was set makes the difference up by a tenth of the time passing.
func (r *record) hostTime(wait time.Duration, from, to time.Time) time.Duration {
	if r.during(from.Add(-walked), to, clockSet, clockStepped) {
		return wait * 9 / 10
	}
	return wait
}

// trouble is how long faults that slow the host were in force between two times.
func (r *record) trouble(from, to time.Time) (sum time.Duration) {
	for _, w := range r.Windows {
		if w.Group == "" || w.Group == mailTrouble {
			continue
		}
		begin, end := w.From, w.To.Add(r.Slack)
		if begin.Before(from) {
			begin = from
		}
		if end.After(to) {
			end = to
		}
		sum += max(0, end.Sub(begin))
	}
	return sum
}

// heard returns the first event in which the caller hears words.
func (c *callFacts) heard(words string) (twiliosim.Event, bool) {
	for _, e := range c.Events {
		if says(e, words) {
			return e, true
		}
	}
	return twiliosim.Event{}, false
}

// apologised reports whether Twilio itself apologised to the caller: nobody served the call.
func (c *callFacts) apologised() (time.Time, bool) {
	for _, e := range c.Events {
		if e.Kind == twiliosim.EventSaid && e.Note == "Twilio" {
			return e.At, true
		}
	}
	return time.Time{}, false
}

// stay is a time in a queue.
type stay struct {
	From, To time.Time
	Result   string
}

func (c *callFacts) stays() (out []stay) {
	for _, e := range c.Events {
		switch e.Kind {
		case twiliosim.EventQueued:
			out = append(out, stay{From: e.At})
		case twiliosim.EventDequeued:
			if n := len(out); n > 0 {
				out[n-1].To, out[n-1].Result = e.At, e.Note
			}
		}
	}
	return out
}

// pressed reports whether the caller pressed a key that was listened to, before a time.
func (c *callFacts) pressed(key string, before time.Time) bool {
	for _, e := range c.Events {
		if e.Kind == twiliosim.EventPressed && e.Text == key && e.Note == "" && !e.At.After(before) {
			return true
		}
	}
	return false
}

// team is the team that the caller chose; nil: none is known.
func (c *callFacts) team() *team {
	for i, t := range c.Plan.Hotline.Teams {
		for _, a := range c.Alerts {
			if len(a.DestinationTeams) > 0 && a.DestinationTeams[0] == t.ID {
				return &c.Plan.Hotline.Teams[i]
			}
		}
	}
	return nil
}

// did reports whether somebody did something with the alert that was not refused.
func (c *callFacts) did(do string) bool {
	for _, a := range c.Actions {
		if a.Do == do && a.Refused == "" {
			return true
		}
	}
	return false
}

// chose is when the caller chose a team, before they entered the queue: where the host is slow, the
// wait begins well before that. Without a menu it is when they dialed.
func (c *callFacts) chose(queued time.Time) time.Time {
	at := c.Dialed
	for _, e := range c.Events {
		if e.Kind == twiliosim.EventPressed && e.Note == "" && e.At.Before(queued) {
			at = e.At
		}
	}
	return at
}

// told reports whether the alert tells something.
func (c *callFacts) told(words string) bool {
	for _, a := range c.Alerts {
		for _, l := range a.Log {
			if strings.Contains(l.Message, words) {
				return true
			}
		}
	}
	return false
}
