package twiliosim

import (
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"
)

const longestTwiml = 4000 // Twilio docs: voice/api/call-resource, Twiml

func (s *Sim) restCalls(handle func(string, restHandler)) {
	handle("POST /Calls.json", s.createCall)
	handle("GET /Calls.json", s.listCalls)
	handle("GET /Calls/{call}", func(r *http.Request) (reply, *restError) {
		c, e := s.callInPath(r)
		if e != nil {
			return reply{}, e
		}
		return reply{status: 200, body: s.callJSON(c)}, nil
	})
	handle("POST /Calls/{call}", s.updateCall)
}

func (s *Sim) callInPath(r *http.Request) (*Call, *restError) {
	sid, asJSON := sidOf(r, "call")
	c := s.CallBySid(sid)
	if !asJSON || c == nil {
		return nil, notFound(r)
	}
	return c, nil
}

func (s *Sim) callJSON(c *Call) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	uri := apiRoot + s.cfg.AccountSid + "/Calls/" + c.Sid
	subs := map[string]any{}
	for _, name := range []string{"notifications", "recordings", "payments", "events", "siprec", "streams", "transcriptions", "user_defined_message_subscriptions", "user_defined_messages"} {
		camel := ""
		for _, w := range strings.Split(name, "_") {
			camel += strings.ToUpper(w[:1]) + w[1:]
		}
		subs[name] = uri + "/" + camel + ".json"
	}
	orNull := func(v string) any {
		if v == "" {
			return nil
		}
		return v
	}
	body := map[string]any{
		"sid": c.Sid, "account_sid": s.cfg.AccountSid, "parent_call_sid": orNull(c.ParentSid), "from": c.From, "to": c.To,
		"from_formatted": formatted(c.From), "to_formatted": formatted(c.To), "status": c.status, "direction": c.Direction,
		"date_created": stamp(c.created), "date_updated": stamp(c.updated), "start_time": stampOrNull(c.dialed), "end_time": nil,
		"duration": nil, "price": nil, "price_unit": "USD", "answered_by": orNull(c.answeredBy), "api_version": "2010-04-01",
		"forwarded_from": nil, "group_sid": nil, "caller_name": nil, "annotation": nil, "trunk_sid": nil, "phone_number_sid": nil,
		"queue_time": strconv.Itoa(int(c.queueTime / time.Millisecond)), "uri": uri + ".json", "subresource_uris": subs,
	}
	if c.number != nil {
		body["phone_number_sid"] = c.number.Sid
	}
	if c.status == StatusCompleted { // Twilio docs: empty for calls that did not complete successfully
		body["end_time"] = stamp(c.endedAt)
		body["duration"] = wholeSeconds(c.durationLocked())
	}
	return body
}

func formatted(number string) string {
	if len(number) == 12 && strings.HasPrefix(number, "+1") {
		return "(" + number[2:5] + ") " + number[5:8] + "-" + number[8:]
	}
	return number
}

