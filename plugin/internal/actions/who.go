package actions

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/rehearsal"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/render"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// whoAction describes the button. Every field is optional: an empty form asks about a call from a
// withheld number now.
func whoAction() integration.ActionDescription {
	return integration.ActionDescription{
		Name: integration.ActionWhoWouldAnswer, Group: groupTry, Label: "Who would answer?",
		Help: "Says whom a call would reach, without a call: menu, routers, and who is rung in which order.",
		Fields: []integration.ActionField{
			{Name: integration.ValueAt, Label: "When", Format: "date-time", Help: "Such as 2026-12-24T18:00:00Z; empty: now."},
			{Name: integration.ValueDigits, Label: "Keys", Help: "What the caller presses in the menu; empty: nothing."},
			{Name: integration.ValueFrom, Label: "Caller", Help: "The caller's number, where rules ask for it; empty: withheld."},
			{Name: integration.ValueTo, Label: "Called number", Help: "The number that is called, where rules ask for it."},
		},
	}
}

// whoWouldAnswer rehearses a call: it runs the real call flow on invented events ([rehearsal.Run]),
// so that what it says cannot differ from what a call does. It asks the platform what a call would
// ask, for the moment in question, and never asks Twilio. It changes nothing and has no findings.
func whoWouldAnswer(req Request) integration.ActionResult {
	f, o := req.Facts, req.Options
	r := &report{integration.ActionResult{OK: true}}
	value := func(name string) string { return strings.TrimSpace(req.Values[name]) }
	at, later := f.Now, false
	if text := value(integration.ValueAt); text != "" {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			r.line("error", integration.ValueAt, fmt.Sprintf("%q is not a time: write it as 2026-12-24T18:00:00Z.", text))
			return r.ActionResult
		}
		at, later = t, true
	}
	// An empty caller, and words such as anonymous, stand for a withheld number.
	number := func(name string) string {
		text := value(name)
		if text == "" || name == integration.ValueFrom && phone.ReadCaller(text, o.Country).Withheld {
			return ""
		}
		n, err := phone.Read(text, o.Country)
		if err != nil {
			r.line("error", name, fmt.Sprintf("The number %q %v.", text, err))
		}
		return n
	}
	caller := call.Caller{Number: number(integration.ValueFrom), Called: number(integration.ValueTo)}
	// What a real request is looked at for on arrival (package app, webhook.go), from the same two
	// numbers.
	caller.Withheld = caller.Number == ""
	caller.Banned = phone.Banned(o.Banned, phone.Caller{Number: caller.Number, Withheld: caller.Withheld})
	caller.Loop = caller.Number != "" && caller.Number == caller.Called
	if !r.OK {
		return r.ActionResult
	}
	// The facts are copied: the lines below speak of now where the rehearsal speaks of then.
	rehearsed := f
	rehearsed.Now = at
	if later {
		rehearsed.Answers = unoccupied(f.Answers)
	}
	result, questions := rehearsal.Run(o.Flow, rehearsed, caller, parameters(caller, o), value(integration.ValueDigits))
	// The rehearsal stops at the first facts that are missing, so it may ask several times, as a
	// call does. Each question is about the moment asked for.
	if r.Need = questions; len(questions) > 0 {
		for i := range r.Need {
			r.Need[i].At = at
		}
		return r.ActionResult
	}
	// The number called counts as the hotline's own even if no check has run yet.
	w := rehearsalReport{report: r, own: append(recall(f).Own, caller.Called), options: o, facts: f, renderer: render.New(o, f.Instance.MediaURLs, req.Music, endpoint.NewLinks(f.Instance, ""))}
	w.tell(result, value(integration.ValueDigits))
	return r.ActionResult
}

// unoccupied are answers without who is on another call: that is true of now, not of another
// moment. The answers themselves stay as they came.
func unoccupied(answers []integration.Answer) []integration.Answer {
	out := slices.Clone(answers)
	for i := range out {
		out[i].OnCall = slices.Clone(out[i].OnCall)
		for k := range out[i].OnCall {
			out[i].OnCall[k].User.OccupiedBy, out[i].OnCall[k].User.OccupiedHow = "", ""
		}
	}
	return out
}

