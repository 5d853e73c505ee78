package platformcheck

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// maxHintAge is how old the time of a hint may be when it comes; a switchboard takes 5 min.
const maxHintAge = 10 * time.Second

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
		c.About = fmt.Sprintf("a signed POST to %s within a second of each change, also of those that commands made", r.taps.address)
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
		from := r.taps.count()
		if !a.do(ctx, cmd) {
			return
		}
		if cmd.Kind == "create" && !r.caps.UnroutedAlerts {
			continue // the alert need not exist yet
		}
		answered := time.Now()
		// Too many at a time are refused by the listener, and count as not sent.
		h, err := r.taps.await(ctx, from, r.cfg.HintWithin, func(h heard) bool { return h.about(a.ref()) && h.status != http.StatusTooManyRequests })
		if err != nil || !h.names(a.ref()) {
			a.fault(nil, "After %s no hint for the alert came within %v. %s", cmd.Kind, r.cfg.HintWithin, r.taps.instead(from, a.ref()))
			return
		}
		took = append(took, max(h.at.Sub(answered), 0))
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
	all := r.taps.all()
	if len(all) == 0 {
		c.Leave(result.NotTested, "No hint came.")
		return
	}
	bodies := map[string]string{}
	for _, h := range all {
		if h.status == http.StatusTooManyRequests || h.status == 0 {
			continue // was not read
		}
		for _, text := range h.faults(bodies) {
			c.Wrong("%s", text)
		}
		if c.Outcome == result.Wrong && len(c.Exchanges) == 0 {
			c.Exchanges = []string{h.text()}
		}
	}
	if c.Outcome == result.Right {
		c.Say("%d hints came.", len(all))
	}
}

// faults says what is wrong with a hint. bodies has those of earlier ones by their ids. The
// listener's own answer says most; the rest is what it lets pass.
func (h heard) faults(bodies map[string]string) []string {
	var out []string
	if h.status == http.StatusUnauthorized || h.status == http.StatusBadRequest || h.status == http.StatusRequestEntityTooLarge {
		var problem wire.Problem
		_ = json.Unmarshal([]byte(h.detail), &problem)
		out = append(out, fmt.Sprintf("A hint was refused with %d: %s.", h.status, digits.ReplaceAllString(problem.Detail, "…")))
	}
	if media, _, _ := mime.ParseMediaType(h.header.Get("Content-Type")); media != "application/json" {
		out = append(out, fmt.Sprintf("A hint has the media type %q: write Content-Type: application/json.", media))
	}
	if id := h.header.Get("webhook-id"); id != "" {
		if other, there := bodies[id]; there && other != string(h.body) {
			out = append(out, "Two different hints have the same webhook-id: it names one hint, and is the same only for its repetitions.")
		}
		bodies[id] = string(h.body)
	}
	if seconds, err := strconv.ParseInt(h.header.Get("webhook-timestamp"), 10, 64); err == nil && h.status < 300 {
		if off := h.at.Sub(time.Unix(seconds, 0)).Abs(); off > maxHintAge {
			out = append(out, fmt.Sprintf("webhook-timestamp is %v away from this machine's clock: write the time of each try, and set the clock.", off.Round(time.Second)))
		}
	}
	var event wire.Event
	if json.Unmarshal(h.body, &event) != nil {
		return out
	}
	if event.Type != wire.EventAlertChanged {
		out = append(out, fmt.Sprintf("The type of a hint is %q: %s is the only one.", event.Type, wire.EventAlertChanged))
	}
	for _, u := range wire.UnknownMembers(h.body, event) {
		if u.Meant != "" {
			out = append(out, fmt.Sprintf("The member %s of a hint is not in the document: is %s meant?", u.Path, u.Meant))
		}
	}
	for _, ref := range event.Data.Alerts {
		if ref.Integration == "" || ref.AlertKey == "" {
			out = append(out, "A hint names an alert without integration or alert_key.")
		}
	}
	return out
}

// names reports whether a hint was taken and is about an alert.
func (h heard) names(alert wire.AlertRef) bool { return h.status < 300 && h.about(alert) }

