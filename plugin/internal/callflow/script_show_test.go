package callflow

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// step plays an event and shows what follows.
func (s *script) step(e event.Event) {
	s.tb.Helper()
	was, end := normal(s.state.Phase), s.state.End
	s.facts.MediaURLs = map[string]string{}
	for _, ref := range call.PlayedMedia(s.state) {
		if !slices.Contains(s.deleted, ref) {
			s.facts.MediaURLs[ref] = "https://host.example.com/" + ref
		}
	}
	answer := s.do(e)
	if r, ok := answer.(reply.Enqueue); ok {
		s.queued = r.Step
	}
	who := "caller"
	if e.Leg != "" {
		who = "phone " + e.Leg
	}
	if text := heard(answer); text != "" {
		s.show("%s: %s", who, text)
	}
	for _, x := range s.effects {
		s.effect(x)
	}
	if now := normal(s.state.Phase); now != was {
		s.show("now %s", now)
	}
	if s.state.End != end {
		s.show("end %s: %s", s.state.End, s.state.Reason)
		s.view()
	}
	if busy := people(call.Occupies(s.state)); busy != s.busy {
		s.busy = busy
		s.show("other calls leave alone: %s", busy)
	}
	if waiting := people(call.WaitsFor(s.state)); waiting != s.waiting {
		s.waiting = waiting
		s.show("awaits: %s", waiting)
	}
}

func people(users []string) string {
	if len(users) == 0 {
		return "nobody"
	}
	return strings.Join(users, ", ")
}

func (s *script) show(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for i := 1; i < 10; i++ {
		text = strings.ReplaceAll(text, legSid(strconv.Itoa(i)), fmt.Sprintf("CA-%d", i))
	}
	text = strings.NewReplacer(callerSid, "CA-caller", queueSid, "QU-1").Replace(text)
	s.out.WriteString("      " + text + "\n")
}

// view shows a call as pages do.
func (s *script) view() {
	v := call.View(s.state)
	s.show("page: from %q to %q, team %q (%s), %s, ended %s at %s, unproven %t", v.From, v.To, v.TeamName, v.Team, v.State, v.Ended, s.since(v.EndedAt), v.Unproven)
	for _, l := range v.Legs {
		s.show("page: %s %s %q %q %s %s, %s to %s", l.Role, l.ID, l.Name, l.Phone, l.State, l.Reason, s.since(l.StartedAt), s.since(l.EndedAt))
	}
}

// heard words an answer.
func heard(r reply.Reply) string {
	switch r := r.(type) {
	case nil:
		return ""
	case reply.Empty:
		return "(empty)"
	case reply.Refused:
		return "(refused)"
	case reply.Reject:
		if r.Busy {
			return "rejected as busy"
		}
		return "rejected"
	case reply.Hangup:
		return spokenPrompts(r.Say, "hangup")
	case reply.Menu:
		return spokenPrompts(append(slices.Clone(r.Intro), r.Items...), fmt.Sprintf("menu of %d digits, %s, step %d", r.Digits, r.Timeout, r.Step))
	case reply.Enqueue:
		return spokenPrompts(r.Say, fmt.Sprintf("enqueue, step %d", r.Step))
	case reply.Hold:
		what := fmt.Sprintf("music %d, step %d", r.Tick, r.Step)
		if r.Star {
			what += ", star leaves a message"
		}
		return spokenPrompts(r.Say, what)
	case reply.LeaveQueue:
		return "leave the queue"
	case reply.Record:
		what := fmt.Sprintf("record up to %s, until %s of silence or %s, step %d", r.MaxLength, r.Silence, r.FinishOnKey, r.Step)
		if r.Transcribe {
			what += ", transcribe"
		}
		return spokenPrompts(r.Say, what)
	case reply.Ask:
		return spokenPrompts(r.Say, fmt.Sprintf("wait %s for a key, step %d", r.Timeout, r.Step))
	case reply.Stay:
		return spokenPrompts(r.Say, fmt.Sprintf("stay, step %d", r.Step))
	case reply.DialQueue:
		return spokenPrompts(r.Say, fmt.Sprintf("dial the queue for %s, step %d", r.Timeout, r.Step))
	case reply.Play:
		return "plays " + strings.Join(r.Media, ", then "+spokenPrompts(r.Between, "")) + ", " +
			spokenPrompts(r.Say, fmt.Sprintf("wait %s for a key, step %d", r.Timeout, r.Step))
	case reply.Join:
		return spokenPrompts(r.Say, fmt.Sprintf("go to call %s, leg %d, back %t", r.Call, r.Leg, r.Back))
	case reply.Announce:
		return spokenPrompts(r.Say, "join")
	}
	return fmt.Sprintf("%#v", r)
}

