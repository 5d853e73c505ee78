package remote_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
	"github.com/livecallrouting/livecall/internal/freeport"
)

const token = "a-token-of-more-than-32-characters"

var secret = []byte("twenty-four bytes or more")

func whsec(secret []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(secret) }

// product is a platform in memory that does everything the document says. Every request and answer
// is checked against the document.
type product struct {
	t       testing.TB
	doc     *openapi3.T
	server  *httptest.Server
	hintsTo string

	fault    atomic.Pointer[func(w http.ResponseWriter, r *http.Request, next http.Handler)]
	requests atomic.Int64
	protocol atomic.Pointer[wire.Protocol]

	mu      sync.Mutex
	alerts  map[wire.AlertRef]*wire.AlertSnapshot
	ran     []string        // "key number kind" of commands with a number of their own
	unsent  []wire.AlertRef // hints
	changed []wire.AlertRef
	more    chan struct{} // closed when something is added to changed
}

var people = map[string]wire.User{
	"alice": {ID: "alice", Name: "Alice Example", Email: "alice@example.com", Phones: []string{"+12025550143"}},
	"bob":   {ID: "bob", Name: "Bob Example", Email: "bob@example.com", Phones: []string{"+12025550144", "+12025550145"}},
	"carol": {ID: "carol", Name: "Carol Example", Email: "carol@example.com", Phones: []string{}},
}

var names = map[string]string{"devops": "DevOps", "support": "customer support", "idle": "Nobody"}

// layers has the user ids on call for each layer of each team.
var layers = map[string][][]string{"devops": {{"alice"}, {"bob", "carol"}}, "support": {{"bob"}}, "idle": {{}}}

// newProduct serves a product until the test ends.
func newProduct(t testing.TB, hints string) *product {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(remote.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	p := &product{t: t, doc: doc, alerts: map[wire.AlertRef]*wire.AlertSnapshot{}, more: make(chan struct{})}
	p.protocol.Store(&wire.Protocol{Protocols: []int{1}, Name: "Reference", Hints: hints})
	p.server = serve(t, freeport.Address(t), p.outer(p.routes()))
	t.Cleanup(p.server.Close)
	return p
}

// serve starts a server at an address of which a test may need it again.
func serve(t testing.TB, address string, handler http.Handler) *httptest.Server {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}}
	server.Start()
	return server
}

// outer counts requests and puts the fault before the product.
func (p *product) outer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests.Add(1)
		body, _ := io.ReadAll(r.Body) // only then does net/http notice that who asked has gone
		r.Body = io.NopCloser(bytes.NewReader(body))
		if fault := p.fault.Load(); fault != nil {
			(*fault)(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// breakIt puts a fault in; nil takes it out.
func (p *product) breakIt(fault func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	if fault == nil {
		p.fault.Store(nil)
		return
	}
	p.fault.Store(&fault)
}

// adapter returns an adapter for the product, and sends it the product's hints.
func (p *product) adapter(change func(*remote.Config)) *remote.Platform {
	p.t.Helper()
	cfg := remote.Config{URL: p.server.URL, Token: token, HintsSecrets: []string{whsec(secret)}, NoOwnHints: true, Version: "0.0.0", Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	out, err := remote.New(cfg)
	if err != nil {
		p.t.Fatal(err)
	}
	out.SetTimes(30*time.Second, 30*time.Second, time.Second, 10*time.Millisecond, 0, 50*time.Millisecond, 0)
	hints := httptest.NewServer(out.Hints())
	p.t.Cleanup(hints.Close)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hintsTo = hints.URL
	return out
}

type handler func(r *http.Request, scope wire.AlertRef) (any, *wire.Problem)

func (p *product) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]handler{
		"GET /protocol":                          func(*http.Request, wire.AlertRef) (any, *wire.Problem) { return p.protocol.Load(), nil },
		"GET /v1/health":                         func(*http.Request, wire.AlertRef) (any, *wire.Problem) { return struct{}{}, nil },
		"GET /v1/capabilities":                   p.capabilities,
		"POST /v1/destinations":                  p.destinations,
		"GET /v1/teams":                          p.teams,
		"GET /v1/teams/{id}/on-call":             p.onCall,
		"GET /v1/users/{id}":                     p.user,
		"POST /v1/routers/{id}/route":            p.route,
		"POST /v1/audience":                      p.audience,
		"GET /v1/alerts/{key}":                   p.alert,
		"PUT /v1/alerts/{key}/commands/{number}": p.command,
		"GET /v1/changes":                        p.changes,
		"/": func(*http.Request, wire.AlertRef) (any, *wire.Problem) {
			return nil, problem(404, "not_found", "no such address")
		},
	} {
		mux.Handle(pattern, p.serve(h))
	}
	return mux
}

func problem(status int, kind, detail string) *wire.Problem {
	return &wire.Problem{Type: "about:blank", Status: status, Kind: kind, Detail: detail}
}

// serve checks token, request and answer.
func (p *product) serve(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		in := p.checkRequest(r, body)
		var answer any
		fault := problem(401, "unauthorized", "wrong token")
		if r.Header.Get("Authorization") == "Bearer "+token {
			q := r.URL.Query()
			answer, fault = h(r, wire.AlertRef{Tenant: q.Get("tenant"), Integration: q.Get("integration"), AlertKey: r.PathValue("key")})
		}
		status, media := http.StatusOK, "application/json"
		if fault != nil {
			answer, status, media = fault, fault.Status, wire.ProblemType
		}
		text, err := json.Marshal(answer)
		if err != nil {
			p.t.Error(err)
		}
		w.Header().Set("Content-Type", media)
		if in != nil {
			err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
				RequestValidationInput: in, Status: status, Header: w.Header(), Options: in.Options, Body: io.NopCloser(bytes.NewReader(text)),
			})
			if err != nil {
				p.t.Errorf("the answer to %s %s is not as in the document: %v", r.Method, r.URL.Path, err)
			}
		}
		w.WriteHeader(status)
		_, _ = w.Write(text)
	})
}

