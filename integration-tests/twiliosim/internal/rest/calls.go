package rest

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
)

// callInPath finds the call that a path names. Twilio knows it by its SID with .json alone.
func (api *API) callInPath(r *http.Request) (*account.Call, *apiError) {
	sid, asJSON := sidInPath(r, "call")
	c := api.account.CallBySid(sid)
	if !asJSON || c == nil || isDeleted(c) {
		return nil, notFound(r)
	}
	return c, nil
}

// isDeleted reports whether the record of a call was deleted.
func isDeleted(c *account.Call) bool {
	c.Account.Lock()
	defer c.Account.Unlock()
	return c.Deleted
}

// deleteCall is DELETE /Calls/{Sid}: the record of a call that has ended; its recordings stay.
// Source: Twilio docs, voice/api/call-resource, delete.
func (api *API) deleteCall(r *http.Request) (reply, *apiError) {
	c, e := api.callInPath(r)
	if e != nil {
		return reply{}, e
	}
	api.account.Lock()
	defer api.account.Unlock()
	if !c.IsOverLocked() {
		return reply{}, &apiError{409, 20009, "Call resource with status " + c.Status + " cannot be deleted"}
	}
	c.Deleted = true
	return reply{status: http.StatusNoContent}, nil
}

// fetchCall is GET /Calls/{Sid}.
func (api *API) fetchCall(r *http.Request) (reply, *apiError) {
	c, e := api.callInPath(r)
	if e != nil {
		return reply{}, e
	}
	return ok(callJSON(c))
}

// callSubresources are the paths below a call, as Twilio names them in subresource_uris.
var callSubresources = map[string]string{
	"notifications": "Notifications", "recordings": "Recordings", "payments": "Payments", "events": "Events", "siprec": "Siprec",
	"streams": "Streams", "transcriptions": "Transcriptions", "user_defined_messages": "UserDefinedMessages",
	"user_defined_message_subscriptions": "UserDefinedMessageSubscriptions",
}

// callJSON writes a call. Numbers are strings and times RFC 2822, as at Twilio. Source: Twilio
// docs, voice/api/call-resource.
func callJSON(c *account.Call) map[string]any {
	c.Account.Lock()
	defer c.Account.Unlock()
	at := uri(c.Account, "Calls", c.Sid)
	below := map[string]any{}
	for name, path := range callSubresources {
		below[name] = at + "/" + path + ".json"
	}
	body := map[string]any{
		"sid": c.Sid, "account_sid": c.Account.Config.AccountSid, "parent_call_sid": orNull(c.ParentSid), "from": c.From, "to": c.To,
		"from_formatted": formatted(c.From), "to_formatted": formatted(c.To), "status": c.Status, "direction": c.Direction,
		"date_created": account.Date(c.Created), "date_updated": account.Date(c.Updated), "start_time": dateOrNull(c.Dialed), "end_time": nil,
		"duration": nil, "price": nil, "price_unit": "USD", "answered_by": orNull(c.AnsweredBy), "api_version": "2010-04-01",
		"forwarded_from": nil, "group_sid": nil, "caller_name": nil, "annotation": nil, "trunk_sid": nil, "phone_number_sid": nil,
		"queue_time": strconv.Itoa(int(c.QueueTime / time.Millisecond)), "uri": at + ".json", "subresource_uris": below,
	}
	if c.Number != nil {
		body["phone_number_sid"] = c.Number.Sid
	}
	if c.Status == account.StatusCompleted {
		// Twilio docs: empty for calls that did not complete successfully.
		body["end_time"] = account.Date(c.EndedAt)
		body["duration"] = account.Seconds(c.DurationLocked())
	}
	return body
}

// formatted writes a North American number as Twilio does for people.
func formatted(number string) string {
	if len(number) == 12 && strings.HasPrefix(number, "+1") {
		return "(" + number[2:5] + ") " + number[5:8] + "-" + number[8:]
	}
	return number
}