// about reports whether a hint is about an alert, taken or not.
func (h heard) about(alert wire.AlertRef) bool {
	var event wire.Event
	return json.Unmarshal(h.body, &event) == nil && slices.Contains(event.Data.Alerts, alert)
}

// text is the hint for people.
func (h heard) text() string {
	var b strings.Builder
	b.WriteString("POST " + h.path)
	for _, name := range []string{"content-type", "webhook-id", "webhook-timestamp", "webhook-signature"} {
		fmt.Fprintf(&b, "\n  %s: %s", name, h.header.Get(name))
	}
	fmt.Fprintf(&b, "\n  %s\n  %d %s", excerpt(h.body), h.status, excerpt([]byte(h.detail)))
	return b.String()
}

// spoilt spoils the hint of one command, and then expects that of the next. spoil answers that hint
// in place of the listener.
func (r *run) spoilt(ctx context.Context, a *call, spoil func(http.ResponseWriter, *http.Request)) {
	if !a.begin(ctx) {
		return
	}
	if _, err := r.taps.await(ctx, 0, r.cfg.HintWithin, func(h heard) bool { return h.names(a.ref()) }); err != nil {
		a.check.Leave(result.NotTested, "No hint came for a new alert.")
		return
	}
	from := r.taps.count()
	ended := r.taps.spoilOne(spoil)
	a.last++
	x := a.put(ctx, a.last, a.mine())
	if _, ok := a.snapshot(x); !ok {
		return
	}
	// The hint was given up, or spoilt, before the answer.
	if x.took > 4*time.Second && len(ended) > 0 {
		a.fault(x, "The command was answered after %.1f s, while its hint waited for an answer: send hints after the answer, in a thread or queue of their own.", x.took.Seconds())
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
	_, again := r.taps.await(ctx, from+1, r.cfg.HintWithin, func(h heard) bool { return h.names(a.ref()) })
	from = r.taps.count()
	if !a.do(ctx, resolve()) {
		return
	}
	if _, err := r.taps.await(ctx, from, r.cfg.HintWithin, func(h heard) bool { return h.names(a.ref()) }); err != nil {
		a.fault(nil, "After that no hint came within %v for the next command: one that fails must not stop those behind it.", r.cfg.HintWithin)
	} else if again != nil {
		a.check.Note("The hint that failed was not tried again: three tries are enough, a second apart.")
	}
}

// changes waits for changes as a platform that cannot call out offers it. Each answer names the
// cursor of the next question.
func (r *run) changes(ctx context.Context, a *call) {
	ask := func(after, wait string) *exchange {
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
	first, ok := read[wire.Changes](x)
	if !ok || first.Cursor == "" || len(first.Alerts) > 0 {
		a.fault(x, "GET /v1/changes without after was answered with %s, the cursor %q and %d alerts; want 200, a cursor and none.", x.says(), first.Cursor, len(first.Alerts))
		return
	}
	if x = ask(first.Cursor, "1"); x.status != http.StatusOK || x.took > 6*time.Second {
		a.fault(x, "GET /v1/changes?wait=1, while nothing changed, was answered with %s after %.1f s; want 200 after a second.", x.says(), x.took.Seconds())
	}
	if s, ok := read[wire.Changes](x); ok && len(s.Alerts) == 0 && x.took < 500*time.Millisecond {
		a.fault(x, "GET /v1/changes?wait=1, while nothing changed, was answered after %.0f ms: hold the answer back until something changes, or for wait seconds. The switchboard asks again at once.", ms(x.took))
	}
	if !a.begin(ctx) {
		return
	}
	x = ask(first.Cursor, "20")
	if s, ok := read[wire.Changes](x); !ok || !slices.Contains(s.Alerts, a.ref()) || s.Cursor == first.Cursor {
		a.fault(x, "After a new alert /v1/changes does not name it, or the cursor is the same: %s.", excerpt(x.body))
	}
	if x = ask("livecall-test-unknown", "1"); x.status != http.StatusGone {
		a.fault(x, "A cursor that is not known was answered with %s; want 410, so that all live alerts are read again.", x.says())
	}
}

// askChanges waits longer than the platform may.
func askChanges(q url.Values) ask {
	return ask{method: http.MethodGet, path: "/v1/changes", query: q, within: 30 * time.Second}
}
