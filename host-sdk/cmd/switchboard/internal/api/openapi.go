package api

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
)

// OpenAPIDocument describes the API (OpenAPI 3.0).
//
//go:embed openapi.json
var OpenAPIDocument []byte

// openAPI answers GET /openapi.json, to whoever may use the API at all.
func (a *API) openAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(OpenAPIDocument) // the client is gone if this fails
	return nil
}

// queryNames are the parameters that the query of an operation may have, by its method and path, as
// the document says.
var queryNames = sync.OnceValue(func() map[string][]string {
	// Of a path's members the operations alone are objects with parameters.
	type operation struct {
		Parameters []struct{ Name, In string }
	}
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(OpenAPIDocument, &document); err != nil {
		panic("openapi.json: " + err.Error()) // it is part of the program
	}
	names := map[string][]string{}
	for path, members := range document.Paths {
		for method, text := range members {
			var op operation
			if json.Unmarshal(text, &op) != nil { // parameters of the path itself
				continue
			}
			key := strings.ToUpper(method) + " " + path
			for _, parameter := range op.Parameters {
				if parameter.In == "query" {
					names[key] = append(names[key], parameter.Name)
				}
			}
		}
	}
	return names
})

// checkQuery refuses a query with a parameter that the operation does not have, or has twice: what
// is misspelt would be ignored, and the answer read as what was asked for.
func checkQuery(route apikit.Route, r *http.Request) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return apikit.BadRequest("the query of the address cannot be read: write %% as %%25, & as %%26 and ; as %%3B in values")
	}
	known := queryNames()[route.Method+" "+route.Path]
	for name, values := range given {
		switch {
		case len(known) == 0:
			return apikit.BadRequest("parameter %.60q is unknown: this takes none", name)
		case !slices.Contains(known, name):
			return apikit.BadRequest("parameter %.60q is unknown: there are %s", name, strings.Join(known, ", "))
		case len(values) > 1:
			return apikit.BadRequest("parameter %s is given %d times: give it once", name, len(values))
		}
	}
	return nil
}