func spokenPrompts(say []reply.Prompt, then string) string {
	var parts []string
	for _, p := range say {
		text := strings.ReplaceAll(string(p.Key), "_", " ")
		var about []string
		if p.Digit > 0 {
			about = append(about, fmt.Sprint(p.Digit))
		}
		for _, x := range []string{p.Team, p.Number, p.Called} {
			if x != "" {
				about = append(about, x)
			}
		}
		if p.Seconds > 0 || p.Count > 0 {
			about = append(about, fmt.Sprintf("%d s in %d", p.Seconds, p.Count))
		}
		if len(about) > 0 {
			text += " (" + strings.Join(about, ", ") + ")"
		}
		parts = append(parts, "\""+text+"\"")
	}
	return strings.Join(append(parts, then), ", ")
}

// effect shows an effect.
func (s *script) effect(x effect.Effect) {
	switch x := x.(type) {
	case effect.CallerSeen:
	case integration.AlertCommand:
		s.command(x)
	case integration.Heard:
		s.show("heard: %s by %s", x.Ref, x.User)
	case integration.Finding:
		text := fmt.Sprintf("finding: %s %s", x.Severity, x.Code)
		if x.Field != "" {
			text += " (" + x.Field + ")"
		}
		if x.Message != "" {
			text += ": " + x.Message
		}
		s.show("%s", text)
	case integration.LogLine:
		s.show("log: %s: %s %v", x.Level, x.Message, x.Attrs)
	case effect.DialLeg:
		s.show("dial phone %s: %s at %s, not after %s, rings %s, step %d", x.Leg, x.Phone, s.since(x.At), s.since(x.NotAfter), x.Ring, x.Step)
	case effect.EndLeg:
		what := "hang up on"
		if x.Tell {
			what = "tell and hang up on"
		}
		s.show("%s phone %s: %s, step %d", what, x.Leg, x.CallSid, x.Step)
	case effect.LookLeg:
		s.show("look up phone %s: call %q to %s since %s at %s, not %v", x.Leg, x.CallSid, x.Phone, s.since(x.Since), s.since(x.At), x.Not)
	case effect.LookCall:
		s.show("look up the caller's call at %s", s.since(x.At))
	case effect.Dequeue:
		s.show("take the caller out of the queue, step %d", x.Step)
	case effect.DeleteQueue:
		s.show("delete the queue %s", x.QueueSid)
	case effect.FetchRecording:
		s.show("fetch %s at %s, not after %s", x.RecordingSid, s.since(x.At), s.since(x.NotAfter))
	case effect.LookRecordings:
		s.show("look up the recordings at %s", s.since(x.At))
	case effect.DeleteRecording:
		s.show("delete %s at Twilio", x.RecordingSid)
	case effect.CancelTask:
		s.show("cancel %s", x.Task.Name)
		if slices.ContainsFunc(of[effect.DialLeg](s.all), func(d effect.DialLeg) bool {
			return d.Task.Name == x.Task.Name && d.Task.Generation > x.Task.Generation
		}) {
			s.show("which leaves a later task to dial")
		}
	case effect.StartTimer:
		if x.Task.Name != "present" || s.presence {
			s.show("timer %s at %s", x.Task.Name, s.since(x.At))
		}
	case effect.CancelTimer:
		if x.Task.Name != "present" || s.presence {
			s.show("timer %s cancelled", x.Task.Name)
		}
	case effect.Mail:
		s.mail(x)
	default:
		s.show("%T %+v", x, x)
	}
}

