package campaign

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// What becomes of a platform's hints and answers.
const (
	hintsArrive  = ""
	hintsLost    = "lost"
	hintsDoubled = "doubled"
	hintsLate    = "late"
	platformDown = "down" // questions and commands are refused; hints arrive
)

const (
	outsideToken  = "a-token-for-the-platform-of-the-campaign"
	outsideSecret = "twenty-four bytes or some more"
)

// outside is a platform of another product: it keeps people and alerts as the embedded one does,
// but in a process that is not the host's, and is asked over HTTP. A campaign may have it in place
// of the host's own, and disturb what it says.
type outside struct {
	*embedded.Platform
	URL     string
	clock   clock.Clock
	hintsTo string
	db      *sqldb.DB
	server  *http.Server
	end     context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	fate  string
	delay time.Duration // of late hints
}

// openOutside serves a platform whose people are in a switchboard file. It sends its hints to the
// address of a host.
func openOutside(ctx context.Context, dir, file string, clk clock.Clock) (o *outside, err error) {
	o = &outside{clock: clk}
	log := slog.New(slog.DiscardHandler)
	source, err := switchboardfile.Open(ctx, switchboardfile.SourceConfig{Path: file, Clock: clk, Logger: log})
	if err != nil {
		return nil, err
	}
	if o.db, err = sqldb.Open(ctx, "sqlite:"+filepath.Join(dir, "platform.db")); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, o.db.Close())
	}
	o.URL = "http://" + listener.Addr().String()
	o.Platform, err = embedded.New(ctx, embedded.Config{File: source, DB: o.db, Clock: clk, Logger: log,
		AlertURL: func(id string) string { return o.URL + "/alerts/" + id }})
	if err != nil {
		return nil, errors.Join(err, listener.Close(), o.db.Close())
	}
	o.server = &http.Server{Handler: o.handler(), ReadHeaderTimeout: 10 * time.Second}
	var running context.Context
	running, o.end = context.WithCancel(context.WithoutCancel(ctx))
	o.running.Go(func() { _ = o.server.Serve(listener) })
	o.running.Go(func() { _ = o.Run(running) })
	return o, nil
}

// hint sends hints to a host's address from now on, until the platform is closed.
func (o *outside) hint(publicURL string) {
	o.hintsTo = publicURL + remote.HintsPath
	ctx, cancel := context.WithCancel(context.Background())
	before := o.end
	o.end = func() { cancel(); before() }
	o.running.Go(func() { _ = o.Watch(ctx, func(h platform.Hint) { o.send(ctx, h) }) })
}

func (o *outside) close() error {
	o.end()
	err := o.server.Close()
	o.running.Wait()
	return errors.Join(err, o.db.Close())
}

// set says what becomes of hints and answers from now on.
func (o *outside) set(fate string, delay time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fate, o.delay = fate, delay
}

func (o *outside) now() (fate string, delay time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fate, o.delay
}

// yaml is the switchboard file of a host with this platform.
func (o *outside) yaml() string {
	return fmt.Sprintf("platform: {kind: remote, url: %q, token: {env: CAMPAIGN_TOKEN}, hints_secret: {env: CAMPAIGN_SECRET}}\n", o.URL)
}

// env holds the secrets that yaml names.
func (o *outside) env() []string {
	return []string{"CAMPAIGN_TOKEN=" + outsideToken, "CAMPAIGN_SECRET=whsec_" + base64.StdEncoding.EncodeToString([]byte(outsideSecret))}
}

// send sends a hint, as far as its fate allows. A hint that the host does not take is lost.
func (o *outside) send(ctx context.Context, h platform.Hint) {
	if h.AlertKey == "" {
		return // that people have changed is not a hint of this protocol
	}
	fate, delay := o.now()
	switch fate {
	case hintsLost:
	case hintsDoubled:
		o.post(ctx, h)
		o.post(ctx, h)
	case hintsLate:
		o.running.Go(func() {
			if clock.Sleep(ctx, o.clock, delay) == nil {
				o.post(ctx, h)
			}
		})
	default:
		o.post(ctx, h)
	}
}