// updateCall is POST /Calls/{Sid}. Source: Twilio docs, voice/api/call-resource, update;
// api/errors/21220.
func (api *API) updateCall(r *http.Request) (reply, *apiError) {
	c, e := api.callInPath(r)
	if e != nil {
		return reply{}, e
	}
	f := r.PostForm
	api.reportUnsimulated(r, "Url", "Method", "Twiml", "Status", "FallbackUrl", "FallbackMethod", "StatusCallback", "StatusCallbackMethod")
	if f.Get("Url") != "" && f.Get("Twiml") != "" {
		return reply{}, badRequest(20001, "Url and Twiml exclude each other")
	}
	next, e := api.instructionsInForm(r)
	if e != nil {
		return reply{}, e
	}
	switch status := f.Get("Status"); {
	case status != "" && status != account.StatusCompleted && status != account.StatusCanceled:
		e = badRequest(20001, "Status %s is invalid: want completed or canceled", status)
	case status != "":
		e = endCall(c, status)
	case next != nil:
		e = redirectCall(c, r, next)
	}
	if e != nil {
		return reply{}, e
	}
	return ok(callJSON(c))
}

// notInProgress is what Twilio answers to a change of a call that is over, or not answered yet.
// Programs know it by its code (Twilio docs: api/errors/21220).
func notInProgress() *apiError {
	return badRequest(21220, "Call is not in-progress. Cannot redirect.")
}

// endCall ends a call: canceled has an effect before it is answered alone.
func endCall(c *account.Call, status string) *apiError {
	c.Account.Lock()
	defer c.Account.Unlock()
	switch {
	case c.IsOverLocked():
		return notInProgress()
	case c.Status != account.StatusInProgress:
		c.EndLocked(account.StatusCanceled)
	case status == account.StatusCompleted:
		c.EndLocked(account.StatusCompleted)
	}
	return nil
}

// redirectCall gives a call that is in progress another document.
func redirectCall(c *account.Call, r *http.Request, next *account.Instructions) *apiError {
	c.Account.Lock()
	defer c.Account.Unlock()
	if c.Status != account.StatusInProgress {
		return notInProgress()
	}
	// The verb that runs sees the update and stops; see Call.InterruptLocked.
	c.Update = next
	if r.PostForm.Get("FallbackUrl") != "" {
		c.Fallback = targetInForm(r.PostForm, "FallbackUrl", "FallbackMethod")
	}
	if r.PostForm.Get("StatusCallback") != "" && next.URL != "" {
		// It takes effect with Url alone.
		c.Callbacks, _ = account.NewCallbackPlan(targetInForm(r.PostForm, "StatusCallback", "StatusCallbackMethod"), nil)
	}
	c.Updated = c.Account.Clock.Now()
	c.NotifyLocked()
	return nil
}

// listCalls is GET /Calls, newest first, with the filters To, From, ParentCallSid, Status,
// StartTime and EndTime.
func (api *API) listCalls(r *http.Request) (reply, *apiError) {
	q := r.URL.Query()
	startFits, e := timeFilter(r, "StartTime")
	if e != nil {
		return reply{}, e
	}
	endFits, e := timeFilter(r, "EndTime")
	if e != nil {
		return reply{}, e
	}
	// The lock is taken for the filter alone: callJSON takes it for each row.
	api.account.Lock()
	var found []*account.Call
	for _, c := range api.account.Calls {
		if matches(q.Get("To"), c.To) && matches(q.Get("From"), c.From) && matches(q.Get("ParentCallSid"), c.ParentSid) &&
			matches(q.Get("Status"), c.Status) && !c.Deleted && startFits(c.Dialed) && endFits(c.EndedAt) {
			found = append(found, c)
		}
	}
	api.account.Unlock()
	slices.SortStableFunc(found, func(a, b *account.Call) int { return cmp.Compare(b.Created.UnixNano(), a.Created.UnixNano()) })
	rows := make([]any, 0, len(found))
	for _, c := range found {
		rows = append(rows, callJSON(c))
	}
	return list(r, "calls", rows)
}
