package platformcheck

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// call is an alert of a check's own, with its commands numbered. Its key is random, so that runs do
// not meet each other's alerts.
type call struct {
	*run

	check *result.Check
	key   string
	last  int64
}

// call is a new one, whose faults belong to a check. Nothing is sent yet.
func (r *run) call(c *result.Check) *call {
	return &call{run: r, check: c, key: "livecall-test-" + random()}
}

// put sends a command of a number. It does not change what the call counts as its last number.
func (a *call) put(ctx context.Context, number int64, cmd wire.AlertCommand) *record.Exchange {
	return a.send(ctx, a.request(number, cmd))
}

// request is a command as the adapter sends it.
func (a *call) request(number int64, cmd wire.AlertCommand) ask {
	cmd.At = time.Now().UTC()
	return ask{method: http.MethodPut, path: "/v1/alerts/" + url.PathEscape(a.key) + "/commands/" + strconv.FormatInt(number, 10), query: a.in(), body: cmd}
}

// do runs a command of the next number, which must succeed. false: it did not, and the check has
// the fault.
func (a *call) do(ctx context.Context, cmd wire.AlertCommand) bool {
	a.last++
	x := a.put(ctx, a.last, cmd)
	_, ok := a.snapshot(x)
	return ok
}

// snapshot reads an answer; one that is none is a fault of the check.
func (a *call) snapshot(x *record.Exchange) (wire.AlertSnapshot, bool) {
	s, ok := record.Read[wire.AlertSnapshot](x)
	if !ok {
		a.check.Wrong("%s %s was answered with %s.", x.Method, record.WithoutQuery(x.Target), x.Says())
		a.check.Exchanges = append(a.check.Exchanges, x.Text())
	}
	return s, ok
}

// see reads the alert.
func (a *call) see(ctx context.Context) (wire.AlertSnapshot, bool) {
	return a.snapshot(a.get(ctx, "/v1/alerts/"+url.PathEscape(a.key)))
}

// begin creates and routes the alert. They are commands 1 and 2. false: the check has the fault and
// cannot go on.
func (a *call) begin(ctx context.Context) bool {
	return a.do(ctx, create("")) && a.do(ctx, route(a.cfg.Team))
}

// fault adds a fault with the exchange that shows it. At most three are kept for a check; x may be
// nil.
func (a *call) fault(x *record.Exchange, format string, args ...any) {
	a.check.Wrong(format, args...)
	if x != nil && len(a.check.Exchanges) < 3 {
		a.check.Exchanges = append(a.check.Exchanges, x.Text())
	}
}

// create, route, acknowledge and resolve are commands without number and time; see request.
func create(description string) wire.AlertCommand {
	return wire.AlertCommand{Kind: "create", Draft: &wire.AlertDraft{Title: "Test call from +1 202 555 0143", Description: description, Urgency: "high", Fields: []wire.AlertField{}}}
}

func route(team string) wire.AlertCommand {
	return wire.AlertCommand{Kind: "route", Teams: []string{team}}
}

func acknowledge(user string) wire.AlertCommand {
	return wire.AlertCommand{Kind: "acknowledge", User: user, Actor: user}
}

func resolve() wire.AlertCommand {
	return wire.AlertCommand{Kind: "resolve", Text: "the test is over"}
}

// mine is a command with an effect that can be counted: an acknowledgement, or else a route. Which
// it is depends on what the platform claims.
func (a *call) mine() wire.AlertCommand {
	if a.caps.AcknowledgeAs {
		return acknowledge(a.cfg.Users[0])
	}
	return route(a.cfg.OtherTeam)
}

// together sends the same request n times at once. It returns when all have their answer.
func (r *run) together(ctx context.Context, n int, a ask) []*record.Exchange {
	out := make([]*record.Exchange, n)
	var all sync.WaitGroup
	for i := range out {
		all.Go(func() { out[i] = r.send(ctx, a) })
	}
	all.Wait()
	return out
}
