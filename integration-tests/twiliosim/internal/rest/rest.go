// Package rest is Twilio's REST API 2010-04-01, as far as calls by telephone need it.
//
//	rest.go        API, its routes, answers and errors
//	guard.go       what comes before every request: host, credentials, load, faults, the transcript
//	list.go        pages of list resources; times and filters
//	calls.go       /Calls
//	create.go      POST /Calls
//	queues.go      /Queues and their members
//	recordings.go  /Recordings and their media
//	numbers.go     /IncomingPhoneNumbers
package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/executor"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// Root is where the accounts' resources are.
const Root = "/2010-04-01/Accounts/"

// API answers REST requests.
type API struct {
	account  *account.Account
	executor *executor.Executor
	routes   *http.ServeMux

	// mu protects what is below; the account has a lock of its own.
	mu        sync.Mutex
	nextStart time.Time // when POST /Calls may start the next call
	active    int       // requests being served
}

// New returns the API of an account.
func New(a *account.Account, x *executor.Executor) *API {
	api := &API{account: a, executor: x, routes: http.NewServeMux()}
	for pattern, h := range api.handlers() {
		method, path, _ := strings.Cut(pattern, " ")
		api.routes.HandleFunc(method+" "+Root+"{account}"+path, func(w http.ResponseWriter, r *http.Request) {
			got, e := h(r)
			if e != nil {
				writeError(w, e)
				return
			}
			got.write(w)
		})
	}
	api.routes.HandleFunc("/", api.unknown)
	return api
}

// handlers are the routes below an account. With .json in the pattern a path is a list; a single
// resource takes its extension from the last segment, since media have others.
func (api *API) handlers() map[string]handler {
	return map[string]handler{
		"GET ": api.fetchAccount,

		"POST /Calls.json":  api.createCall,
		"GET /Calls.json":   api.listCalls,
		"GET /Calls/{call}": api.fetchCall, "POST /Calls/{call}": api.updateCall, "DELETE /Calls/{call}": api.deleteCall,

		"GET /Queues.json": api.listQueues, "POST /Queues.json": api.createQueue,
		"GET /Queues/{queue}":                   api.withQueue(api.fetchQueueLocked),
		"POST /Queues/{queue}":                  api.withQueue(api.updateQueueLocked),
		"DELETE /Queues/{queue}":                api.withQueue(api.deleteQueueLocked),
		"GET /Queues/{queue}/Members.json":      api.listMembers,
		"GET /Queues/{queue}/Members/{member}":  api.withMember(api.fetchMemberLocked),
		"POST /Queues/{queue}/Members/{member}": api.withMember(api.dequeueLocked),

		"GET /Recordings.json": api.listRecordings, "GET /Calls/{call}/Recordings.json": api.listRecordings,
		"GET /Recordings/{recording}": api.fetchRecording, "GET /Calls/{call}/Recordings/{recording}": api.fetchRecording,
		"DELETE /Recordings/{recording}": api.deleteRecording, "DELETE /Calls/{call}/Recordings/{recording}": api.deleteRecording,
		"GET /Recordings/{recording}/Transcriptions.json": api.listTranscriptions, "DELETE /Transcriptions/{transcription}": api.deleteTranscription,

		"GET /IncomingPhoneNumbers.json":      api.listNumbers,
		"GET /IncomingPhoneNumbers/{number}":  api.fetchNumber,
		"POST /IncomingPhoneNumbers/{number}": api.updateNumber,
	}
}

// handler answers one request.
type handler func(r *http.Request) (reply, *apiError)

// reply is a good answer: JSON, media, or nothing.
type reply struct {
	status      int
	body        any
	contentType string // of a []byte body
}

// ok is a reply with a resource.
func ok(body any) (reply, *apiError) { return reply{status: http.StatusOK, body: body}, nil }

// write sends the answer.
func (a reply) write(w http.ResponseWriter) {
	switch {
	case a.contentType != "":
		w.Header().Set("Content-Type", a.contentType)
		w.WriteHeader(a.status)
		data, _ := a.body.([]byte)
		_, _ = w.Write(data)
	case a.body == nil:
		w.WriteHeader(a.status)
	default:
		writeJSON(w, a.status, a.body)
	}
}

// apiError is an error answer, with Twilio's error code.
type apiError struct {
	status  int
	code    int
	message string
}

// notFound is Twilio's answer for a resource that the account does not have.
func notFound(r *http.Request) *apiError {
	return &apiError{404, 20404, "The requested resource " + r.URL.Path + " was not found"}
}

// badRequest is an error 400 with Twilio's code.
func badRequest(code int, format string, args ...any) *apiError {
	return &apiError{400, code, fmt.Sprintf(format, args...)}
}

// writeJSON sends a value as JSON.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// writeError sends an error in the shape that Twilio's clients decode (Twilio docs:
// usage/twilios-response, exceptions).
func writeError(w http.ResponseWriter, e *apiError) {
	writeJSON(w, e.status, map[string]any{"code": e.code, "message": e.message, "status": e.status,
		"more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", e.code)})
}

// unknown answers requests that no handler is for: 405 where another method would do, else 404.
// ServeMux by itself would answer with plain text, and Twilio's clients expect JSON.
func (api *API) unknown(w http.ResponseWriter, r *http.Request) {
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		probe := r.Clone(r.Context())
		probe.Method = m
		if _, pattern := api.routes.Handler(probe); pattern != "/" && pattern != "" {
			writeError(w, &apiError{405, 20004, "Method not allowed"})
			return
		}
	}
	writeError(w, notFound(r))
}

// fetchAccount is GET /Accounts/{Sid}: an active account, and no trial one.
func (api *API) fetchAccount(*http.Request) (reply, *apiError) {
	sid := api.account.Config.AccountSid
	return ok(map[string]any{"sid": sid, "friendly_name": "twiliosim", "status": "active", "type": "Full", "uri": Root + sid + ".json"})
}

// uri returns the path of a resource, without .json.
func uri(a *account.Account, parts ...string) string {
	return Root + a.Config.AccountSid + "/" + strings.Join(parts, "/")
}

// sidInPath reads a SID from the path; it reports false without .json after it.
func sidInPath(r *http.Request, name string) (sid string, asJSON bool) {
	// A pattern of ServeMux cannot end in the middle of a segment.
	return strings.CutSuffix(r.PathValue(name), ".json")
}

// callInRequest returns the call that a request is about, for the transcript; nil: none.
func (api *API) callInRequest(r *http.Request) *account.Call {
	for _, p := range strings.Split(strings.TrimSuffix(r.URL.Path, ".json"), "/") {
		if account.IsSid("CA", p) {
			return api.account.CallBySid(p)
		}
	}
	return nil
}

// isAbsoluteURL checks a URL parameter. Twilio does not request host names with underscores.
func isAbsoluteURL(v string) bool {
	u, err := url.Parse(v)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && !strings.Contains(u.Hostname(), "_")
}

// targetInForm reads a URL parameter and that of its method.
func targetInForm(form url.Values, address, method string) webhook.Target {
	return webhook.Target{URL: form.Get(address), Method: webhook.MethodOr(form.Get(method), http.MethodPost)}
}

// reportUnsimulated makes violations of parameters that Twilio has but this simulator does not act
// on: a program that relies on them would seem to work.
func (api *API) reportUnsimulated(r *http.Request, known ...string) {
	for k := range r.PostForm {
		if !slices.Contains(known, k) {
			api.account.Report(api.callInRequest(r), &problem.Problem{Code: 20001, Warning: true,
				Text: "twiliosim does not know the parameter " + k + " of " + r.Method + " " + r.URL.Path})
		}
	}
}
