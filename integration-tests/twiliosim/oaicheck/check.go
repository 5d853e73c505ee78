package oaicheck

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Checker validates requests and answers against an OpenAPI document. It may be used from several
// goroutines.
type Checker struct {
	doc    *openapi3.T
	routes []route
}

// route is one path of the document; names are its parameters, in the order of pattern's groups.
type route struct {
	path    string
	pattern *regexp.Regexp
	names   []string
	item    *openapi3.PathItem
}

// opened holds the checkers by path: Twilio's document is large and slow to read.
var (
	opened   = map[string]*Checker{}
	openedMu sync.Mutex
)

// parameter finds the placeholders of a path, in their order.
var parameter = regexp.MustCompile(`\{([^}]+)\}`)

// Open reads a document; the same path is read once in a process.
func Open(path string) (*Checker, error) {
	openedMu.Lock()
	defer openedMu.Unlock()
	if c := opened[path]; c != nil {
		return c, nil
	}
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("OpenAPI document %s: %w", path, err)
	}
	c := &Checker{doc: doc}
	for _, p := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		r := route{path: p, item: doc.Paths.Find(p)}
		for _, m := range parameter.FindAllStringSubmatch(p, -1) {
			r.names = append(r.names, m[1])
		}
		quoted := regexp.QuoteMeta(p)
		r.pattern = regexp.MustCompile("^" + regexp.MustCompile(`\\\{[^}]+\\\}`).ReplaceAllString(quoted, `([^/]+?)`) + "$")
		c.routes = append(c.routes, r)
	}
	opened[path] = c
	return c, nil
}

// find matches a path; names in the document win over parameters.
func (c *Checker) find(r *http.Request) (*routers.Route, map[string]string, error) {
	var best *route
	var got []string
	for i := range c.routes {
		x := &c.routes[i]
		if m := x.pattern.FindStringSubmatch(r.URL.Path); m != nil && (best == nil || len(x.names) < len(best.names)) {
			best, got = x, m[1:]
		}
	}
	if best == nil {
		return nil, nil, fmt.Errorf("%s is not in the document", r.URL.Path)
	}
	op := best.item.GetOperation(r.Method)
	if op == nil {
		return nil, nil, fmt.Errorf("%s %s is not in the document", r.Method, best.path)
	}
	params := map[string]string{}
	for i, name := range best.names {
		params[name] = got[i]
	}
	return &routers.Route{Spec: c.doc, Path: best.path, PathItem: best.item, Method: r.Method, Operation: op}, params, nil
}

// media are sounds of recordings, of which the document knows nothing.
var media = regexp.MustCompile(`/Recordings/RE[0-9a-fA-F]{32}(\.wav|\.mp3)?$`)

// Handler serves by next and reports each request and each 2xx answer that Twilio's document does
// not allow. A request that next refuses for what it says (400, 404, 405) is not reported: the
// refusal does that.
func (c *Checker) Handler(next http.Handler, report func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/2010-04-01/") || media.MatchString(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "read body: "+err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		// The answer is recorded, so that it can be both validated and passed on.
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
		if rec.Code == http.StatusBadRequest || rec.Code == http.StatusNotFound || rec.Code == http.StatusMethodNotAllowed {
			return
		}
		// next has read the form; the validator reads it again, from body.
		copied := r.Clone(r.Context())
		copied.Form, copied.PostForm = nil, nil
		if err := c.Check(copied, body, rec.Code, rec.Header(), rec.Body.Bytes()); err != nil {
			report(fmt.Errorf("%s %s: %w", r.Method, r.URL.RequestURI(), err))
		}
	})
}

// Check validates one request and, if it is 2xx, its answer by the document.
func (c *Checker) Check(r *http.Request, body []byte, status int, header http.Header, answer []byte) error {
	found, params, err := c.find(r)
	if err != nil {
		return err
	}
	if err := c.unknown(r, body, found); err != nil {
		return err
	}
	if body, err = withoutCleared(body, found.Path); err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: found,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if status >= 300 {
		return nil
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: status, Header: header, Options: in.Options}
	out.SetBodyBytes(answer)
	if err := openapi3filter.ValidateResponse(r.Context(), out); err != nil {
		return fmt.Errorf("answer %d: %w", status, err)
	}
	return nil
}

// withoutCleared drops empty parameters of an update: an empty value clears a field, which the
// document, with its patterns for SIDs, cannot say.
func withoutCleared(body []byte, path string) ([]byte, error) {
	if len(body) == 0 || !strings.HasSuffix(path, "/{Sid}.json") {
		return body, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("form: %w", err)
	}
	for name, values := range form {
		if len(values) == 1 && values[0] == "" {
			delete(form, name)
		}
	}
	return []byte(form.Encode()), nil
}

// unknown finds parameters that the operation does not have: Twilio ignores them, so that a
// misspelt one does nothing.
func (c *Checker) unknown(r *http.Request, body []byte, found *routers.Route) error {
	known := map[string]bool{}
	for _, p := range found.Operation.Parameters {
		if p.Value.In == openapi3.ParameterInQuery {
			known[p.Value.Name] = true
		}
	}
	for name := range r.URL.Query() {
		if !known[name] {
			return fmt.Errorf("query parameter %q is not in the document", name)
		}
	}
	if len(body) == 0 {
		return nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return fmt.Errorf("form: %w", err)
	}
	if found.Operation.RequestBody == nil {
		return fmt.Errorf("a form where none is taken")
	}
	content := found.Operation.RequestBody.Value.Content.Get("application/x-www-form-urlencoded")
	for name, values := range form {
		p := content.Schema.Value.Properties[name]
		if p == nil {
			return fmt.Errorf("form parameter %q is not in the document", name)
		}
		if len(values) > 1 && !p.Value.Type.Is("array") {
			return fmt.Errorf("form parameter %q is given %d times", name, len(values))
		}
	}
	return nil
}