// createCall is POST /Calls. Source: Twilio docs, voice/api/call-resource, create.
func (s *Sim) createCall(r *http.Request) (reply, *restError) {
	f := r.PostForm
	s.refuseUnsimulated(r, "To From Url Method Twiml FallbackUrl FallbackMethod StatusCallback StatusCallbackMethod StatusCallbackEvent Timeout TimeLimit "+
		"MachineDetection MachineDetectionTimeout MachineDetectionSpeechThreshold MachineDetectionSpeechEndThreshold MachineDetectionSilenceTimeout "+
		"AsyncAmd AsyncAmdStatusCallback AsyncAmdStatusCallbackMethod CallToken CallReason")
	to, from := f.Get("To"), f.Get("From")
	switch {
	case to == "":
		return reply{}, badRequest(21201, "No 'To' number is specified")
	case from == "":
		return reply{}, badRequest(21213, "No 'From' number is specified")
	case !e164.MatchString(to):
		return reply{}, badRequest(21211, "The phone number you are attempting to call, %s, is not valid.", to)
	case !e164.MatchString(from):
		return reply{}, badRequest(21212, "The source phone number provided, %s, is not valid.", from)
	case !s.mayShow(from):
		return reply{}, badRequest(21210, "The source phone number provided, %s, is not yet verified for your account. You may only make calls from phone numbers that you've verified or purchased from Twilio.", from)
	}
	first, e := s.instructionOf(r)
	if e != nil {
		return reply{}, e
	}
	if first == nil {
		return reply{}, badRequest(21205, "Url parameter is required.")
	}
	timeout, limit := 60, 0
	if v := f.Get("Timeout"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 600 {
			return reply{}, badRequest(21208, "Timeout %s: want 1 to 600", v)
		}
		timeout = n
	}
	if v := f.Get("TimeLimit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return reply{}, badRequest(20001, "TimeLimit %s is invalid", v)
		}
		limit = n
	}
	detection := machineDetection{mode: f.Get("MachineDetection"), async: f.Get("AsyncAmd") == "true",
		told: target{f.Get("AsyncAmdStatusCallback"), methodOr(f.Get("AsyncAmdStatusCallbackMethod"), http.MethodPost)}}
	switch detection.mode {
	case "", "Enable", "DetectMessageEnd":
	default:
		return reply{}, badRequest(20001, "MachineDetection %s is invalid", detection.mode)
	}
	plan := callbackPlan{}
	if u := f.Get("StatusCallback"); u != "" {
		if !absoluteURL(u) {
			return reply{}, badRequest(21205, "StatusCallback is not a valid URL: %s", u)
		}
		ok := false
		if plan, ok = newPlan(target{u, methodOr(f.Get("StatusCallbackMethod"), http.MethodPost)}, f["StatusCallbackEvent"]); !ok {
			// Twilio answers 201 and sends no callbacks at all.
			s.report(nil, &problem{code: 21626, text: "StatusCallbackEvent " + strings.Join(f["StatusCallbackEvent"], ",") + ": one event a parameter; no status callback will be sent"})
		}
	}

	c := s.newCall(from, to, DirectionOutboundAPI, nil)
	s.mu.Lock()
	c.number, c.callbacks, c.detection = s.numberLocked(from), plan, detection
	c.fallback = target{f.Get("FallbackUrl"), methodOr(f.Get("FallbackMethod"), http.MethodPost)}
	turn := s.clock.Now()
	if s.nextStart.After(turn) {
		turn = s.nextStart
	}
	if s.cfg.CallsPerSecond > 0 {
		s.nextStart = turn.Add(time.Duration(float64(time.Second) / s.cfg.CallsPerSecond))
	}
	s.addEventLocked(c, Event{Kind: EventStatus, Text: StatusQueued})
	s.mu.Unlock()
	body := s.callJSON(c)
	s.spawn(func() {
		c.runOutbound(turn, time.Duration(timeout)*time.Second, time.Duration(limit)*time.Second, *first)
	})
	return reply{status: 201, body: body}, nil
}

// instructionOf reads Url or Twiml; nil: neither is given.
func (s *Sim) instructionOf(r *http.Request) (*step, *restError) {
	f := r.PostForm
	for _, name := range []string{"Method", "FallbackMethod", "StatusCallbackMethod"} {
		if v := f.Get(name); v != "" && methodOr(v, "") == "" {
			return nil, badRequest(21209, "%s %s is invalid: want GET or POST", name, v)
		}
	}
	if u := f.Get("FallbackUrl"); u != "" && !absoluteURL(u) {
		return nil, badRequest(21205, "FallbackUrl is not a valid URL: %s", u)
	}
	switch u, twiml := f.Get("Url"), f.Get("Twiml"); {
	case u != "":
		if !absoluteURL(u) {
			return nil, badRequest(21205, "Url is not a valid URL: %s", u)
		}
		return &step{target: target{u, methodOr(f.Get("Method"), http.MethodPost)}}, nil
	case twiml != "":
		if len([]rune(twiml)) > longestTwiml {
			return nil, badRequest(s.cfg.Behaviour.LongTwimlRefusal, "Twiml is over %d characters long", longestTwiml)
		}
		return &step{twiml: twiml, inline: true}, nil
	}
	return nil, nil
}