// parameters are those of Twilio's request, as far as they can be known without a call: rules of
// routers may look at any of them (Twilio docs: voice/twiml#request-parameters). Rules that ask for
// others find nothing, as in a call that lacks them.
func parameters(c call.Caller, o options.Options) map[string]string {
	from := c.Number
	if from == "" {
		from = "anonymous"
	}
	return map[string]string{
		"AccountSid": o.Account.SID, "From": from, "Caller": from, "To": c.Called, "Called": c.Called,
		"Direction": "inbound", "CallStatus": "ringing",
	}
}

// rehearsalReport puts a rehearsal into lines, in the order in which a call goes: routers, menu,
// people, end. It only words what the rehearsal found out.
type rehearsalReport struct {
	*report
	own      []string // numbers of this hotline, as far as they are known
	options  options.Options
	facts    integration.Facts
	renderer render.Renderer
}

// digits are the keys as the person entered them.
func (w rehearsalReport) tell(r rehearsal.Result, digits string) {
	for _, a := range w.facts.Answers {
		if a.Route != nil {
			for _, t := range a.Route.Trace {
				w.line("info", "", sentence(t))
			}
		}
	}
	w.menu(r, digits)
	for _, n := range r.Notes {
		// The menu's lines have said this already.
		if r.Team == nil || n != "The caller chose "+r.Team.Name+"." {
			w.line("info", "", "Noted: "+n)
		}
	}
	// The rehearsal waits in the menu: what comes then depends on the key.
	if r.Team == nil && r.Farewell == nil {
		return
	}
	if r.Team != nil && r.Exit != call.ExitStraight {
		w.people(r)
	}
	w.end(r)
}

// menu tells what the caller can choose, and what the given keys chose. Keys that choose nothing
// are an error: the person asked about a call that reaches nobody.
func (w rehearsalReport) menu(r rehearsal.Result, digits string) {
	if r.Menu == nil {
		if r.Team != nil {
			w.line("info", "", "No menu: the call goes straight to "+r.Team.Name+".")
		}
		return
	}
	w.line("info", "", "The caller is asked for a key:")
	for _, item := range r.Menu.Items {
		if item.Key == reply.PromptPress {
			w.line("info", "", fmt.Sprintf("  %d  %s", item.Digit, item.Team))
		}
	}
	fallback := "the caller can leave a message"
	switch {
	case w.options.Flow.MenuFallback == config.FallbackFirstTeam && len(r.Menu.Items) > 0:
		fallback = r.Menu.Items[0].Team + " is called"
	case !w.options.Flow.Voicemail:
		fallback = "the caller is told goodbye"
	}
	switch {
	case r.Team != nil:
		w.line("info", "", "Key "+digits+": "+r.Team.Name+".")
	case r.NoChoice:
		w.line("error", integration.ValueDigits, fmt.Sprintf("%q chooses nothing: the menu is read again; after three rounds %s.", digits, fallback))
	default:
		w.line("info", "", "Nobody is called before a key is pressed. After three rounds without one "+fallback+".")
	}
}

