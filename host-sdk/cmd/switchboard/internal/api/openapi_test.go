package api_test

import (
	"bytes"
	"io"
	"net/http"
	"sort"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// newHost serves the whole host; every answer of the API is held against the OpenAPI document.
func newHost(t *testing.T) *hosttest.Host {
	t.Helper()
	return serveAll(t, hosttest.New(t))
}

// serveAll is newHost for a host of which something was changed.
func serveAll(t *testing.T, h *hosttest.Host) *hosttest.Host {
	t.Helper()
	return serveOn(t, h, h.Platform)
}

// serveOn is serveAll whose pages and API see another platform.
func serveOn(t *testing.T, h *hosttest.Host, p platform.Platform) *hosttest.Host {
	t.Helper()
	handler, err := serve.Handler(serve.Site{
		Engine: h.Engine, Metrics: h.Metrics, Store: h.Store, Platform: p, Plugins: h.Plugins, PublicURL: h.URL,
		Attempts: httpkit.NewAttempts(h.Clock, httpkit.DefaultWrongTokens), People: h.People(nil), Clock: h.Clock, Logger: h.Logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Serve(handler)
	router := documentRouter(t, loadDocument(t))
	h.Check = func(r *http.Request, a hosttest.Answer) { checkAnswer(t, router, r, a) }
	return h
}

func loadDocument(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPIDocument)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

func documentRouter(t *testing.T, doc *openapi3.T) routers.Router {
	t.Helper()
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

func checkAnswer(t *testing.T, router routers.Router, r *http.Request, a hosttest.Answer) {
	t.Helper()
	if !strings.HasPrefix(r.URL.Path, apikit.Prefix+"/") {
		return
	}
	plain := r.Clone(r.Context())
	plain.URL.Scheme, plain.URL.Host, plain.Host = "", "", ""
	route, params, err := router.FindRoute(plain)
	if err != nil {
		if a.Status != http.StatusNotFound && a.Status != http.StatusMethodNotAllowed && a.Status != http.StatusUnauthorized {
			t.Errorf("%s %s is not in the document, and answered %d", r.Method, r.URL.Path, a.Status)
		}
		return
	}
	if mediaType := a.Header.Get("Content-Type"); strings.HasPrefix(mediaType, "audio/") || strings.HasPrefix(mediaType, "application/schema") || strings.HasPrefix(mediaType, "text/csv") || a.Status == http.StatusRequestedRangeNotSatisfiable {
		return // no JSON; their tests compare the bytes
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: plain, PathParams: params, Route: route},
		Status:                 a.Status, Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.Body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		t.Errorf("%s %s: the answer is not as the document says: %v\n%s", r.Method, r.URL.Path, err, a.Body)
	}
}

func TestDocumentAndRoutesAgree(t *testing.T) {
	t.Parallel()
	doc := loadDocument(t)
	var documented, served []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" "+path)
		}
	}
	for _, r := range api.New(api.Config{}).Routes() {
		served = append(served, r.Method+" "+r.Path)
	}
	sort.Strings(documented)
	sort.Strings(served)
	if diff := cmp.Diff(served, documented); diff != "" {
		t.Errorf("served (-) and documented (+) operations differ:\n%s", diff)
	}
}

func TestDocumentIsServed(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	if got := h.Want(200, "GET", "/api/v1/openapi.json", nil); !bytes.Equal(got.Body, api.OpenAPIDocument) {
		t.Error("what is served is not the document")
	}
}

// What an operation does not have in its query is refused, with what it has: a misspelt filter
// would read as a list that is whole. Each operation is asked, by the document alone.
func TestUnknownParametersAreRefused(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	fill := strings.NewReplacer("{id}", "x", "{name}", "x", "{sid}", "x", "{ref}", "x", "{note}", "x")
	for path, item := range loadDocument(t).Paths.Map() {
		for method, op := range item.Operations() {
			want := "this takes none"
			var names []string
			for _, p := range op.Parameters {
				if p.Value.In == "query" {
					names = append(names, p.Value.Name)
				}
			}
			if len(names) > 0 {
				want = "there are " + strings.Join(names, ", ")
			}
			a := h.Do(method, "/api/v1"+fill.Replace(path)+"?statsu=1", nil)
			if text := string(a.Body); a.Status != 400 || !strings.Contains(text, `parameter \"statsu\" is unknown: `+want) {
				t.Errorf("%s %s answers %d %s, want 400 with %q", method, path, a.Status, text, want)
			}
		}
	}
	for query, want := range map[string]string{
		"/calls?status=open":             `parameter \"status\" is unknown: there are integration, team, from, ended,`,
		"/calls.csv?limit=1":             `parameter \"limit\" is unknown`,
		"/alerts?ended=connected":        `parameter \"ended\" is unknown`,
		"/alerts?team=devops&team=other": "parameter team is given 2 times: give it once",
		"/calls?q=50%":                   "the query of the address cannot be read",
	} {
		if text := string(h.Want(400, "GET", "/api/v1"+query, nil).Body); !strings.Contains(text, want) {
			t.Errorf("%s answers %s, want %q", query, text, want)
		}
	}
}

// The check must be able to fail: an answer that lacks a key is noticed.
func TestDocumentRefusesOtherShapes(t *testing.T) {
	t.Parallel()
	doc := loadDocument(t)
	for name, body := range map[string]string{
		"missing key": `{"id": "devops"}`, "unknown key": `{"id": "devops", "name": "DevOps", "more": 1}`, "wrong type": `{"id": "devops", "name": 1}`,
	} {
		schema := doc.Components.Schemas["Team"].Value
		var v any
		hosttest.Answer{Body: []byte(body)}.JSON(t, &v)
		if schema.VisitJSON(v) == nil {
			t.Errorf("%s: %s is accepted", name, body)
		}
	}
}
