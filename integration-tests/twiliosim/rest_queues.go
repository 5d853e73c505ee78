package twiliosim

import (
	"net/http"
	"strconv"
	"time"
)

func (s *Sim) restQueues(handle func(string, restHandler)) {
	handle("GET /Queues.json", func(r *http.Request) (reply, *restError) {
		s.mu.Lock()
		rows := make([]any, 0, len(s.queues))
		for _, q := range s.queues {
			rows = append(rows, s.queueJSONLocked(q))
		}
		s.mu.Unlock()
		return s.list(r, "queues", rows)
	})
	handle("POST /Queues.json", s.createQueue)
	handle("GET /Queues/{queue}", s.withQueue(func(_ *http.Request, q *queue) (reply, *restError) {
		return reply{status: 200, body: s.queueJSONLocked(q)}, nil
	}))
	handle("POST /Queues/{queue}", s.withQueue(s.updateQueueLocked))
	handle("DELETE /Queues/{queue}", s.withQueue(s.deleteQueueLocked))
	handle("GET /Queues/{queue}/Members.json", s.listMembers)
	handle("GET /Queues/{queue}/Members/{call}", s.withMember(func(_ *http.Request, m *member) (reply, *restError) {
		return reply{status: 200, body: s.memberJSONLocked(m)}, nil
	}))
	handle("POST /Queues/{queue}/Members/{call}", s.withMember(s.dequeueLocked))
}

func (s *Sim) queueJSONLocked(q *queue) map[string]any {
	uri := apiRoot + s.cfg.AccountSid + "/Queues/" + q.sid
	return map[string]any{
		"sid": q.sid, "account_sid": s.cfg.AccountSid, "friendly_name": q.name, "current_size": len(q.members), "max_size": q.maxSize,
		"average_wait_time": int(q.averageWait(s.clock.Now()) / time.Second), "date_created": stamp(q.created), "date_updated": stamp(q.updated),
		"uri": uri + ".json", "subresource_uris": map[string]any{"members": uri + "/Members.json"},
	}
}

func (s *Sim) memberJSONLocked(m *member) map[string]any {
	return map[string]any{
		"call_sid": m.call.Sid, "queue_sid": m.queue.sid, "date_enqueued": stamp(m.since), "position": m.queue.position(m),
		"wait_time": int(m.waited(s.clock.Now()) / time.Second), "uri": apiRoot + s.cfg.AccountSid + "/Queues/" + m.queue.sid + "/Members/" + m.call.Sid + ".json",
	}
}

// queueForm reads FriendlyName and MaxSize.
func queueForm(r *http.Request) (name string, size int, e *restError) {
	name = r.PostForm.Get("FriendlyName")
	if len([]rune(name)) > 64 {
		return "", 0, badRequest(20002, "FriendlyName is over 64 characters long")
	}
	if v := r.PostForm.Get("MaxSize"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > largestQueueSize {
			return "", 0, badRequest(20001, "MaxSize %s: want 1 to %d", v, largestQueueSize)
		}
		size = n
	}
	return name, size, nil
}

func (s *Sim) createQueue(r *http.Request) (reply, *restError) {
	name, size, e := queueForm(r)
	switch {
	case e != nil:
		return reply{}, e
	case name == "":
		return reply{}, badRequest(20002, "FriendlyName is required")
	case size == 0:
		size = defaultQueueSize
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queueByNameLocked(name) != nil {
		return reply{}, badRequest(22003, "A queue with the FriendlyName %s exists already", name)
	}
	return reply{status: 201, body: s.queueJSONLocked(s.newQueueLocked(name, size))}, nil
}

// withQueue finds the queue of the path and runs h with s.mu held.
func (s *Sim) withQueue(h func(*http.Request, *queue) (reply, *restError)) restHandler {
	return func(r *http.Request) (reply, *restError) {
		sid, asJSON := sidOf(r, "queue")
		s.mu.Lock()
		defer s.mu.Unlock()
		q := s.queueBySidLocked(sid)
		if !asJSON || q == nil {
			return reply{}, notFound(r)
		}
		return h(r, q)
	}
}

func (s *Sim) updateQueueLocked(r *http.Request, q *queue) (reply, *restError) {
	name, size, e := queueForm(r)
	if e != nil {
		return reply{}, e
	}
	if name != "" {
		q.name = name
	}
	if size > 0 {
		q.maxSize = size
	}
	q.updated = s.clock.Now()
	return reply{status: 200, body: s.queueJSONLocked(q)}, nil
}

// deleteQueueLocked removes an empty queue; one that is not empty is refused.
func (s *Sim) deleteQueueLocked(_ *http.Request, q *queue) (reply, *restError) {
	if len(q.members) > 0 {
		return reply{}, badRequest(s.cfg.Behaviour.QueueDeleteRefusal, "Queue %s is not empty", q.sid)
	}
	for i, x := range s.queues {
		if x == q {
			s.queues = append(s.queues[:i:i], s.queues[i+1:]...)
		}
	}
	return reply{status: http.StatusNoContent}, nil
}

func (s *Sim) listMembers(r *http.Request) (reply, *restError) {
	s.mu.Lock()
	q := s.queueBySidLocked(r.PathValue("queue"))
	if q == nil {
		s.mu.Unlock()
		return reply{}, notFound(r)
	}
	rows := make([]any, 0, len(q.members))
	for _, m := range q.members {
		rows = append(rows, s.memberJSONLocked(m))
	}
	s.mu.Unlock()
	return s.list(r, "queue_members", rows)
}

// withMember finds the member of the path (a CallSid, or Front) and runs h with s.mu held.
func (s *Sim) withMember(h func(*http.Request, *member) (reply, *restError)) restHandler {
	return func(r *http.Request) (reply, *restError) {
		sid, asJSON := sidOf(r, "call")
		s.mu.Lock()
		defer s.mu.Unlock()
		q := s.queueBySidLocked(r.PathValue("queue"))
		if !asJSON || q == nil {
			return reply{}, notFound(r)
		}
		for i, m := range q.members {
			if m.call.Sid == sid || sid == "Front" && i == 0 {
				return h(r, m)
			}
		}
		return reply{}, notFound(r)
	}
}

// dequeueLocked takes a call out of the queue and has it run another document. Source: Twilio docs,
// voice/api/member-resource, update.
func (s *Sim) dequeueLocked(r *http.Request, m *member) (reply, *restError) {
	u := r.PostForm.Get("Url")
	if !absoluteURL(u) {
		return reply{}, badRequest(21205, "Url is not a valid URL: %s", u)
	}
	if v := r.PostForm.Get("Method"); v != "" && methodOr(v, "") == "" {
		return reply{}, badRequest(21209, "Method %s is invalid: want GET or POST", v)
	}
	m.call.pending = &instruction{target: target{u, methodOr(r.PostForm.Get("Method"), http.MethodPost)}}
	body := s.memberJSONLocked(m)
	body["position"] = 0
	s.leaveLocked(m, "redirected")
	m.call.notifyLocked()
	return reply{status: 200, body: body}, nil
}
