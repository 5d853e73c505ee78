package api

import (
	_ "embed"
	"net/http"
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
