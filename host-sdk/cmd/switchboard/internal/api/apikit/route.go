package apikit

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
)

// Prefix is where the API is mounted.
const Prefix = "/api/v1"

// NothingHere is what is said where there is no route. A client tells by it that the host is of
// another version: what a route refuses is worded by the route.
const NothingHere = "there is nothing at this address: see " + Prefix + "/openapi.json"

// Route is one operation. Tests hold that each is in the OpenAPI document.
type Route struct {
	Method  string
	Path    string        // below Prefix, with {parameters} as in OpenAPI and net/http
	Needs   people.Action // what whoever asks must be allowed to do
	Handler Handler
	// Action is the audit's word for the operation, "": it is not audited. Of is the parameter that
	// says what it is done to; "": the handler says it.
	Action, Of string
}

// Handler either answers or returns an error, never both.
type Handler func(http.ResponseWriter, *http.Request) error

// Quiet is a route that is not audited.
func Quiet(method, path string, needs people.Action, h Handler) Route {
	return Route{Method: method, Path: path, Needs: needs, Handler: h}
}

// Audited is a route that is audited, by a word and a parameter of the path; see [Route].
func Audited(method, path string, needs people.Action, h Handler, action, of string) Route {
	return Route{method, path, needs, h, action, of}
}

// MaxList bounds lists. Who wants more than the newest filters, or follows the cursor of calls.
const MaxList = 1000

// Team is a team with its name.
type Team struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}