// post signs a hint by the rules of Standard Webhooks and sends it once.
func (o *outside) post(ctx context.Context, h platform.Hint) {
	now := o.clock.Now().UTC()
	// Plain values.
	body, _ := json.Marshal(wire.Event{Type: wire.EventAlertChanged, Timestamp: now, Data: wire.EventData{
		Alerts: []wire.AlertRef{{Tenant: h.Scope.Tenant, Integration: h.Scope.Integration, AlertKey: h.AlertKey}}}})
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.hintsTo, bytes.NewReader(body))
	if err != nil {
		return
	}
	id, stamp := "msg_"+h.AlertKey, strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(outsideSecret))
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", stamp)
	req.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
	}
}

// handler is the protocol of package remote, over the embedded platform.
func (o *outside) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, ask := range map[string]func(*http.Request, platform.Scope) (any, error){
		"GET /protocol": func(*http.Request, platform.Scope) (any, error) {
			return wire.Protocol{Protocols: []int{1}, Name: "Campaign", Hints: wire.HintsWebhook, Limits: wire.Limits{Concurrent: 64}}, nil
		},
		"GET /v1/health": func(r *http.Request, _ platform.Scope) (any, error) { return struct{}{}, o.Health(r.Context()) },
		"GET /v1/capabilities": func(r *http.Request, scope platform.Scope) (any, error) {
			c, err := o.Capabilities(r.Context(), scope)
			return wire.FromCapabilities(c), err
		},
		"POST /v1/destinations":                  o.askDestinations,
		"GET /v1/teams":                          o.askTeams,
		"GET /v1/teams/{id}/on-call":             o.askOnCall,
		"GET /v1/users/{id}":                     o.askUser,
		"POST /v1/audience":                      o.askAudience,
		"GET /v1/alerts/{key}":                   o.askAlert,
		"PUT /v1/alerts/{key}/commands/{number}": o.askCommand,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			answer, err := any(nil), o.admit(r)
			if err == nil {
				answer, err = ask(r, platform.Scope{Tenant: q.Get("tenant"), Integration: q.Get("integration")})
			}
			o.answer(w, answer, err)
		})
	}
	return mux
}

// admit is an error for who has no token, and for everybody while the platform is down.
func (o *outside) admit(r *http.Request) error {
	if r.Header.Get("Authorization") != "Bearer "+outsideToken {
		return integration.Errorf(integration.KindUnauthorized, "wrong token")
	}
	if fate, _ := o.now(); fate == platformDown {
		return integration.Errorf(integration.KindUnavailable, "the platform is down on demand")
	}
	return nil
}

// statusOf has the protocol's statuses of kinds of errors.
var statusOf = map[integration.Kind]int{
	integration.KindNotFound: http.StatusNotFound, integration.KindConflict: http.StatusConflict, integration.KindInvalid: http.StatusBadRequest,
	integration.KindUnauthorized: http.StatusUnauthorized, integration.KindUnavailable: http.StatusServiceUnavailable,
	integration.KindDeadline: http.StatusGatewayTimeout, integration.KindUnsupported: http.StatusNotImplemented,
}