// command shows a command to the alert.
func (s *script) command(c integration.AlertCommand) {
	by := ""
	if c.Actor != "" {
		by = " [" + c.Actor + "]"
	}
	switch c.Kind {
	case integration.AlertLog:
		s.show("story: %s%s", c.Text, by)
	case integration.AlertCreate:
		text := fmt.Sprintf("alert %d: create %q: %s", c.Number, c.Draft.Title, c.Draft.Description)
		for _, f := range c.Draft.Fields {
			text += fmt.Sprintf(" %s: %s (%s).", f.Label, f.Value, f.Format)
		}
		if c.Draft.Urgency != "" {
			text += " Urgency: " + c.Draft.Urgency + "."
		}
		s.show("%s", text)
	default:
		text := fmt.Sprintf("alert %d: %s", c.Number, c.Kind)
		for _, x := range []string{strings.Join(c.Teams, ", "), c.User, c.Ack, c.Label} {
			if x != "" {
				text += " " + x
			}
		}
		if c.Layer > 0 {
			text += fmt.Sprintf(" layer %d round %d", c.Layer, c.Round)
		}
		if c.Field != nil {
			text += fmt.Sprintf(" %s: %s (%s)", c.Field.Label, c.Field.Value, c.Field.Format)
		}
		if c.Media != nil {
			text += " " + c.Media.Ref
		}
		if c.Text != "" {
			text += ": " + c.Text
		}
		s.show("%s%s", text, by)
	}
}

func (s *script) mail(m effect.Mail) {
	media := "without audio"
	if m.Media != nil {
		media = "with " + m.Media.Ref
	}
	s.show("mail %s to %v, %s: %s: %s", m.Key, m.Teams, media, m.Subject, m.Lead)
	for _, f := range m.Fields {
		s.show("  %s: %s (%s)", f.Label, f.Value, f.Format)
	}
	if m.Transcript != "" {
		s.show("  transcript: %s", m.Transcript)
	}
}

// set changes the options, the host, the platform or its people.
func (s *script) set(w words) {
	switch w.at(0) {
	case "oncall":
		layer, _ := time.ParseDuration(w.at(1) + "ns")
		var users []integration.User
		for _, id := range w.plain[2:] {
			users = append(users, s.users[id])
		}
		s.onCall[int(layer)] = users
		return
	case "nobody":
		s.onCall = map[int][]integration.User{}
		return
	case "user":
		s.setUser(w)
		return
	case "route":
		s.setRoute(w)
		return
	case "recent":
		s.recent = append(s.recent, integration.RecentCall{ID: "CA8", StartedAt: s.now.Add(-time.Duration(w.seconds()) * time.Second), AlertURL: w.keys["alert"], Unproven: w.has("unproven")})
		return
	case "presence":
		s.presence = true
	}
	for _, k := range slices.Sorted(maps.Keys(w.keys)) {
		s.option(k, w.keys[k], w)
	}
}

func (s *script) setUser(w words) {
	id := w.at(1)
	u, ok := s.users[id]
	if !ok {
		u = integration.User{ID: id, Name: strings.ToUpper(id[:1]) + id[1:] + " Example"}
	}
	if _, ok := w.keys["phones"]; ok {
		u.Phones = w.list("phones")
	}
	if _, ok := w.keys["name"]; ok {
		u.Name = w.keys["name"]
	}
	u.OccupiedBy, u.OccupiedHow, u.AwaitedBy = w.keys["by"], w.keys["how"], w.list("awaited")
	s.users[id] = u
	s.unknown = slices.DeleteFunc(s.unknown, func(x string) bool { return x == id })
	if w.has("unknown") {
		s.unknown = append(s.unknown, id)
	}
	if w.has("gone") {
		delete(s.users, id)
	}
}

// destinationsOf reads names of teams; router:R1 and missing:Name as well.
func destinationsOf(names []string) []integration.Destination {
	var out []integration.Destination
	for _, n := range names {
		kind, rest, ok := strings.Cut(n, ":")
		switch {
		case ok && kind == "router":
			out = append(out, integration.Destination{ID: rest, Name: "Router " + rest, Kind: integration.DestinationRouter})
		case ok:
			out = append(out, integration.Destination{ID: rest, Name: rest, Missing: true})
		case n == "support":
			out = append(out, support)
		case n == "devops":
			out = append(out, devops)
		default:
			out = append(out, integration.Destination{ID: n, Name: strings.ToUpper(n[:1]) + n[1:]})
		}
	}
	return out
}

