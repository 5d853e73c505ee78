package apikit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Problem is one refused or doubtful value. Path is its place in the body, with slashes.
type Problem struct {
	Path    string `json:"path"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// problemsView is the answer to values that were refused.
type problemsView struct {
	Problems []Problem `json:"problems"`
}

// Problems shows problems or warnings; none is an empty list.
func Problems(problems []integration.Problem) []Problem {
	views := make([]Problem, 0, len(problems))
	for _, p := range problems {
		views = append(views, Problem(p))
	}
	return views
}

// refusal is an error with a status of its own. It is for errors that no kind of the contract says.
type refusal struct {
	status  int
	kind    string
	message string
}

// Error implements error.
func (r *refusal) Error() string { return r.message }

// Refuse returns a refusal. The text is shown to people: it names the field and the remedy.
func Refuse(status int, kind, format string, args ...any) error {
	return &refusal{status: status, kind: kind, message: fmt.Sprintf(format, args...)}
}

// BadRequest is a refusal of kind invalid.
func BadRequest(format string, args ...any) error {
	return Refuse(http.StatusBadRequest, "invalid", format, args...)
}

// statusOf maps the closed set of error kinds to HTTP.
func statusOf(k integration.Kind) int {
	switch k {
	case integration.KindNotFound:
		return http.StatusNotFound
	case integration.KindConflict:
		return http.StatusConflict
	case integration.KindInvalid:
		return http.StatusBadRequest
	case integration.KindUnauthorized:
		// Credentials of the foreign service are wrong, not those of this API: 401 would tell a
		// client to give another token.
		return http.StatusBadGateway
	case integration.KindUnavailable:
		return http.StatusServiceUnavailable
	case integration.KindDeadline:
		return http.StatusGatewayTimeout
	case integration.KindUnsupported:
		return http.StatusNotImplemented
	case integration.KindInternal:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// Fail answers with an error. Texts of internal errors go to the log, never to a person. Nothing
// may have been written before.
func Fail(log *slog.Logger, w http.ResponseWriter, r *http.Request, err error) {
	var problems *engine.ProblemsError
	var own *refusal
	var shared *httpkit.Refusal
	var known *integration.Error
	switch {
	case errors.As(err, &problems):
		httpkit.WriteJSON(w, http.StatusUnprocessableEntity, problemsView{Problems(problems.Problems)})
	case errors.As(err, &own):
		httpkit.WriteError(w, own.status, own.kind, own.message)
	// Forms and people refuse with texts that pages show, too.
	case errors.As(err, &shared):
		kind := integration.KindInvalid
		if shared.Status == http.StatusNotFound {
			kind = integration.KindNotFound
		}
		httpkit.WriteError(w, shared.Status, string(kind), shared.Message)
	// Whatever error came of it, the cause is that the time was over.
	case r.Context().Err() != nil:
		httpkit.WriteError(w, http.StatusGatewayTimeout, string(integration.KindDeadline), "the request timed out: try again")
	case httpkit.Away(err) != "":
		what := httpkit.Away(err)
		log.WarnContext(r.Context(), "API request refused: the "+what+" does not answer", "request", httpkit.RequestID(r.Context()), "route", r.Pattern, "error", err.Error())
		w.Header().Set("Retry-After", "5")
		httpkit.WriteError(w, http.StatusServiceUnavailable, string(integration.KindUnavailable), "the "+what+" cannot be used at the moment: try again; if it stays away, the log of switchboard says why")
	case errors.As(err, &known) && known.Kind != integration.KindInternal:
		httpkit.WriteError(w, statusOf(known.Kind), string(known.Kind), known.Message)
	default:
		id := httpkit.RequestID(r.Context())
		log.ErrorContext(r.Context(), "API request failed", "request", id, "route", r.Pattern, "error", err.Error())
		httpkit.WriteError(w, http.StatusInternalServerError, string(integration.KindInternal), "internal error; the log has the details under request "+id)
	}
}

// ReadJSON reads one JSON object into v and refuses what v does not know, by name. An error is a
// refusal that can be shown.
func ReadJSON(w http.ResponseWriter, r *http.Request, v any) error {
	return ReadJSONOf(w, r, 1, v)
}

// ReadJSONOf is ReadJSON of a body of at most so many MiB.
func ReadJSONOf(w http.ResponseWriter, r *http.Request, most int64, v any) error {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most<<20))
	if err != nil {
		return BodyError(err, fmt.Sprintf("%d MiB", most))
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return BadRequest("the request has no body: send a JSON object")
	}
	// A misspelt name would otherwise be ignored, and the old value stay in force unnoticed.
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return BadRequest("%s", JSONMessage(err))
	}
	// Two objects in one body would be half ignored.
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return BadRequest("the body holds more than one JSON value: send one object")
	}
	return nil
}

// BodyError says why a body could not be read. limit is the size that the message names. A body
// that came too slowly is 408: the same by a faster line will do.
func BodyError(err error, limit string) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return Refuse(http.StatusRequestEntityTooLarge, "invalid", "the body is larger than %s", limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return Refuse(http.StatusRequestTimeout, string(integration.KindDeadline), "the body came too slowly: send a smaller one, or by a faster line")
	}
	return BadRequest("the body could not be read to its end")
}

// JSONMessage says what is wrong with a body without repeating any value of it, which may be a
// secret. Field names come from the client, and are no secrets.
func JSONMessage(err error) string {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("the body is not JSON: mistake at byte %d", syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the body is not JSON: it ends too early"
	case errors.As(err, &typ):
		field := typ.Field
		if field == "" {
			field = "the body"
		}
		return fmt.Sprintf("%s has the wrong type: want %s", field, jsonType(typ))
	// encoding/json has no type for this error; a test notices if its words change.
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return "unknown field " + strings.TrimPrefix(err.Error(), "json: unknown field ")
	}
	return "the body is not JSON of the documented shape"
}

// jsonType names the type that a field must have, in the words of JSON rather than Go.
func jsonType(e *json.UnmarshalTypeError) string {
	switch k := e.Type.Kind().String(); {
	case k == "bool":
		return "true or false"
	case k == "string":
		return "a string"
	case k == "slice":
		return "an array"
	case k == "struct" || k == "map":
		return "an object"
	case strings.HasPrefix(k, "int"), strings.HasPrefix(k, "float"):
		return "a number"
	}
	return "another type"
}

// QueryInt reads a number between 1 and most from the query; absent: fallback.
func QueryInt(r *http.Request, name string, fallback, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, BadRequest("%s must be a number from 1 to %d", name, most)
	}
	return n, nil
}

// QueryBool reads true or false from the query; absent: false.
func QueryBool(r *http.Request, name string) (bool, error) {
	switch r.URL.Query().Get(name) {
	case "":
		return false, nil
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, BadRequest("%s must be true or false", name)
}

// Moment is a time as answers show it; nil for none. Always UTC, so that clients need not look at
// the zone.
func Moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// List makes an empty list [] instead of null.
func List[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
