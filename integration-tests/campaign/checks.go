package campaign

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// complaint is what a check finds wrong; Call is "" if it is of no call.
type complaint struct {
	Check, Call, Text string
}

// check is one promise, held against a record.
type check struct {
	name string
	find func(r *record) []complaint
}

// checks are all of them.
func checks() []check {
	return []check{
		{"one acceptable end", oneAcceptableEnd},
		{"executed webhooks are answered", executedWebhooksAreAnswered},
		{"other webhooks are acknowledged", otherWebhooksAreAcknowledged},
		{"one alert a call", oneAlertACall},
		{"recordings are delivered once", recordingsAreDeliveredOnce},
		{"nobody is connected twice", nobodyIsConnectedTwice},
		{"no leg rings on", noLegRingsOn},
		{"nothing is left", nothingIsLeft},
		{"the alert fits the end", alertFitsTheEnd},
		{"nobody is given up early", nobodyIsGivenUpEarly},
		{"messages are heard", messagesAreHeard},
		{"nobody is rung again", nobodyIsRungAgain},
		{"callers come first", callersComeFirst},
	}
}

// judge runs all checks.
func judge(r *record) (all []complaint) {
	for _, c := range checks() {
		for _, found := range c.find(r) {
			found.Check = c.name
			all = append(all, found)
		}
	}
	return all
}

// perCall makes complaints of what is wrong with each call.
func (r *record) perCall(find func(c *callFacts) string) (out []complaint) {
	for _, c := range r.Calls {
		if text := find(c); text != "" {
			out = append(out, complaint{Call: c.Sid, Text: text})
		}
	}
	return out
}

// The ends of a call (docs/call-flow.md).
const (
	endConnected = "connected"
	endMessage   = "message_left"
	endNothing   = "no_message"
	endGoodbye   = "told_goodbye"
	endHungUp    = "hung_up"
	endRejected  = "rejected"
)

// oneAcceptableEnd: the call is over at Twilio and for the host, and what the caller went through
// is what the host says.
func oneAcceptableEnd(r *record) []complaint {
	return r.perCall(func(c *callFacts) string {
		if c.Over.IsZero() {
			return "the call is not over: " + c.Status
		}
		if s := r.endless(c); s != "" {
			return s
		}
		if at, yes := c.apologised(); yes && !r.mayBeLost(c, at) {
			return "Twilio apologised to the caller, although the host was there"
		}
		if !c.Known {
			return r.unknownCall(c)
		}
		if c.State != "ended" {
			return fmt.Sprintf("the host says that the call is %s", c.State)
		}
		return r.fits(c)
	})
}

// endless says that a caller was on hold for much longer than the longest wait.
func (r *record) endless(c *callFacts) string {
	// A phone that still rings may still win, and its question has 90 s.
	const ringing = 4 * time.Minute
	var total time.Duration
	for _, s := range c.stays() {
		if !s.To.IsZero() && len(c.Bridges) == 0 {
			total += s.To.Sub(s.From)
		}
	}
	limit := c.Plan.Hotline.maxWait() + ringing + r.trouble(c.Dialed, c.Over) + r.Slack
	limit += limit - r.hostTime(limit, c.Dialed, c.Over)
	if total > limit {
		return fmt.Sprintf("the caller was on hold for %s, more than %s", total.Round(time.Second), limit.Round(time.Second))
	}
	return ""
}

// mayBeLost: nobody could serve the call at that time, or faults took its requests away.
func (r *record) mayBeLost(c *callFacts, at time.Time) bool {
	return c.Injected > 0 || r.during(at.Add(-30*time.Second), at, hostKilled, clockStepped)
}

// unknownCall judges a call of which the host has no record.
func (r *record) unknownCall(c *callFacts) string {
	rejected := c.Plan.From == c.Plan.Hotline.banned() && (c.Status == twiliosim.StatusBusy || c.Status == twiliosim.StatusNoAnswer)
	early := !c.HungUp.IsZero() && c.HungUp.Sub(c.Dialed) < 10*time.Second+r.Slack
	if rejected || early || r.mayBeLost(c, c.Over) {
		return ""
	}
	return "the host does not know the call"
}