func (p *product) checkRequest(r *http.Request, body []byte) *openapi3filter.RequestValidationInput {
	_, path, _ := strings.Cut(r.Pattern, " ")
	item := p.doc.Paths.Find(path)
	if item == nil {
		return nil
	}
	params := map[string]string{}
	for _, name := range []string{"id", "key", "number"} {
		if value := r.PathValue(name); value != "" {
			params[name] = value
		}
	}
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, QueryParams: r.URL.Query(),
		Route:   &routers.Route{Spec: p.doc, Path: path, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
		p.t.Errorf("the request %s %s is not as in the document: %v", r.Method, r.URL, err)
	}
	if ms, err := strconv.Atoi(r.Header.Get("Livecall-Deadline-Ms")); err != nil || ms < 1 || r.Header.Get("Livecall-Request-Id") == "" || !strings.HasPrefix(r.UserAgent(), "switchboard/") {
		p.t.Errorf("the request %s %s has the headers %v", r.Method, r.URL, r.Header)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return in
}

func (p *product) capabilities(*http.Request, wire.AlertRef) (any, *wire.Problem) {
	return wire.Capabilities{UnroutedAlerts: true, Reopen: true, Escalate: true, AcknowledgeAs: true, AcknowledgedByUser: true, Annotations: true, Routers: true, Audiences: true}, nil
}

func destination(kind, id string) wire.Destination {
	d := wire.Destination{Kind: kind, ID: id, Name: names[id]}
	if kind == "router" && id == "main" {
		d.Name = "Main"
	}
	d.Missing = d.Name == "" || kind == "router" && id != "main"
	return d
}

func read[T any](r *http.Request) (out T) {
	_ = json.NewDecoder(r.Body).Decode(&out) // checked against the document
	return out
}

func (p *product) destinations(r *http.Request, _ wire.AlertRef) (any, *wire.Problem) {
	out := wire.DestinationsAnswer{Destinations: []wire.Destination{}}
	for _, ref := range read[wire.DestinationsQuestion](r).Refs {
		out.Destinations = append(out.Destinations, destination(ref.Kind, ref.ID))
	}
	return out, nil
}

func (p *product) teams(*http.Request, wire.AlertRef) (any, *wire.Problem) {
	return wire.TeamsAnswer{Teams: []wire.Destination{destination("team", "idle"), destination("team", "devops"), destination("team", "support")}}, nil
}

func (p *product) onCall(r *http.Request, _ wire.AlertRef) (any, *wire.Problem) {
	team, known := layers[r.PathValue("id")]
	if !known {
		return nil, problem(404, "not_found", "there is no such team")
	}
	asked, _ := strconv.Atoi(r.URL.Query().Get("layer"))
	out := wire.OnCallAnswer{OnCall: []wire.OnCallEntry{}}
	for i, users := range team {
		for _, id := range users {
			if asked == 0 || asked == i+1 {
				out.OnCall = append(out.OnCall, wire.OnCallEntry{Layer: i + 1, User: people[id]})
			}
		}
	}
	return out, nil
}

func (p *product) user(r *http.Request, _ wire.AlertRef) (any, *wire.Problem) {
	if u, known := people[r.PathValue("id")]; known {
		return u, nil
	}
	return nil, problem(404, "not_found", "there is no such user")
}

func (p *product) route(r *http.Request, _ wire.AlertRef) (any, *wire.Problem) {
	if r.PathValue("id") != "main" {
		return nil, problem(404, "not_found", "there is no such router")
	}
	return wire.RouteVerdict{Receivers: []wire.Destination{}, Default: []wire.Destination{destination("team", "support")}, Notes: []string{}, Trace: []string{"main: nothing matched"}}, nil
}

func (p *product) audience(r *http.Request, _ wire.AlertRef) (any, *wire.Problem) {
	out := wire.AudienceAnswer{Emails: []string{}}
	for _, id := range read[wire.AudienceQuestion](r).Teams {
		team, known := layers[id]
		if !known {
			return nil, problem(404, "not_found", "there is no such team")
		}
		for _, user := range slices.Concat(team...) {
			out.Emails = append(out.Emails, people[user].Email) // doubles are the adapter's affair
		}
	}
	return out, nil
}

func (p *product) alert(_ *http.Request, at wire.AlertRef) (any, *wire.Problem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.alerts[at]; a != nil {
		return *a, nil
	}
	return nil, problem(404, "not_found", "there is no such alert")
}

// command is the heart of the protocol: the number decides, and an error changes nothing.
func (p *product) command(r *http.Request, at wire.AlertRef) (any, *wire.Problem) {
	number, _ := strconv.ParseInt(r.PathValue("number"), 10, 64)
	cmd := read[wire.AlertCommand](r)
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.alerts[at]
	switch {
	case a == nil && cmd.Kind != "create":
		return nil, problem(404, "not_found", "there is no such alert")
	case a == nil:
		a = &wire.AlertSnapshot{Key: at.AlertKey, ID: fmt.Sprintf("A-%d", len(p.alerts)+1), Status: "queued", Teams: []string{}, Acknowledgements: []wire.Acknowledgement{}}
	case number <= a.LastCommand:
		return *a, nil
	}
	next := *a
	next.Teams, next.Acknowledgements, next.Declined = slices.Clone(a.Teams), slices.Clone(a.Acknowledgements), slices.Clone(a.Declined)
	if fault := run(&next, cmd, number); fault != nil {
		return nil, fault
	}
	next.LastCommand = number
	next.Change++
	p.alerts[at] = &next
	p.ran = append(p.ran, fmt.Sprint(at.AlertKey, " ", number, " ", cmd.Kind))
	p.hint(at)
	return next, nil
}

// on says who is on call for the alert in a layer.
func on(a *wire.AlertSnapshot, layer int) []string {
	var out []string
	for _, team := range a.Teams {
		if l := layers[team]; layer >= 1 && layer <= len(l) {
			out = append(out, l[layer-1]...)
		}
	}
	return out
}

// page goes to the first layer after one that has anybody on call; false if there is none.
func page(a *wire.AlertSnapshot, after int) bool {
	for layer := after + 1; layer < 10; layer++ {
		if users := on(a, layer); len(users) > 0 {
			a.Layer, a.Round, a.Status = layer, 1, "open"
			a.Declined = slices.DeleteFunc(a.Declined, func(u string) bool { return slices.Contains(users, u) })
			return true
		}
	}
	return false
}

func run(a *wire.AlertSnapshot, cmd wire.AlertCommand, number int64) *wire.Problem {
	switch cmd.Kind {
	case "create", "log", "add_field", "attach":
	case "route":
		return routeTo(a, cmd.Teams)
	case "acknowledge":
		if _, known := people[cmd.User]; !known {
			return problem(404, "not_found", "there is no such user")
		}
		if a.Status != "acknowledged" && a.Status != "resolved" {
			a.Status = "acknowledged"
			a.Declined = slices.DeleteFunc(a.Declined, func(u string) bool { return u == cmd.User })
			a.Acknowledgements = append(a.Acknowledgements, wire.Acknowledgement{ID: fmt.Sprintf("%s-%d", a.ID, number), User: cmd.User, At: time.Now().UTC(), Command: number})
		}
	case "reopen":
		reopen(a, cmd.Ack)
	case "decline":
		if users := on(a, a.Layer); a.Status == "open" && slices.Contains(users, cmd.User) && !slices.Contains(a.Declined, cmd.User) {
			a.Declined = append(a.Declined, cmd.User)
			if !slices.ContainsFunc(users, func(u string) bool { return !slices.Contains(a.Declined, u) }) {
				page(a, a.Layer)
			}
		}
	case "escalate":
		if a.Status == "open" && a.Layer == cmd.Layer && a.Round == cmd.Round {
			page(a, a.Layer)
		}
	case "resolve":
		a.Status = "resolved"
	default:
		return problem(501, "unsupported", "command "+cmd.Kind+" is not known")
	}
	return nil
}

func routeTo(a *wire.AlertSnapshot, teams []string) *wire.Problem {
	for _, team := range teams {
		if layers[team] == nil {
			return problem(404, "not_found", "there is no such team")
		}
	}
	if a.Status != "queued" && slices.Equal(a.Teams, teams) {
		return nil
	}
	a.Teams = teams
	if slices.Contains([]string{"queued", "open", "dropped"}, a.Status) && !page(a, 0) {
		a.Status, a.Layer, a.Round = "dropped", 0, 0
	}
	return nil
}

func reopen(a *wire.AlertSnapshot, ack string) {
	if ack == "" {
		if a.Status == "resolved" || a.Status == "dropped" {
			a.Acknowledgements = []wire.Acknowledgement{}
			page(a, 0)
		}
		return
	}
	before := len(a.Acknowledgements)
	a.Acknowledgements = slices.DeleteFunc(a.Acknowledgements, func(k wire.Acknowledgement) bool { return k.ID == ack })
	if len(a.Acknowledgements) == 0 && before == 1 && a.Status == "acknowledged" {
		a.Status = "open"
		page(a, max(a.Layer, 1)-1) // the same people once more
	}
}

// hint says that an alert changed, by the way that the product promises.
func (p *product) hint(at wire.AlertRef) {
	switch p.protocol.Load().Hints {
	case wire.HintsChanges:
		p.changed = append(p.changed, at)
		close(p.more)
		p.more = make(chan struct{})
	case wire.HintsWebhook:
		p.unsent = append(p.unsent, at)
		if len(p.unsent) == 1 {
			go p.sendHints()
		}
	}
}

// sendHints sends what has gathered, a hint at a time.
func (p *product) sendHints() {
	for {
		p.mu.Lock()
		some := slices.Clone(p.unsent[:min(len(p.unsent), 100)])
		to := p.hintsTo
		p.mu.Unlock()
		p.post(to, some...)
		p.mu.Lock()
		p.unsent = p.unsent[len(some):]
		done := len(p.unsent) == 0
		p.mu.Unlock()
		if done {
			return
		}
	}
}

func (p *product) post(to string, at ...wire.AlertRef) {
	body, _ := json.Marshal(wire.Event{Type: wire.EventAlertChanged, Timestamp: time.Now().UTC(), Data: wire.EventData{Alerts: at}})
	for range 3 {
		if resp, err := http.DefaultClient.Do(signed(to, body, nil)); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusNoContent {
				return
			}
			// 429: the next second.
			time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
		}
	}
}