// people tells whom the call rings, layer by layer. Layers without anybody are named too, as a
// reader would look for them.
func (w rehearsalReport) people(r rehearsal.Result) {
	switch {
	// Then nothing can be said of anybody, and that is the finding.
	case r.Unknown:
		w.line("error", "", "The platform could not say who is on call.")
		return
	case len(r.Layers) == 0:
		w.line("warning", "", "Nobody is on call for "+r.Team.Name+".")
	case r.Reach == config.ReachAcknowledge:
		w.line("info", "", "Whoever acknowledges the alert is called. It is sent to:")
	case r.Reach == config.ReachRing:
		w.line("info", "", "Rung when it is their layer's turn:")
	default:
		w.line("info", "", "Rung when it is their layer's turn; whoever acknowledges the alert before is called too:")
	}
	for i, l := range r.Layers {
		if len(l.People) == 0 {
			w.line("warning", "", fmt.Sprintf("  Layer %d: nobody is on call.", l.Layer))
		}
		for _, p := range l.People {
			w.person(l.Layer, p)
		}
		// The first layer with people is called at once; its later time is that of the second
		// round.
		first := len(l.People) > 0 && !slices.ContainsFunc(r.Layers[:i], func(l rehearsal.Layer) bool { return len(l.People) > 0 })
		if l.After > 0 && !first && r.Reach != config.ReachAcknowledge {
			w.line("info", "ring_timeout", fmt.Sprintf("  Layer %d is called after about %s, even if the escalation policy gives the layers before it longer: a caller is on the line.",
				l.Layer, shortly(l.After.Round(time.Second))))
		}
	}
	switch {
	case !r.Reaches():
		w.line("error", "", "Nobody would be called.")
	case r.Reach == config.ReachAcknowledge:
	case w.options.Flow.GiveUp == config.GiveUpOneRound:
		w.line("info", "give_up", "When everybody was tried once, the caller is given up.")
	default:
		w.line("info", "give_up", "When everybody was tried, each phone is called again every minute.")
	}
}

// person says how one person is called.
func (w rehearsalReport) person(layer int, p rehearsal.Person) {
	name := p.User.Name
	if name == "" {
		name = p.User.ID
	}
	// The flow itself leaves out only the number that was called: it does not know the others.
	for _, number := range p.User.Phones {
		if slices.Contains(w.own, number) {
			w.line("error", "", fmt.Sprintf("  Layer %d: %s's phone %s is a number of this hotline: it would call itself. Give %s another phone.",
				layer, name, phone.Display(number), name))
		}
	}
	if len(p.Phones) == 0 {
		why := strings.TrimPrefix(strings.TrimSuffix(p.Log, "."), name+" ")
		if why == "" {
			why = "is not called" // the flow went on before their turn
		}
		w.line("warning", "", fmt.Sprintf("  Layer %d: %s %s.", layer, name, why))
		return
	}
	shown := make([]string, len(p.Phones))
	for i, number := range p.Phones {
		shown[i] = phone.Display(number)
	}
	text := fmt.Sprintf("  Layer %d: %s, %s", layer, name, strings.Join(shown, ", then "))
	if p.Busy || p.User.OccupiedBy != "" {
		text += ": " + occupiedNow(p.User.OccupiedHow)
	}
	w.line("ok", "", text+".")
}

// occupiedNow says why somebody would not be called at once. It continues a sentence about the
// person, in the present: unlike the story, nothing is promised.
func occupiedNow(how string) string {
	switch how {
	case integration.OccupiedTalking:
		return "is on another call now and is called when it ends"
	case integration.OccupiedRinging:
		return "is being called for another caller now and is called when that is over"
	case integration.OccupiedWaiting:
		return "is awaited by a caller who called earlier and is called afterwards"
	}
	return "is occupied by another call now and is called when it ends"
}

// end says when and how a call ends that nobody takes. Which of the replies the caller is given
// says how it ends.
func (w rehearsalReport) end(r rehearsal.Result) {
	when := ""
	if r.Team != nil && r.Exit != call.ExitStraight {
		when = w.when(r)
	}
	switch reply := r.Farewell.(type) {
	case reply.Reject:
		if reply.Busy {
			w.line("warning", integration.ValueFrom, "The caller hears the busy tone: the call comes from the hotline's own number.")
			return
		}
		w.line("warning", "banned_phones", "The call is rejected: the caller is banned.")
	case reply.Record:
		text := when + "the caller leaves a message"
		why := w.unmailed(r)
		if why == "" {
			text += ", which is mailed"
		}
		w.line("info", "", capital(text+". "+w.heard(reply.Say)))
		silent := w.options.Undelivered(w.facts.Instance)
		switch {
		case why != "" && silent != "":
			w.line("warning", "voicemail_emails", "Nobody is mailed about the message, because "+why+", and nobody is called to hear it, because "+silent+": it is only kept with the alert.")
		case why != "":
			w.line("info", "voicemail_emails", "Nobody is mailed about the message, because "+why+".")
		}
		if silent == "" {
			w.listeners(r)
		}
	case reply.Hangup:
		w.line("info", "", capital(when+"goodbye. "+w.heard(reply.Say)))
	}
	if r.Exit == call.ExitStraight {
		w.line("info", "send_straight_to_voicemail", "Nobody is called; the team's alert is sent when the message has been left.")
	}
}