// updateCall is POST /Calls/{Sid}. Source: Twilio docs, voice/api/call-resource, update; api/errors/21220.
func (s *Sim) updateCall(r *http.Request) (reply, *restError) {
	c, e := s.callInPath(r)
	if e != nil {
		return reply{}, e
	}
	f := r.PostForm
	s.refuseUnsimulated(r, "Url Method Twiml Status FallbackUrl FallbackMethod StatusCallback StatusCallbackMethod")
	if f.Get("Url") != "" && f.Get("Twiml") != "" {
		return reply{}, badRequest(20001, "Url and Twiml exclude each other")
	}
	next, e := s.instructionOf(r)
	if e != nil {
		return reply{}, e
	}
	status := f.Get("Status")
	if status != "" && status != StatusCompleted && status != StatusCanceled {
		return reply{}, badRequest(20001, "Status %s is invalid: want completed or canceled", status)
	}
	notLive := badRequest(21220, "Call is not in-progress. Cannot redirect.")
	s.mu.Lock()
	switch {
	case terminal(c.status) && (next != nil || status != ""):
		s.mu.Unlock()
		return reply{}, notLive
	case status != "":
		if c.status == StatusInProgress {
			if status == StatusCompleted {
				c.endLocked(StatusCompleted)
			}
		} else {
			c.endLocked(StatusCanceled)
		}
	case next != nil && c.status != StatusInProgress:
		s.mu.Unlock()
		return reply{}, notLive
	case next != nil:
		c.pending = &instruction{target: next.target, twiml: next.twiml}
		if u := f.Get("FallbackUrl"); u != "" {
			c.fallback = target{u, methodOr(f.Get("FallbackMethod"), http.MethodPost)}
		}
		if u := f.Get("StatusCallback"); u != "" && next.url != "" { // with Url alone does it take effect
			c.callbacks, _ = newPlan(target{u, methodOr(f.Get("StatusCallbackMethod"), http.MethodPost)}, nil)
		}
		c.updated = s.clock.Now()
		c.notifyLocked()
	}
	s.mu.Unlock()
	return reply{status: 200, body: s.callJSON(c)}, nil
}

// listCalls is GET /Calls, newest first, with the filters To, From, ParentCallSid, Status, StartTime and EndTime.
func (s *Sim) listCalls(r *http.Request) (reply, *restError) {
	q := r.URL.Query()
	keepStart, e := timeFilter(r, "StartTime")
	if e != nil {
		return reply{}, e
	}
	keepEnd, e := timeFilter(r, "EndTime")
	if e != nil {
		return reply{}, e
	}
	s.mu.Lock()
	var found []*Call
	for _, c := range s.callOrder {
		if match(q.Get("To"), c.To) && match(q.Get("From"), c.From) && match(q.Get("ParentCallSid"), c.ParentSid) &&
			match(q.Get("Status"), c.status) && keepStart(c.dialed) && keepEnd(c.endedAt) {
			found = append(found, c)
		}
	}
	s.mu.Unlock()
	sort.SliceStable(found, func(i, j int) bool { return found[i].created.After(found[j].created) })
	rows := make([]any, 0, len(found))
	for _, c := range found {
		rows = append(rows, s.callJSON(c))
	}
	return s.list(r, "calls", rows)
}

func match(want, got string) bool { return want == "" || want == got }

// timeFilter reads Name, Name< and Name>; a date means its whole day (UTC), and a bound includes itself.
func timeFilter(r *http.Request, name string) (func(time.Time) bool, *restError) {
	var checks []func(time.Time) bool
	for key, vs := range r.URL.Query() {
		op, found := strings.CutPrefix(key, name)
		if !found || len(vs) == 0 || vs[0] == "" || op != "" && op != "<" && op != ">" {
			continue
		}
		at, err := time.Parse(time.RFC3339, vs[0])
		span := time.Second
		if err != nil {
			if at, err = time.Parse(time.DateOnly, vs[0]); err != nil {
				return nil, badRequest(20001, "%s %s is not a date", key, vs[0])
			}
			span = 24 * time.Hour
		}
		checks = append(checks, func(t time.Time) bool {
			t = t.UTC().Truncate(time.Second)
			switch op {
			case "<":
				return t.Before(at.Add(span))
			case ">":
				return !t.Before(at)
			}
			return !t.Before(at) && t.Before(at.Add(span))
		})
	}
	return func(t time.Time) bool {
		if len(checks) > 0 && t.IsZero() {
			return false
		}
		for _, ok := range checks {
			if !ok(t) {
				return false
			}
		}
		return true
	}, nil
}
