package platformcheck

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/hints"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// hung is how long a hint waits for an answer that does not come; platforms give up after 5 s.
const hung = 12 * time.Second

// hinted looks at hints: whether each command is followed by one, whether they are signed and named
// rightly, and whether the platform goes on after one of them failed. Without hints callers wait
// until the switchboard looks by itself, so they are worth tests of their own.
func (r *run) hinted(ctx context.Context) error {
	if r.unalerted("hints") {
		return nil
	}
	switch r.protocol.Hints {
	case wire.HintsChanges:
		if c := r.check("waiting for changes"); c != nil {
			c.About = "GET /v1/changes without after answers the cursor of now; with it, what changed since then, at once or after at most wait seconds; 410 for a cursor that is not known"
			r.changes(ctx, r.call(c))
		}
		return nil
	case wire.HintsWebhook:
	default:
		if c := r.check("hints"); c != nil {
			c.Leave(result.Skipped, "The platform says that it sends no hints.")
		}
		return nil
	}
	if r.taps == nil {
		if c := r.check("hints"); c != nil {
			c.Leave(result.NotTested, "%s", unheard)
		}
		return nil
	}
	if c := r.check("a hint for each command"); c != nil {
		c.About = fmt.Sprintf("a signed POST to %s within a second of each change, also of those that commands made", r.taps.Address)
		r.oneEach(ctx, r.call(c))
	}
	if c := r.check("hints are signed and written as in the document"); c != nil {
		c.About = "Standard Webhooks: webhook-id, webhook-timestamp (seconds), webhook-signature: v1, and base64 of HMAC-SHA256 over id.timestamp.body with the secret decoded from base64"
		r.written(c)
	}
	if c := r.check("after a hint that failed with 500"); c != nil {
		c.About = "the hint is tried again, and later ones are sent"
		r.spoilt(ctx, r.call(c), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	}
	if c := r.check("after a hint that was not answered"); c != nil {
		c.About = "commands are answered meanwhile, the hint is given up after 5 s, and later ones are sent"
		r.spoilt(ctx, r.call(c), func(_ http.ResponseWriter, req *http.Request) {
			select {
			case <-req.Context().Done():
			case <-time.After(hung):
			}
		})
	}
	return nil
}

// unheard is said where nobody listens.
const unheard = "The platform says that it sends hints, but nobody listens: name an address with --hints-listen, such as 127.0.0.1:8099, and let the platform call http://127.0.0.1:8099/platform/hints."

// oneEach waits for a hint after each command. A command without a visible change needs none.
func (r *run) oneEach(ctx context.Context, a *call) {
	var took []time.Duration
	commands := []wire.AlertCommand{create(""), route(r.cfg.Team), a.mine(), {Kind: "log", Text: "A line"}, resolve()}
	for _, cmd := range commands {
		if cmd.Kind == "log" && !r.caps.Annotations {
			continue // changes nothing
		}
		from := r.taps.Count()
		if !a.do(ctx, cmd) {
			return
		}
		if cmd.Kind == "create" && !r.caps.UnroutedAlerts {
			continue // the alert need not exist yet
		}
		answered := time.Now()
		// Too many at a time are refused by the listener, and count as not sent.
		h, err := r.taps.Await(ctx, from, r.cfg.HintWithin, func(h hints.Heard) bool { return h.About(a.ref()) && h.Status != http.StatusTooManyRequests })
		if err != nil || !h.Names(a.ref()) {
			a.fault(nil, "After %s no hint for the alert came within %v. %s", cmd.Kind, r.cfg.HintWithin, r.taps.Instead(from, a.ref()))
			return
		}
		took = append(took, max(h.At.Sub(answered), 0))
	}
	if slowest := slices.Max(took); slowest > time.Second {
		a.check.Note("The slowest hint came %.1f s after the command was answered: send them within a second.", slowest.Seconds())
	}
}

// ref names the call's alert as hints do.
func (a *call) ref() wire.AlertRef {
	return wire.AlertRef{Tenant: a.cfg.Tenant, Integration: a.cfg.Integration, AlertKey: a.key}
}

// written judges all hints that came. Each kind of fault is said once; see result.Check.Say.
func (r *run) written(c *result.Check) {
	all := r.taps.All()
	if len(all) == 0 {
		c.Leave(result.NotTested, "No hint came.")
		return
	}
	bodies := map[string]string{}
	for _, h := range all {
		if h.Status == http.StatusTooManyRequests || h.Status == 0 {
			continue // was not read
		}
		for _, text := range h.Faults(bodies) {
			c.Wrong("%s", text)
		}
		if c.Outcome == result.Wrong && len(c.Exchanges) == 0 {
			c.Exchanges = []string{h.Text()}
		}
	}
	if c.Outcome == result.Right {
		c.Say("%d hints came.", len(all))
	}
}

// spoilt spoils the hint of one command, and then expects that of the next. spoil answers that hint
// in place of the listener.
func (r *run) spoilt(ctx context.Context, a *call, spoil func(http.ResponseWriter, *http.Request)) {
	if !a.begin(ctx) {
		return
	}
	if _, err := r.taps.Await(ctx, 0, r.cfg.HintWithin, func(h hints.Heard) bool { return h.Names(a.ref()) }); err != nil {
		a.check.Leave(result.NotTested, "No hint came for a new alert.")
		return
	}
	from := r.taps.Count()
	ended := r.taps.SpoilOne(spoil)
	a.last++
	x := a.put(ctx, a.last, a.mine())
	if _, ok := a.snapshot(x); !ok {
		return
	}
	// The hint was given up, or spoilt, before the answer.
	if x.Took > 4*time.Second && len(ended) > 0 {
		a.fault(x, "The command was answered after %.1f s, while its hint waited for an answer: send hints after the answer, in a thread or queue of their own.", x.Took.Seconds())
	}
	select {
	case given := <-ended:
		if given >= hung {
			a.fault(nil, "A hint waited %.0f s for an answer and would have waited longer: give up after 5 s and try again.", given.Seconds())
		}
	// A platform may wait for a while before it gives up.
	case <-time.After(r.cfg.HintWithin + hung):
		a.fault(nil, "After a command no hint was tried within %v.", r.cfg.HintWithin+hung)
		return
	case <-ctx.Done():
		return
	}
	// Trying again is good, and not required.
	_, again := r.taps.Await(ctx, from+1, r.cfg.HintWithin, func(h hints.Heard) bool { return h.Names(a.ref()) })
	from = r.taps.Count()
	if !a.do(ctx, resolve()) {
		return
	}
	if _, err := r.taps.Await(ctx, from, r.cfg.HintWithin, func(h hints.Heard) bool { return h.Names(a.ref()) }); err != nil {
		a.fault(nil, "After that no hint came within %v for the next command: one that fails must not stop those behind it.", r.cfg.HintWithin)
	} else if again != nil {
		a.check.Note("The hint that failed was not tried again: three tries are enough, a second apart.")
	}
}

// changes waits for changes as a platform that cannot call out offers it. Each answer names the
// cursor of the next question.
func (r *run) changes(ctx context.Context, a *call) {
	ask := func(after, wait string) *record.Exchange {
		q := url.Values{}
		if r.cfg.Tenant != "" {
			q.Set("tenant", r.cfg.Tenant)
		}
		if after != "" {
			q.Set("after", after)
			q.Set("wait", wait)
		}
		return r.send(ctx, askChanges(q))
	}
	x := ask("", "")
	first, ok := record.Read[wire.Changes](x)
	if !ok || first.Cursor == "" || len(first.Alerts) > 0 {
		a.fault(x, "GET /v1/changes without after was answered with %s, the cursor %q and %d alerts; want 200, a cursor and none.", x.Says(), first.Cursor, len(first.Alerts))
		return
	}
	if x = ask(first.Cursor, "1"); x.Status != http.StatusOK || x.Took > 6*time.Second {
		a.fault(x, "GET /v1/changes?wait=1, while nothing changed, was answered with %s after %.1f s; want 200 after a second.", x.Says(), x.Took.Seconds())
	}
	if s, ok := record.Read[wire.Changes](x); ok && len(s.Alerts) == 0 && x.Took < 500*time.Millisecond {
		a.fault(x, "GET /v1/changes?wait=1, while nothing changed, was answered after %.0f ms: hold the answer back until something changes, or for wait seconds. The switchboard asks again at once.", record.Milliseconds(x.Took))
	}
	if !a.begin(ctx) {
		return
	}
	x = ask(first.Cursor, "20")
	if s, ok := record.Read[wire.Changes](x); !ok || !slices.Contains(s.Alerts, a.ref()) || s.Cursor == first.Cursor {
		a.fault(x, "After a new alert /v1/changes does not name it, or the cursor is the same: %s.", record.Excerpt(x.Body))
	}
	if x = ask("livecall-test-unknown", "1"); x.Status != http.StatusGone {
		a.fault(x, "A cursor that is not known was answered with %s; want 410, so that all live alerts are read again.", x.Says())
	}
}

// askChanges waits longer than the platform may.
func askChanges(q url.Values) ask {
	return ask{method: http.MethodGet, path: "/v1/changes", query: q, within: 30 * time.Second}
}
