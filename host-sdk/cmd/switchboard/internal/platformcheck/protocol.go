package platformcheck

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// agree looks at /protocol and at what a server does with what it does not know.
func (r *run) agree(ctx context.Context) error {
	c := r.must("protocol 1 is spoken")
	x := r.send(ctx, ask{method: http.MethodGet, path: "/protocol"})
	c.About = `{"protocols":[1],"name":"…","hints":"webhook"}`
	answer, ok := record.Read[wire.Protocol](x)
	switch {
	case !ok:
		c.Wrong("/protocol is answered with %s, which is not the JSON of the document.", x.Says())
		r.stop("/protocol cannot be read")
	case len(answer.Protocols) == 0:
		c.Wrong("The list protocols is missing in /protocol.")
		r.stop("no protocol in common")
	case !slices.Contains(answer.Protocols, 1):
		c.Wrong("/protocol lists %v, this switchboard speaks 1.", answer.Protocols)
		r.stop("no protocol in common")
	case !slices.Contains([]string{wire.HintsWebhook, wire.HintsChanges, wire.HintsNone}, answer.Hints):
		c.Wrong("hints of /protocol is %q: it is webhook, changes or none.", answer.Hints)
	}
	if c.Outcome == result.Wrong {
		c.Exchanges = []string{x.Text()}
	}
	r.protocol = answer
	r.report.Hints = answer.Hints
	r.report.Platform = strings.TrimSpace(answer.Name + " " + answer.Version)
	if r.stopped != "" {
		return nil
	}
	if c.Outcome == result.Right && answer.Hints == wire.HintsNone {
		c.Note("The platform sends no hints: callers may wait up to a minute for what happens on it.")
	}
	if answer.Limits.Concurrent == 1 {
		c.Note("limits.concurrent is 1: 2 are used all the same, so that questions do not wait for commands.")
	}
	r.spoken = true
	r.unknown(ctx)
	return nil
}

// unknown sends what a server does not know.
func (r *run) unknown(ctx context.Context) {
	if c := r.check("an unknown address is not found"); c != nil {
		c.About = "404 with a problem document of the kind not_found"
		judge(c, r.get(ctx, "/v1/livecall-test-unknown"), http.StatusNotFound, "not_found", "Add a handler for all other addresses.")
	}
	if c := r.check("a wrong method is refused"); c != nil {
		c.About = "405 with a problem document of the kind unsupported"
		judge(c, r.send(ctx, ask{method: http.MethodDelete, path: "/v1/capabilities", query: r.in()}), http.StatusMethodNotAllowed, "unsupported", "")
	}
	if c := r.check("unknown members and parameters are passed over"); c != nil {
		c.About = "the same answer as without them: later minor versions add some"
		q := r.in()
		q.Set("livecall_test", "1")
		for _, a := range []ask{
			{method: http.MethodGet, path: "/v1/health", query: url.Values{"livecall_test": {"1"}}},
			{method: http.MethodGet, path: "/v1/capabilities", query: q},
			{method: http.MethodPost, path: "/v1/destinations", query: q, body: map[string]any{
				"livecall_test": 1, "refs": []any{map[string]any{"kind": "team", "id": "livecall-test-unknown", "livecall_test": map[string]any{"x": nil}}},
			}},
		} {
			if x := r.send(ctx, a); x.Err != nil || x.Status != http.StatusOK {
				c.Wrong("%s %s with a member that is not known was answered with %s.", a.method, a.path, x.Says())
				c.Exchanges = append(c.Exchanges, x.Text())
			}
		}
	}
	if c := r.check("another major version is refused"); c != nil {
		x := r.send(ctx, ask{method: http.MethodGet, path: "/v99/health"})
		switch {
		case x.Err != nil || x.Status == http.StatusOK || x.Status >= 500:
			c.About = "412 with protocols, or 404 with a problem document"
			c.Wrong("GET /v99/health was answered with %s.", x.Says())
			c.Exchanges = []string{x.Text()}
		case x.Status != http.StatusPreconditionFailed:
			c.Note("GET /v99/health was answered with %s: 412 with the member protocols would say more.", x.Says())
		}
	}
}

// judge holds an answer against a status and a kind.
func judge(c *result.Check, x *record.Exchange, status int, kind, remedy string) {
	if x.Err == nil && x.Status == status && x.Kind() == kind {
		return
	}
	text := x.Method + " " + record.WithoutQuery(x.Target) + " was answered with " + x.Says()
	if x.Err == nil && x.Status >= 400 && x.Kind() == "" {
		text += ", without a problem document that has a kind (an HTML page or a framework's own error?)"
	}
	c.Wrong("%s", strings.TrimSpace(text+". "+remedy))
	c.Exchanges = append(c.Exchanges, x.Text())
}
