package remote

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
	"github.com/livecallrouting/livecall/host-sdk/tracing"
	"github.com/oklog/ulid/v2"
)

// maxBody is the most that a body holds, both ways.
const maxBody = 1 << 20

// request is one question or command. Nothing in it depends on the protocol's number, which send
// puts before the path.
type request struct {
	name    string // as in the OpenAPI document, for findings
	method  string
	path    string // below the protocol's number, escaped
	query   url.Values
	body    any // nil: none
	purpose purpose
}

// noIntegration is sent where no integration asks: one is being set up, or the operator looks. The
// parameter is required, and platforms refuse an empty one.
const noIntegration = "-"

// in adds the scope. Tenant and integration are parameters, so that the path is the same for all.
func (p *Platform) in(scope platform.Scope, query url.Values) url.Values {
	if query == nil {
		query = url.Values{}
	}
	query.Set("integration", cmp.Or(scope.Integration, noIntegration))
	if tenant := p.tenant(scope); tenant != "" {
		query.Set("tenant", tenant)
	}
	return query
}

// tenant is the scope's, or else the one in the settings; "" where there is none.
func (p *Platform) tenant(scope platform.Scope) string {
	if scope.Tenant == "" {
		return p.cfg.Tenant
	}
	return scope.Tenant
}

// id escapes an id for a path, or says why it cannot be part of one. The error is final, and names
// the remedy on the platform's side.
func id(what, id string) (string, error) {
	if why := wire.CheckID(id); why != "" {
		return "", &integration.Error{Kind: integration.KindInvalid, Field: what, Message: "the id " + strconv.Quote(id) + " cannot be part of an address, " + why + ": rename it on the platform"}
	}
	return url.PathEscape(id), nil
}

// send sends a request below the agreed protocol's number, within the limits of its purpose, and
// reads the answer into out.
func (p *Platform) send(ctx context.Context, r request, limit time.Duration, out any) error {
	if err := ctx.Err(); err != nil {
		return over(err)
	}
	// The limit counts from here and includes agreeing and waiting for a place.
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// Commands are never held back here: they wait in the outbox, nobody hears that wait, and each
	// of them is also a try whether the platform is back.
	if r.purpose == question && !p.breaker.allow(time.Now(), p.times.down) {
		return platform.Away(integration.KindUnavailable, "the platform could not be connected to just now")
	}
	a, err := p.agree(ctx)
	if err != nil {
		return err
	}
	r.path = "/v" + strconv.Itoa(a.major) + r.path
	// A pool for each purpose: commands that pile up after an outage must not take the connections
	// of the question for which a caller waits.
	if pool := a.pools[r.purpose]; pool != nil {
		select {
		case pool <- struct{}{}:
			defer func() { <-pool }()
		case <-ctx.Done():
			return integration.Errorf(integration.KindDeadline, "the platform is busy with %d earlier requests", cap(pool))
		}
	}
	return p.exchange(ctx, r, out)
}

// exchange sends a request as it is. A question whose connection was reset before any byte of an
// answer is sent once more. It is used directly for /protocol, which belongs to no number.
func (p *Platform) exchange(ctx context.Context, r request, out any) error {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return integration.Errorf(integration.KindInvalid, "the request cannot be written: %w", err)
		}
		// Final, as the same command would be as large the next time.
		if len(body) > maxBody {
			return integration.Errorf(integration.KindInvalid, "the request has %d bytes, more than the %d that a platform takes", len(body), maxBody)
		}
	}
	resp, seen, err := p.try(ctx, r, body)
	// A server may close a kept connection at the moment at which it is used again. Commands are
	// not repeated here: the outbox does that, with the same number.
	if err != nil && r.purpose == question && seen.connected.Load() && !seen.answered.Load() && ctx.Err() == nil {
		resp, seen, err = p.try(ctx, r, body)
	}
	if err != nil {
		return p.noAnswer(ctx, r, seen, err)
	}
	defer func() { _ = resp.Body.Close() }()
	return p.read(ctx, r, resp, out)
}

// progress is how far a try came. It is written by the transport's goroutines while try waits.
type progress struct{ connected, answered atomic.Bool }

// try makes one attempt. The caller closes the body of the answer. progress says how far it came,
// also with an error: whether a command may have run depends on it.
func (p *Platform) try(ctx context.Context, r request, body []byte) (*http.Response, *progress, error) {
	seen := &progress{}
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { seen.connected.Store(true) },
		GotFirstResponseByte: func() { seen.answered.Store(true) },
	})
	address := p.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(traced, r.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, seen, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	// New for each attempt, so that both sides' logs can be laid beside each other.
	try := ulid.Make().String()
	req.Header.Set("Accept", "application/json, "+wire.ProblemType)
	req.Header.Set("Authorization", "Bearer "+p.credentials.Load().token)
	req.Header.Set("User-Agent", "switchboard/"+p.cfg.Version)
	req.Header.Set("Livecall-Request-Id", try)
	// What is left, and not the time at which it ends: the two machines have a clock each.
	if deadline, ok := ctx.Deadline(); ok {
		req.Header.Set("Livecall-Deadline-Ms", strconv.FormatInt(max(time.Until(deadline).Milliseconds(), 1), 10))
	}
	// The platform's own traces can then be joined to ours.
	tracing.Inject(ctx, req.Header)
	resp, err := p.client.Do(req) //nolint:bodyclose // by exchange
	switch {
	// A request that was answered badly still shows that the platform can be reached.
	case seen.connected.Load():
		p.breaker.connected()
	// A deadline that passed while connecting counts as a failure, too.
	case err != nil && !errors.Is(ctx.Err(), context.Canceled): // who asked has not given up
		p.breaker.failed(time.Now(), p.times.down)
	}
	p.log.Debug("asked the platform", "request", r.name, "try", try, "error", cause(err))
	return resp, seen, err
}

// noAnswer is the error of a request that was not answered. What may have taken effect is a
// deadline, what certainly did not is unavailable.
func (p *Platform) noAnswer(ctx context.Context, r request, seen *progress, err error) error {
	switch {
	case ctx.Err() != nil:
		return over(ctx.Err())
	// The command may have run. A deadline says so: its sender must not take it for one that never
	// arrived.
	case seen.connected.Load() && r.purpose == command:
		return platform.Away(integration.KindDeadline, "the platform did not answer: %w", cause(err))
	case seen.connected.Load():
		return platform.Away(integration.KindUnavailable, "the platform did not answer: %w", cause(err))
	}
	return platform.Away(integration.KindUnavailable, "the platform cannot be connected to: %w", cause(err))
}

// cause leaves out the address, which *url.Error repeats.
func cause(err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// over is the error of a request whose context has ended. Both kinds of ends are deadlines to the
// contract: whether the request took effect is unknown.
func over(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return platform.Away(integration.KindDeadline, "the platform did not answer in time: %w", err)
	}
	return integration.Errorf(integration.KindDeadline, "the request was given up: %w", err)
}