// signed is a hint as it should be; change spoils it.
func signed(to string, body []byte, change func(h http.Header, mac func(content string) []byte)) *http.Request {
	r, _ := http.NewRequest(http.MethodPost, to, bytes.NewReader(body))
	mac := func(content string) []byte {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(content))
		return m.Sum(nil)
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("webhook-id", "msg_1")
	r.Header.Set("webhook-timestamp", stamp)
	r.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac("msg_1."+stamp+"."+string(body))))
	if change != nil {
		change(r.Header, mac)
	}
	return r
}

func (p *product) changes(r *http.Request, _ wire.AlertRef) (any, *wire.Problem) {
	q := r.URL.Query()
	seconds, _ := strconv.Atoi(q.Get("wait"))
	until := time.After(time.Duration(seconds) * time.Second)
	p.mu.Lock()
	defer p.mu.Unlock()
	after, err := strconv.Atoi(q.Get("after"))
	switch {
	case q.Get("after") == "":
		after = len(p.changed)
	case err != nil || after > len(p.changed):
		return nil, problem(410, "not_found", "the cursor is too old")
	}
	for waiting := q.Get("after") != ""; waiting && after == len(p.changed); {
		more := p.more
		p.mu.Unlock()
		select {
		case <-more:
		case <-until:
			waiting = false
		case <-r.Context().Done():
			waiting = false
		}
		p.mu.Lock()
	}
	return wire.Changes{Cursor: strconv.Itoa(len(p.changed)), Alerts: append([]wire.AlertRef{}, p.changed[after:]...)}, nil
}

// commands lists what ran on an alert.
func (p *product) commands(key string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, line := range p.ran {
		if rest, ok := strings.CutPrefix(line, key+" "); ok {
			out = append(out, rest)
		}
	}
	return out
}

var scope = platform.Scope{Integration: "int-1"}

// first are the commands that every call begins with.
func first(key string) []integration.AlertCommand {
	return []integration.AlertCommand{
		{Number: 1, Kind: integration.AlertCreate, AlertKey: key, At: time.Now(), Draft: &integration.AlertDraft{Title: "Call"}},
		{Number: 2, Kind: integration.AlertRoute, AlertKey: key, At: time.Now(), Teams: []string{"devops"}},
		{Number: 3, Kind: integration.AlertAcknowledge, AlertKey: key, At: time.Now(), User: "alice"},
	}
}