// listeners tells who is called to hear the message. Who acknowledges is not known in advance, so
// everybody on call is named.
func (w rehearsalReport) listeners(r rehearsal.Result) {
	// The people are not known; that there are some to be called still is.
	if r.Unknown || r.Team == nil {
		w.line("info", "deliver_messages", "Then people are called to hear the message, each once.")
		return
	}
	w.line("info", "deliver_messages", "Then whoever acknowledged the alert is called to hear the message; if nobody did, each once when the platform reaches their layer:")
	anybody := false
	for _, l := range r.Layers {
		for _, p := range l.People {
			var shown []string
			for _, number := range p.User.Phones {
				if !slices.Contains(w.own, number) {
					shown = append(shown, phone.Display(number))
				}
			}
			if len(shown) > 0 {
				anybody = true
				w.line("ok", "", fmt.Sprintf("  Layer %d: %s, %s.", l.Layer, cmp.Or(p.User.Name, p.User.ID), strings.Join(shown, ", then ")))
			}
		}
	}
	if !anybody {
		w.line("error", "", "  Nobody on call has a phone: the message stays unheard until somebody opens the alert.")
	}
}

// when words the exit that a call takes if nobody answers. It begins a sentence that end completes.
func (w rehearsalReport) when(r rehearsal.Result) string {
	longest := shortly(w.options.Flow.MaxWait)
	switch {
	case r.Exit == call.ExitNobody, len(r.Layers) == 0 && !r.Unknown:
		return "Nobody can be called, so at once: "
	case r.Exit == call.ExitOneRound:
		return "When everybody was tried once, or after " + longest + " at most: "
	}
	return "If nobody takes the call within " + longest + ", or the alert is dropped before: "
}

// unmailed says why nobody would be mailed about a message; "" = somebody would be. Who is on call
// then decides, where only those are mailed.
func (w rehearsalReport) unmailed(r rehearsal.Result) string {
	if why := w.options.Unmailed(w.facts.Instance); why != "" {
		return why
	}
	reached := func(l rehearsal.Layer) bool {
		return slices.ContainsFunc(l.People, func(p rehearsal.Person) bool { return p.User.Email != "" })
	}
	if w.options.OnlyOnCall() && r.Team != nil && !r.Unknown && !slices.ContainsFunc(r.Layers, reached) {
		return "nobody who is on call then has an e-mail address"
	}
	return ""
}

// heard is what prompts say, as one quotation. It is made by the renderer of calls, so that what is
// quoted is what would be said.
func (w rehearsalReport) heard(ps []reply.Prompt) string {
	var out []string
	for _, v := range w.renderer.Say(ps) {
		switch v := v.(type) {
		case twiml.Say:
			out = append(out, v.Text)
		case twiml.Play:
			out = append(out, "(a recording)")
		default:
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "Heard: “" + strings.Join(out, " ") + "”"
}

// shortly is a duration without its zeros: 10m, 1m30s, 1h. time.Duration writes 10m0s.
func shortly(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// sentence ends a text with exactly one full stop: routers' traces come with and without.
func sentence(s string) string { return strings.TrimSuffix(s, ".") + "." }

// capital makes the first letter, of one byte, a capital one. It is for sentences that are put
// together from parts.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.TrimSpace(strings.ToUpper(s[:1]) + s[1:])
}