// fits compares the end of the host's record with what the caller went through.
func (r *record) fits(c *callFacts) string {
	longest := time.Duration(0)
	for _, b := range c.Bridges {
		longest = max(longest, b.lasted())
	}
	_, goodbye := c.heard("goodbye")
	_, apology := c.apologised()
	wrong := ""
	switch c.Ended {
	case endConnected:
		if longest < 4*time.Second && !r.endUnheard(c) {
			wrong = fmt.Sprintf("the longest conversation had %s", longest)
		}
	case endMessage:
		if len(c.Sounds) == 0 {
			wrong = "there is no recording"
		}
	case endNothing:
		if len(c.Sounds) > 0 {
			wrong = "there is a recording"
		}
	case endGoodbye:
		if !goodbye && c.HungUp.IsZero() && !apology {
			wrong = "the caller did not hear it"
		}
	case endHungUp:
		if c.HungUp.IsZero() && !apology {
			wrong = "the caller did not hang up"
		}
	case endRejected:
		if c.Plan.From != c.Plan.Hotline.banned() {
			wrong = "the number is not banned"
		}
	default:
		wrong = "that is no end"
	}
	if longest >= 6*time.Second && c.Ended != endConnected && wrong == "" && !r.endUntimed(c) {
		wrong = fmt.Sprintf("there was a conversation of %s", longest.Round(time.Second))
	}
	if wrong != "" {
		return fmt.Sprintf("the host says that the call ended as %q, but %s", c.Ended, wrong)
	}
	return ""
}

// endUnheard reports whether the requests that tell of a connection's end may have been lost: then
// the host can only judge by its own times, which count the announcement as well.
func (r *record) endUnheard(c *callFacts) bool {
	if len(c.Bridges) == 0 {
		return false
	}
	over := c.Bridges[len(c.Bridges)-1].To
	return c.Injected > 0 || slices.ContainsFunc(c.Legs, func(l *legFacts) bool { return l.Injected > 0 }) ||
		r.during(over.Add(-5*time.Second), over.Add(5*time.Second), hostKilled, clockStepped, diskFull, locked, serverAway)
}

// endUntimed reports whether the host cannot judge by its times either: nobody told it of the end,
// and its clock was set, so that it shows another time after a restart.
func (r *record) endUntimed(c *callFacts) bool {
	if !r.endUnheard(c) {
		return false
	}
	begun, over := c.Bridges[0].From, c.Bridges[len(c.Bridges)-1].To
	return r.during(begun.Add(-walked), over.Add(5*time.Second), clockSet, clockStepped) && r.during(begun, over.Add(5*time.Second), hostKilled, clockStepped)
}