func (s *script) setRoute(w words) {
	r := integration.RouteVerdict{Receivers: destinationsOf(w.list("to")), Default: destinationsOf(w.list("default"))}
	if n := w.keys["note"]; n != "" {
		r.Notes = []string{n}
	}
	s.routes[w.at(1)] = r
}

// option sets one option.
func (s *script) option(key, value string, w words) {
	on := value == "on"
	length, _ := time.ParseDuration(value)
	caps := &s.facts.Instance.Capabilities
	switches := map[string]*bool{
		"voicemail": &s.c.Voicemail, "confirm": &s.c.ConfirmAnswer, "force": &s.c.ForceInput, "transcribe": &s.c.Transcribe, "delete": &s.c.DeleteRecording,
		"addresses": &s.c.MailsAddresses, "straight": &s.c.StraightToVoicemail, "keep": &s.c.SkipResolveOnHangup, "resolve": &s.c.ResolveOnCompleted,
		"reopen": &caps.Reopen, "escalate": &caps.Escalate, "ackas": &caps.AcknowledgeAs, "byuser": &caps.AcknowledgedByUser,
		"annotations": &caps.Annotations, "pages": &caps.PagesByItself, "media": &caps.CallMedia, "keeps": &s.keeps, "oncallknown": &s.onCallKnown,
		"withheld": &s.caller.Withheld,
	}
	lengths := map[string]*time.Duration{"ring": &s.c.RingTimeout, "pause": &s.c.DialPause, "maxwait": &s.c.MaxWait, "maxlength": &s.c.VoicemailMaxLength}
	texts := map[string]*string{"number": &s.caller.Number, "address": &s.caller.Address, "name": &s.caller.Name, "city": &s.caller.City, "state": &s.caller.State,
		"zip": &s.caller.Zip, "country": &s.caller.Country, "attest": &s.caller.Attest, "forward": &s.caller.Forward, "unmailed": &s.c.Unmailed,
		"urgency": &s.facts.Instance.Urgency, "called": &s.caller.Called}
	field, isSound := strings.CutPrefix(key, "sound:")
	switch {
	case switches[key] != nil:
		*switches[key] = on
	case lengths[key] != nil:
		*lengths[key] = length
	case texts[key] != nil:
		*texts[key] = value
	case isSound:
		if s.c.Sounds == nil {
			s.c.Sounds = map[reply.PromptKey]config.Sound{}
		}
		k := reply.PromptKey(strings.ReplaceAll(field, "-", "_"))
		s.c.Sounds[k] = config.Sound{Title: "File of " + field, URLs: w.list(key)}
	case key == "reach":
		s.c.Reach = config.Reach(value)
	case key == "deliver":
		s.c.Deliver = config.Deliver(value)
	case key == "stateformat":
		s.facts.WriteFormats.State = w.number(key)
	case key == "deleted":
		s.deleted = w.list(key)
	case key == "giveup":
		s.c.GiveUp = config.GiveUp(strings.ReplaceAll(value, " ", "_"))
	case key == "fallback":
		s.c.MenuFallback = config.Fallback(strings.ReplaceAll(value, " ", "_"))
	case key == "pernumber":
		s.c.CallsPerNumber = w.number(key)
	case key == "minor":
		s.facts.Instance.ProtocolMinor = w.number(key)
	case key == "host":
		s.facts.Instance.State = integration.HostState(strings.ReplaceAll(value, " ", "_"))
	case key == "teams":
		s.facts.Destinations = destinationsOf(w.list(key))
	case key == "asof":
		at, _ := clock(value)
		s.asOf = start.Add(-at)
	case key == "findings":
		s.facts.Findings = nil
		for _, code := range w.list(key) {
			s.facts.Findings = append(s.facts.Findings, integration.Finding{Code: code, Severity: integration.FindingError})
		}
	case key == "hearing":
		at, _ := clock(value)
		s.facts.HearingSince = start.Add(at)
	default:
		s.fail("no setting %s", key)
	}
}
