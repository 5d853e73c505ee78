package rest

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// longestQueueName is in characters. Source: Twilio docs, voice/api/queue-resource, FriendlyName.
const longestQueueName = 64

// queueJSONLocked writes a queue. Source: Twilio docs, voice/api/queue-resource.
func queueJSONLocked(a *account.Account, q *account.Queue) map[string]any {
	at := uri(a, "Queues", q.Sid)
	return map[string]any{
		"sid": q.Sid, "account_sid": a.Config.AccountSid, "friendly_name": q.Name, "current_size": len(q.Members), "max_size": q.MaxSize,
		"average_wait_time": int(q.AverageWait(a.Clock.Now()) / time.Second), "date_created": account.Date(q.Created), "date_updated": account.Date(q.Updated),
		"uri": at + ".json", "subresource_uris": map[string]any{"members": at + "/Members.json"},
	}
}

// memberJSONLocked writes a call that waits. Source: Twilio docs, voice/api/member-resource.
func memberJSONLocked(a *account.Account, m *account.Member) map[string]any {
	return map[string]any{
		"call_sid": m.Call.Sid, "queue_sid": m.Queue.Sid, "date_enqueued": account.Date(m.Since), "position": m.Queue.Position(m),
		"wait_time": int(m.Waited(a.Clock.Now()) / time.Second), "uri": uri(a, "Queues", m.Queue.Sid, "Members", m.Call.Sid) + ".json",
	}
}

// listQueues is GET /Queues, oldest first.
func (api *API) listQueues(r *http.Request) (reply, *apiError) {
	a := api.account
	a.Lock()
	rows := make([]any, 0, len(a.Queues))
	for _, q := range a.Queues {
		rows = append(rows, queueJSONLocked(a, q))
	}
	a.Unlock()
	return list(r, "queues", rows)
}

// queueForm reads FriendlyName and MaxSize; what is not given is empty.
func queueForm(r *http.Request) (name string, size int, e *apiError) {
	name = r.PostForm.Get("FriendlyName")
	if len([]rune(name)) > longestQueueName {
		return "", 0, badRequest(20002, "FriendlyName is over %d characters long", longestQueueName)
	}
	if v := r.PostForm.Get("MaxSize"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > account.LargestQueueSize {
			return "", 0, badRequest(20001, "MaxSize %s: want 1 to %d", v, account.LargestQueueSize)
		}
		size = n
	}
	return name, size, nil
}

// createQueue is POST /Queues. Names are unique (Twilio docs: api/errors/22003).
func (api *API) createQueue(r *http.Request) (reply, *apiError) {
	a := api.account
	name, size, e := queueForm(r)
	switch {
	case e != nil:
		return reply{}, e
	case name == "":
		return reply{}, badRequest(20002, "FriendlyName is required")
	case size == 0:
		size = account.DefaultQueueSize
	}
	a.Lock()
	defer a.Unlock()
	if a.QueueByNameLocked(name) != nil {
		return reply{}, badRequest(22003, "A queue with the FriendlyName %s exists already", name)
	}
	return reply{status: http.StatusCreated, body: queueJSONLocked(a, a.NewQueueLocked(name, size))}, nil
}

// withQueue finds the queue of the path and runs h with the lock held.
func (api *API) withQueue(h func(*http.Request, *account.Queue) (reply, *apiError)) handler {
	return func(r *http.Request) (reply, *apiError) {
		sid, asJSON := sidInPath(r, "queue")
		api.account.Lock()
		defer api.account.Unlock()
		q := api.account.QueueBySidLocked(sid)
		if !asJSON || q == nil {
			return reply{}, notFound(r)
		}
		return h(r, q)
	}
}

// fetchQueueLocked is GET /Queues/{Sid}.
func (api *API) fetchQueueLocked(_ *http.Request, q *account.Queue) (reply, *apiError) {
	return ok(queueJSONLocked(api.account, q))
}

// updateQueueLocked is POST /Queues/{Sid}: it changes what the form names.
func (api *API) updateQueueLocked(r *http.Request, q *account.Queue) (reply, *apiError) {
	name, size, e := queueForm(r)
	if e != nil {
		return reply{}, e
	}
	if name != "" {
		q.Name = name
	}
	if size > 0 {
		q.MaxSize = size
	}
	q.Updated = api.account.Clock.Now()
	return ok(queueJSONLocked(api.account, q))
}

// deleteQueueLocked removes an empty queue; one that is not empty is refused.
func (api *API) deleteQueueLocked(_ *http.Request, q *account.Queue) (reply, *apiError) {
	a := api.account
	if len(q.Members) > 0 {
		return reply{}, badRequest(a.Config.Behaviour.QueueDeleteRefusal, "Queue %s is not empty", q.Sid)
	}
	a.Queues = slices.DeleteFunc(a.Queues, func(x *account.Queue) bool { return x == q })
	return reply{status: http.StatusNoContent}, nil
}

// listMembers lists those who wait: a call that is being taken has left the list.
func (api *API) listMembers(r *http.Request) (reply, *apiError) {
	a := api.account
	a.Lock()
	q := a.QueueBySidLocked(r.PathValue("queue"))
	if q == nil {
		a.Unlock()
		return reply{}, notFound(r)
	}
	rows := make([]any, 0, len(q.Members))
	for _, m := range q.Members {
		rows = append(rows, memberJSONLocked(a, m))
	}
	a.Unlock()
	return list(r, "queue_members", rows)
}

// withMember finds the member of the path (a CallSid, or Front) and runs h with the lock held.
func (api *API) withMember(h func(*http.Request, *account.Member) (reply, *apiError)) handler {
	return func(r *http.Request) (reply, *apiError) {
		sid, asJSON := sidInPath(r, "member")
		api.account.Lock()
		defer api.account.Unlock()
		q := api.account.QueueBySidLocked(r.PathValue("queue"))
		if !asJSON || q == nil {
			return reply{}, notFound(r)
		}
		for i, m := range q.Members {
			if m.Call.Sid == sid || sid == "Front" && i == 0 {
				return h(r, m)
			}
		}
		return reply{}, notFound(r)
	}
}

// fetchMemberLocked is GET /Queues/{Sid}/Members/{CallSid}, or .../Front.
func (api *API) fetchMemberLocked(_ *http.Request, m *account.Member) (reply, *apiError) {
	return ok(memberJSONLocked(api.account, m))
}

// dequeueLocked takes a call out of the queue and has it run another document. Source: Twilio docs,
// voice/api/member-resource, update.
func (api *API) dequeueLocked(r *http.Request, m *account.Member) (reply, *apiError) {
	u := r.PostForm.Get("Url")
	if !isAbsoluteURL(u) {
		return reply{}, badRequest(21205, "Url is not a valid URL: %s", u)
	}
	if v := r.PostForm.Get("Method"); v != "" && webhook.MethodOr(v, "") == "" {
		return reply{}, badRequest(21209, "Method %s is invalid: want GET or POST", v)
	}
	// The call leaves the queue now; its Enqueue action is requested as if a REST update of the
	// call had redirected it.
	m.Call.Update = &account.Instructions{Target: targetInForm(r.PostForm, "Url", "Method")}
	body := memberJSONLocked(api.account, m)
	body["position"] = 0 // Twilio's sign that it left
	api.account.LeaveLocked(m, "redirected")
	m.Call.NotifyLocked()
	return ok(body)
}