// isCallback reports whether the answer to a request is ignored, by its path.
func isCallback(u string) bool {
	path, _, _ := strings.Cut(u, "?")
	path, _, _ = strings.Cut(path, "#")
	for _, end := range []string{"/status", "/recording", "/transcription"} {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	return false
}

// executedWebhooksAreAnswered: Twilio had no objection to any document, time-outs included, while
// the host was there.
func executedWebhooksAreAnswered(r *record) (out []complaint) {
	for _, v := range r.Violations {
		if isCallback(v.URL) || r.during(v.At.Add(-time.Minute), v.At, hostKilled, clockStepped) {
			continue
		}
		out = append(out, complaint{Call: v.Call, Text: v.String()})
	}
	return append(out, r.perEvent(func(e twiliosim.Event) string {
		if e.Kind != twiliosim.EventWebhook || e.Code != 0 || e.Status == http.StatusOK {
			return ""
		}
		return fmt.Sprintf("%s was answered with %d", e.URL, e.Status)
	})...)
}

// otherWebhooksAreAcknowledged: where the answer is ignored, it is 200 or 204, or 503 while nothing
// can be stored. It is no document to execute: that would tell Twilio that the request has arrived.
func otherWebhooksAreAcknowledged(r *record) (out []complaint) {
	for _, u := range r.Documents {
		out = append(out, complaint{Call: sidIn(u), Text: u + " was answered with a document to execute"})
	}
	return append(out, r.perEvent(func(e twiliosim.Event) string {
		if e.Kind != twiliosim.EventCallback || disturbances(e) > 0 {
			return ""
		}
		before := e.At.Add(-time.Minute)
		switch {
		case e.Status == http.StatusOK, e.Status == http.StatusNoContent:
			return ""
		case e.Status == http.StatusServiceUnavailable && r.during(before, e.At, diskFull, locked, serverAway, hostKilled, clockStepped):
			return ""
		case (e.Status == 0 || e.Status == http.StatusBadGateway) && r.during(before, e.At, hostKilled, clockStepped):
			return ""
		}
		return fmt.Sprintf("%s was answered with %d %s", e.URL, e.Status, e.Note)
	})...)
}

// perEvent makes complaints of events of callers and their legs.
func (r *record) perEvent(find func(twiliosim.Event) string) (out []complaint) {
	for _, c := range r.Calls {
		events := slices.Clone(c.Events)
		for _, l := range c.Legs {
			events = append(events, l.Events...)
		}
		for _, e := range events {
			if text := find(e); text != "" {
				out = append(out, complaint{Call: c.Sid, Text: text})
			}
		}
	}
	return out
}

// oneAlertACall: each call that the host knows has one alert, a rejected one has none, and there is
// no other.
func oneAlertACall(r *record) []complaint {
	out := r.perCall(func(c *callFacts) string {
		want := 1
		if !c.Known || c.Ended == endRejected {
			want = 0
		}
		if n := len(c.Alerts); n != want {
			return fmt.Sprintf("%d alerts, want %d: ended as %q", n, want, c.Ended)
		}
		return ""
	})
	for _, a := range r.Strangers {
		out = append(out, complaint{Text: "an alert of no call: " + a.Key + " " + a.Title})
	}
	return out
}

// recordingsAreDeliveredOnce: each completed recording is attached to the alert, and mailed once to
// each recipient, which a repetition with the same Message-ID does not change.
// Mails that were written before the alert could be created have no link to it: those of a hotline
// count for its calls that lack one.
func recordingsAreDeliveredOnce(r *record) []complaint {
	loose := map[string]map[string]bool{} // Message-IDs by recipient
	for _, m := range r.Mails {
		if m.Alert == "" {
			if loose[m.To] == nil {
				loose[m.To] = map[string]bool{}
			}
			loose[m.To][m.MessageID] = true
		}
	}
	out := r.perCall(func(c *callFacts) string {
		want := len(c.Sounds)
		if !c.Known || len(c.Alerts) != 1 {
			return "" // other checks complain about that
		}
		if n := len(c.Alerts[0].Attachments); n != want {
			return fmt.Sprintf("%d recordings, %d attachments", want, n)
		}
		if !c.Plan.Hotline.flag("voicemail") {
			return ""
		}
		ids := map[string]bool{}
		for _, m := range r.Mails {
			if m.Alert == c.Alerts[0].ID && m.To == c.Plan.Hotline.mailAddress() {
				ids[m.MessageID] = true
			}
		}
		for id := range loose[c.Plan.Hotline.mailAddress()] {
			if len(ids) < want {
				ids[id] = true
				delete(loose[c.Plan.Hotline.mailAddress()], id)
			}
		}
		if len(ids) != want {
			return fmt.Sprintf("%d recordings, %d mails", want, len(ids))
		}
		return ""
	})
	for to, ids := range loose {
		if strings.HasPrefix(to, "voicemail@") && len(ids) > 0 {
			out = append(out, complaint{Text: fmt.Sprintf("%d mails to %s are about no recording", len(ids), to)})
		}
	}
	return out
}

// nobodyIsConnectedTwice: after a conversation the caller is connected to nobody else, and nobody
// talks with two callers at a time.
func nobodyIsConnectedTwice(r *record) []complaint {
	type talk struct {
		bridge
		call string
	}
	byNumber := map[string][]talk{}
	out := r.perCall(func(c *callFacts) string {
		over := false
		for _, b := range c.Bridges {
			byNumber[b.Number] = append(byNumber[b.Number], talk{b, c.Sid})
			if over {
				return "the caller was connected again after a conversation"
			}
			over = b.lasted() >= 6*time.Second && !r.unknowable(c, b)
		}
		return ""
	})
	for number, talks := range byNumber {
		slices.SortFunc(talks, func(a, b talk) int { return a.From.Compare(b.From) })
		for i := 1; i < len(talks); i++ {
			if talks[i].From.Before(talks[i-1].To) {
				out = append(out, complaint{Call: talks[i].call, Text: number + " was connected to this caller while talking with " + talks[i-1].call})
			}
		}
	}
	return out
}

// unknowable reports whether a host cannot know that a connection was a conversation: what tells of
// its end was lost on both sides, Twilio's word on the leg did not come either, and the clock shows
// another time than when it began. Such a caller goes on waiting.
func (r *record) unknowable(c *callFacts, b bridge) bool {
	i := slices.IndexFunc(c.Legs, func(l *legFacts) bool { return l.Sid == b.Leg })
	if i < 0 || c.Injected == 0 || c.Legs[i].Injected == 0 || !r.during(b.From, b.To.Add(time.Minute), clockStepped, hostKilled) ||
		!r.during(b.From.Add(-walked), b.To.Add(time.Minute), clockSet, clockStepped) {
		return false
	}
	return !slices.ContainsFunc(c.Legs[i].Events, func(e twiliosim.Event) bool {
		return e.Kind == twiliosim.EventREST && e.At.After(b.To) && e.Method == http.MethodGet && e.Status == http.StatusOK && disturbances(e) == 0
	})
}

// ringGrace is how long a telephone may ring when the caller is gone: the request that ends it
// takes its way through both programs.
const ringGrace = 15 * time.Second

// noLegRingsOn: no telephone rings on after the caller's end, unless requests were disturbed.
func noLegRingsOn(r *record) []complaint {
	return r.perCall(func(c *callFacts) string {
		if c.Over.IsZero() || c.Injected > 0 {
			return ""
		}
		for _, l := range c.Legs {
			if l.Rang.IsZero() || !l.Answered.IsZero() || l.Injected > 0 || l.Over.IsZero() || l.isFor(c) {
				continue
			}
			excused := r.during(c.Over.Add(-time.Minute), l.Over, hostKilled, clockStepped, pluginKilled, pluginFrozen, upgraded, diskFull, locked, serverAway, restRefuses)
			if late := l.Over.Sub(c.Over); late > ringGrace+r.Slack && !excused {
				return fmt.Sprintf("%s rang on for %s after the caller's end", l.To, late.Round(time.Second))
			}
		}
		return ""
	})
}

// Growth that is no leak: connections that are kept for a while, and what runs beside a request.
const (
	moreDescriptors = 40
	moreGoroutines  = 80
)

// nothingIsLeft: when all is done there is one process of each program, and nothing of a call.
func nothingIsLeft(r *record) (out []complaint) {
	complain := func(call, format string, args ...any) {
		out = append(out, complaint{Call: call, Text: fmt.Sprintf(format, args...)})
	}
	for _, sid := range r.After.Live {
		complain(sid, "the host takes the call for running")
	}
	for _, sid := range r.After.Lines {
		complain(r.callerOf(sid), "%s is not over", sid)
	}
	for _, q := range r.After.Queues {
		if slices.Contains(r.Before.Queues, q) || r.queueIsUnknown(sidIn(q)) {
			continue
		}
		complain(sidIn(q), "the queue %s is left", q)
	}
	for _, item := range r.After.Outbox {
		complain(sidIn(item), "an item of the outbox is left: %s", item)
	}
	if n, m := max(2, r.Before.Processes), r.After.Processes; m != n {
		complain("", "%d processes of switchboard and plugin, want %d", m, n)
	}
	if n, m := r.Before.Descriptors, r.After.Descriptors; m > n+moreDescriptors {
		complain("", "%d descriptors became %d", n, m)
	}
	if n, m := r.Before.Goroutines, r.After.Goroutines; m > n+moreGoroutines {
		complain("", "%d goroutines became %d", n, m)
	}
	return out
}

// queueIsUnknown reports whether no request that names the queue of a call has ever been answered,
// or stored, as while the disk was full: it can be found only by the daily clean-up.
func (r *record) queueIsUnknown(sid string) bool {
	for _, c := range r.Calls {
		if c.Sid == sid {
			return !slices.ContainsFunc(c.Events, func(e twiliosim.Event) bool {
				return e.Kind == twiliosim.EventWebhook && e.Status == http.StatusOK && e.Params["QueueSid"] != "" &&
					!r.during(e.At.Add(-10*time.Second), e.At, diskFull, locked)
			})
		}
	}
	return false
}

// callerOf is the caller for whose call a leg was made.
func (r *record) callerOf(sid string) string {
	for _, c := range r.Calls {
		for _, l := range c.Legs {
			if l.Sid == sid {
				return c.Sid
			}
		}
	}
	return sid
}

// sidIn is the CallSid within a text.
func sidIn(text string) string {
	if i := strings.Index(text, "CA"); i >= 0 && len(text) >= i+34 {
		return text[i : i+34]
	}
	return ""
}

// alertFitsTheEnd compares the alert's status with the end, as docs/call-flow.md has it. What
// people do with the alert, they may also do after the end.
func alertFitsTheEnd(r *record) []complaint {
	return r.perCall(func(c *callFacts) string {
		if len(c.Alerts) != 1 || !c.Known {
			return ""
		}
		h, status := c.Plan.Hotline, c.Alerts[0].Status
		var want []string
		switch c.Ended {
		case endConnected:
			want = []string{"acknowledged"}
			if h.flag("resolve_on_completed") {
				want = []string{"resolved"}
			}
		case endMessage, endGoodbye:
			// Without a routed alert there is nobody to call back.
			want = []string{"open", "acknowledged", "dropped"}
			if c.Ended == endGoodbye && c.team() == nil {
				want = append(want, "resolved")
			}
		case endNothing, endHungUp:
			want = []string{"resolved"}
			if h.flag("skip_resolve_on_hangup") {
				want = []string{"open", "acknowledged", "dropped", "resolved"}
			}
			if c.Ended == endNothing { // Twilio did not report what was recorded
				want = append(want, "open", "acknowledged", "dropped")
			}
		default: // another check complains about that end
			return ""
		}
		if c.did("resolve") {
			want = append(want, "resolved")
		}
		if !slices.Contains(want, status) {
			return fmt.Sprintf("the call ended as %q, the alert is %s, want %s", c.Ended, status, strings.Join(want, " or "))
		}
		return ""
	})
}

// nobodyIsGivenUpEarly: nobody left the hold for the voicemail, or was told goodbye, before the
// longest wait while somebody was left to ring.
func nobodyIsGivenUpEarly(r *record) []complaint {
	return r.perCall(func(c *callFacts) string {
		stays := c.stays()
		if len(stays) == 0 || c.Injected > 0 {
			return ""
		}
		first, last := stays[0], stays[len(stays)-1]
		t := c.team()
		if t == nil || last.To.IsZero() || last.Result == "hangup" || strings.HasPrefix(last.Result, "brid") || len(c.Bridges) > 0 {
			return ""
		}
		waited := last.To.Sub(c.chose(first.From))
		h := c.Plan.Hotline
		switch {
		case !c.HungUp.IsZero() && !c.HungUp.After(last.To):
		case waited >= r.hostTime(h.maxWait(), c.Dialed, last.To)-time.Second:
		case c.pressed("*", last.To):
		case c.did("resolve"):
		case (c.did("escalate") || c.did("reject")) && c.told("no further layer is left: dropped"):
		case waited >= r.hostTime(t.Layer, c.Dialed, last.To)-time.Second:
			// The platform's policy ended.
		case h.Options["give_up"] == "one_round" && c.allTried(h, t):
		case c.allPassed(h, t):
		case r.during(c.Dialed.Add(-time.Minute), last.To, clockStepped, hostKilled):
			// The clock of the host was another.
		default:
			return fmt.Sprintf("the caller was given up after %s of %s", waited.Round(time.Second), h.maxWait())
		}
		return ""
	})
}

// allPassed reports whether nobody of the team was left to ring.
func (c *callFacts) allPassed(h *hotline, t *team) bool {
	for _, p := range t.people() {
		passed := slices.ContainsFunc(c.Legs, func(l *legFacts) bool { return l.To == h.phoneOf(p) && l.Passed && !l.isFor(c) }) ||
			slices.ContainsFunc(c.Actions, func(a action) bool { return a.User == p && a.Do == "reject" && a.Refused == "" })
		if !passed {
			return false
		}
	}
	return true
}

// allTried reports whether everybody's telephone was called.
func (c *callFacts) allTried(h *hotline, t *team) bool {
	for _, p := range t.people() {
		if !slices.ContainsFunc(c.Legs, func(l *legFacts) bool { return l.To == h.phoneOf(p) && !l.isFor(c) }) {
			return false
		}
	}
	return true
}