func (o *outside) answer(w http.ResponseWriter, answer any, err error) {
	status, media := http.StatusOK, "application/json"
	if err != nil {
		kind := integration.KindOf(err)
		if status = statusOf[kind]; status == 0 {
			status = http.StatusInternalServerError
		}
		answer, media = wire.Problem{Status: status, Kind: string(kind), Detail: err.Error()}, wire.ProblemType
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // who asked has gone if this fails
}

// readBody reads the JSON of a question.
func readBody[T any](r *http.Request) (out T, err error) {
	if err = json.NewDecoder(r.Body).Decode(&out); err != nil {
		err = integration.Errorf(integration.KindInvalid, "the body is no question: %w", err)
	}
	return out, err
}

func (o *outside) askDestinations(r *http.Request, scope platform.Scope) (any, error) {
	q, err := readBody[wire.DestinationsQuestion](r)
	if err != nil {
		return nil, err
	}
	refs := make([]platform.Ref, 0, len(q.Refs))
	for _, ref := range q.Refs {
		refs = append(refs, platform.Ref{Kind: integration.DestinationKind(ref.Kind), ID: ref.ID})
	}
	list, err := o.Destinations(r.Context(), scope, refs)
	return wire.DestinationsAnswer{Destinations: each(list, wire.FromDestination)}, err
}

func (o *outside) askTeams(r *http.Request, scope platform.Scope) (any, error) {
	list, err := o.Teams(r.Context(), scope)
	return wire.TeamsAnswer{Teams: each(list, wire.FromDestination)}, err
}

func (o *outside) askOnCall(r *http.Request, scope platform.Scope) (any, error) {
	q := r.URL.Query()
	layer, err := strconv.Atoi(q.Get("layer"))
	if err != nil {
		return nil, integration.Errorf(integration.KindInvalid, "layer %q is no number", q.Get("layer"))
	}
	at, err := time.Parse(time.RFC3339Nano, q.Get("at"))
	if err != nil {
		return nil, integration.Errorf(integration.KindInvalid, "at %q is no time", q.Get("at"))
	}
	list, err := o.OnCall(r.Context(), scope, r.PathValue("id"), layer, at)
	return wire.OnCallAnswer{OnCall: each(list, wire.FromOnCall)}, err
}

func (o *outside) askUser(r *http.Request, scope platform.Scope) (any, error) {
	u, err := o.User(r.Context(), scope, r.PathValue("id"))
	return wire.FromUser(u), err
}

func (o *outside) askAudience(r *http.Request, scope platform.Scope) (any, error) {
	q, err := readBody[wire.AudienceQuestion](r)
	if err != nil {
		return nil, err
	}
	list, err := o.Audience(r.Context(), scope, integration.Audience(q.Audience), q.Teams, q.At)
	return wire.AudienceAnswer{Emails: append([]string{}, list...)}, err
}

func (o *outside) askAlert(r *http.Request, scope platform.Scope) (any, error) {
	a, err := o.Alert(r.Context(), scope, r.PathValue("key"))
	return wire.FromSnapshot(a), err
}

func (o *outside) askCommand(r *http.Request, scope platform.Scope) (any, error) {
	number, err := strconv.ParseInt(r.PathValue("number"), 10, 64)
	if err != nil {
		return nil, integration.Errorf(integration.KindInvalid, "number %q is none", r.PathValue("number"))
	}
	cmd, err := readBody[wire.AlertCommand](r)
	if err != nil {
		return nil, err
	}
	if err := o.Apply(r.Context(), scope, cmd.Contract(r.PathValue("key"), number)); err != nil {
		return nil, err
	}
	return o.askAlert(r, scope)
}

// alerts lists the newest alerts of an integration, as the host's API shows those of its own.
func (o *outside) alerts(ctx context.Context, integrationID string) ([]alertFacts, error) {
	list, _, err := o.ListAlerts(ctx, platform.AlertFilter{Integration: integrationID, Limit: 1000})
	return each(list, func(a platform.AlertRecord) alertFacts {
		f := alertFacts{ID: a.ID, Key: a.Key, Status: string(a.Status), Title: a.Title, DestinationTeams: a.Teams, Layer: a.Layer}
		for _, m := range a.Attachments {
			f.Attachments = append(f.Attachments, attachmentFacts{Label: m.Label, Ref: m.Media.Ref, Duration: m.Media.Duration.Seconds()})
		}
		for _, l := range a.Log {
			f.Log = append(f.Log, logFacts{Time: l.At, Actor: l.Actor, Message: l.Message})
		}
		return f
	}), err
}

// each converts a list, which is never null in JSON.
func each[A, B any](list []A, convert func(A) B) []B {
	out := make([]B, 0, len(list))
	for _, one := range list {
		out = append(out, convert(one))
	}
	return out
}
