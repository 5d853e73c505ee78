package remote_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// watch collects hints until the test ends or watching breaks.
func watch(t *testing.T, adapter *remote.Platform) (hints chan platform.Hint, ended chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	hints, ended = make(chan platform.Hint, 20_000), make(chan error, 1)
	go func() { ended <- adapter.Watch(ctx, func(h platform.Hint) { hints <- h }) }()
	return hints, ended
}

// await waits for a hint; it calls again in between, as Watch does not say when it has begun.
func await(t *testing.T, hints chan platform.Hint, want platform.Hint, again func()) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		again()
		for next := time.After(50 * time.Millisecond); next != nil; {
			select {
			case h := <-hints:
				if h == want {
					return
				}
			case <-next:
				next = nil
			case <-deadline:
				t.Fatalf("no hint for %+v within a minute", want)
			}
		}
	}
}

func body(t *testing.T, alerts int) []byte {
	t.Helper()
	e := wire.Event{Type: wire.EventAlertChanged, Timestamp: time.Now().UTC()}
	for i := range alerts {
		e.Data.Alerts = append(e.Data.Alerts, wire.AlertRef{Integration: "int-1", AlertKey: fmt.Sprint("CA", i)})
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func deliver(t *testing.T, adapter *remote.Platform, r *http.Request) (status int, detail string) {
	t.Helper()
	w := httptest.NewRecorder()
	adapter.Hints().ServeHTTP(w, r)
	var doc wire.Problem
	if w.Code != http.StatusNoContent {
		if err := json.NewDecoder(w.Body).Decode(&doc); err != nil || doc.Status != w.Code || w.Header().Get("Content-Type") != wire.ProblemType {
			t.Errorf("status %d: %+v, %v, want a problem document", w.Code, doc, err)
		}
	}
	return w.Code, doc.Detail
}

// Whoever writes a sender is told which part of the signature is wrong.
func TestAWrongSignatureIsRefusedInWords(t *testing.T) {
	t.Parallel()
	_, adapter := start(t, nil)
	text := body(t, 1)
	b64 := base64.StdEncoding.EncodeToString
	content := func(h http.Header) string {
		return h.Get("webhook-id") + "." + h.Get("webhook-timestamp") + "." + string(text)
	}
	at := func(d time.Duration) func(http.Header, func(string) []byte) {
		return func(h http.Header, mac func(string) []byte) {
			h.Set("webhook-timestamp", strconv.FormatInt(time.Now().Add(d).Unix(), 10))
			h.Set("webhook-signature", "v1,"+b64(mac(content(h))))
		}
	}
	// As anybody may send it.
	strange := httptest.NewRequest(http.MethodPost, "/platform/hints", bytes.NewReader(text))
	if status, _ := deliver(t, adapter, strange); status != http.StatusUnauthorized || len(adapter.Findings()) != 0 {
		t.Errorf("without any of the headers: status %d, findings %q", status, adapter.Findings())
	}
	for want, change := range map[string]func(h http.Header, mac func(string) []byte){
		"webhook-signature is missing":         func(h http.Header, _ func(string) []byte) { h.Del("webhook-signature") },
		"webhook-id is missing":                func(h http.Header, _ func(string) []byte) { h.Del("webhook-id") },
		"webhook-timestamp is missing":         func(h http.Header, _ func(string) []byte) { h.Del("webhook-timestamp") },
		"webhook-timestamp is no number":       func(h http.Header, _ func(string) []byte) { h.Set("webhook-timestamp", "2026-01-05T09:00:00Z") },
		"s away from our clock, more than 300": at(-10 * time.Minute),
		"s away from our clock":                at(11 * time.Minute),
		"the signature does not fit":           func(h http.Header, mac func(string) []byte) { h.Set("webhook-signature", "v1,"+b64(mac("other"))) },
		"only the body is signed":              func(h http.Header, mac func(string) []byte) { h.Set("webhook-signature", "v1,"+b64(mac(string(text)))) },
		"the id is not signed": func(h http.Header, mac func(string) []byte) {
			h.Set("webhook-signature", "v1,"+b64(mac(h.Get("webhook-timestamp")+"."+string(text))))
		},
		"the time is not signed": func(h http.Header, mac func(string) []byte) {
			h.Set("webhook-signature", "v1,"+b64(mac(h.Get("webhook-id")+"."+string(text))))
		},
		"has 20 bytes": func(h http.Header, _ func(string) []byte) {
			h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(make([]byte, 20)))
		},
		"written in hexadecimal": func(h http.Header, mac func(string) []byte) {
			h.Set("webhook-signature", "v1,"+hex.EncodeToString(mac(content(h))))
		},
		`has no "v1," before it`:         func(h http.Header, mac func(string) []byte) { h.Set("webhook-signature", b64(mac(content(h)))) },
		`no part that begins with "v1,"`: func(h http.Header, _ func(string) []byte) { h.Set("webhook-signature", "v1a,xyz") },
	} {
		status, detail := deliver(t, adapter, signed("/platform/hints", text, change))
		if status != http.StatusUnauthorized || !strings.Contains(detail, want) {
			t.Errorf("%s: status %d, %q", want, status, detail)
		}
		if found := adapter.Findings(); len(found) != 0 { // anybody can send that
			t.Errorf("%s: the findings are %q", want, found)
		}
	}
	for _, wrong := range []string{whsec(secret), strings.TrimPrefix(whsec(secret), "whsec_")} {
		r := signed("/platform/hints", text, nil)
		r.Header.Set("webhook-signature", "v1,"+b64(remote.Sign([]byte(wrong), content(r.Header))))
		if status, detail := deliver(t, adapter, r); status != http.StatusUnauthorized || !strings.Contains(detail, "the secret was used as text") {
			t.Errorf("signed with the text of the secret: status %d, %q", status, detail)
		}
	}
	r := signed("/platform/hints", text, nil)
	r.Body = io.NopCloser(bytes.NewReader(append([]byte(" "), text...))) // serialised again
	if status, detail := deliver(t, adapter, r); status != http.StatusUnauthorized || !strings.Contains(detail, "serialise the body once") {
		t.Errorf("other bytes than were signed: status %d, %q", status, detail)
	}
	if status, _ := deliver(t, adapter, signed("/platform/hints", text, nil)); status != http.StatusNoContent || len(adapter.Findings()) != 0 {
		t.Errorf("a good hint: status %d, findings %q", status, adapter.Findings())
	}
}

func TestTheSecondSecretVerifiesToo(t *testing.T) {
	t.Parallel()
	_, adapter := start(t, func(c *remote.Config) {
		c.HintsSecrets = []string{whsec([]byte("another secret of enough bytes")), whsec(secret)}
	})
	several := func(h http.Header, _ func(string) []byte) {
		h.Set("webhook-signature", "v1a,xyz v1,"+base64.StdEncoding.EncodeToString(make([]byte, 32))+" "+h.Get("webhook-signature"))
	}
	if status, detail := deliver(t, adapter, signed("/platform/hints", body(t, 1), several)); status != http.StatusNoContent {
		t.Errorf("status %d, %q", status, detail)
	}
	_, none := start(t, func(c *remote.Config) { c.HintsSecrets = nil })
	if status, detail := deliver(t, none, signed("/platform/hints", body(t, 1), nil)); status != http.StatusUnauthorized || !strings.Contains(detail, "no secret") {
		t.Errorf("without a secret: status %d, %q", status, detail)
	}
}

func TestHintsAreBounded(t *testing.T) {
	t.Parallel()
	_, adapter := start(t, nil)
	for name, c := range map[string]struct {
		body   []byte
		status int
	}{
		"100 alerts": {body(t, 100), 204}, "101 alerts": {body(t, 101), 400}, "no alert": {body(t, 0), 400},
		"another type": {[]byte(`{"type":"user.changed"}`), 204}, "no JSON": {[]byte("{"), 400},
		"another tenant": {[]byte(`{"type":"alert.changed","data":{"alerts":[{"tenant":"x","integration":"y","alert_key":"z"}]}}`), 204},
		"65 KiB":         {bytes.Repeat([]byte(" "), 65<<10), 413},
	} {
		if status, detail := deliver(t, adapter, signed("/platform/hints", c.body, nil)); status != c.status {
			t.Errorf("%s: status %d, %q, want %d", name, status, detail, c.status)
		}
	}
	if status, _ := deliver(t, adapter, httptest.NewRequest(http.MethodGet, "/platform/hints", nil)); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: status %d, want 405", status)
	}
	refused := false
	for range 10_000 {
		if status, _ := deliver(t, adapter, signed("/platform/hints", nil, nil)); status == http.StatusTooManyRequests {
			refused = true
			break
		}
	}
	if !refused {
		t.Error("10,000 hints as fast as they can be sent were all read, want 429")
	}
}

func TestEveryWatcherGetsEveryHint(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	p.post(p.hintsTo, wire.AlertRef{Integration: "int-1", AlertKey: "CA1"}) // while nobody watches
	one, _ := watch(t, adapter)
	two, _ := watch(t, adapter)
	send := func() { p.post(p.hintsTo, wire.AlertRef{Tenant: "acme", Integration: "int-1", AlertKey: "CA1"}) }
	want := platform.Hint{Scope: platform.Scope{Tenant: "acme", Integration: "int-1"}, AlertKey: "CA1"}
	await(t, one, want, send)
	await(t, two, want, send)
}

// The tenant of the settings stands for the host's only one, in both directions.
func TestTheTenantOfTheSettings(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, func(c *remote.Config) { c.Tenant = "acme" })
	hints, _ := watch(t, adapter)
	n := int64(0)
	await(t, hints, platform.Hint{Scope: scope, AlertKey: "CA1"}, func() {
		n++
		cmd := first("CA1")[0]
		cmd.Number = n
		perform(t, adapter, cmd)
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alerts[wire.AlertRef{Tenant: "acme", Integration: "int-1", AlertKey: "CA1"}] == nil {
		t.Errorf("the alerts are %v", p.alerts)
	}
}

// A watcher that is too slow for so many hints is told that any alert may have changed.
func TestASlowWatcherReadsAll(t *testing.T) {
	t.Parallel()
	_, adapter := start(t, nil)
	entered, release := make(chan struct{}, 1), make(chan struct{})
	all := make(chan platform.Hint, 20_000)
	go func() {
		_ = adapter.Watch(t.Context(), func(h platform.Hint) {
			select {
			case entered <- struct{}{}:
			default:
			}
			<-release
			all <- h
		})
	}()
	waitFor(t, "the watcher", func() bool {
		adapter.HintNow(platform.Hint{Scope: scope, AlertKey: "CA"})
		return len(entered) > 0
	})
	for i := range 10_000 {
		adapter.HintNow(platform.Hint{Scope: scope, AlertKey: fmt.Sprint("CA", i)})
	}
	close(release)
	await(t, all, platform.Hint{}, func() {})
}

// A platform whose hints do not come is found out, as callers wait for them.
func TestHintsThatDoNotComeAreFound(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	adapter.SetTimes(0, 0, 0, 0, 0, 0, time.Millisecond)
	p.mu.Lock()
	p.hintsTo = "http://127.0.0.1:1"
	p.mu.Unlock()
	for _, cmd := range first("CA1") {
		perform(t, adapter, cmd)
	}
	waitFor(t, "the finding", func() bool { return strings.Contains(strings.Join(adapter.Findings(), "\n"), "hints do not arrive") })
	// Why they do not arrive, if they do; anybody may send what is refused, and no platform need
	// wait for it.
	wrong := func() int {
		r := signed("/platform/hints", body(t, 1), nil)
		r.Header.Set("webhook-id", "another")
		status, _ := deliver(t, adapter, r)
		return status
	}
	if status := wrong(); status != http.StatusUnauthorized || !strings.Contains(strings.Join(adapter.Findings(), "\n"), "; the last that came was refused: the signature does not fit") {
		t.Errorf("a hint with a wrong signature: status %d, findings %q", status, adapter.Findings())
	}
	for range 10_000 {
		if wrong() == http.StatusTooManyRequests {
			break
		}
	}
	// Until the last of those changes has been missed, there may be a finding again.
	waitFor(t, "hints to end the finding", func() bool {
		if status, _ := deliver(t, adapter, signed("/platform/hints", body(t, 1), nil)); status != http.StatusNoContent {
			t.Fatalf("a hint is answered %d", status)
		}
		return len(adapter.Findings()) == 0
	})
}

// A platform that forgot the cursor makes Watch fail, and one that cannot be asked for a while does
// not.
func TestACursorThatIsGoneEndsWatching(t *testing.T) {
	t.Parallel()
	p := newProduct(t, wire.HintsChanges)
	adapter := p.adapter(nil)
	hints, ended := watch(t, adapter)
	select {
	case h := <-hints:
		if h != (platform.Hint{}) {
			t.Errorf("watching begins with %+v, want the hint that all may have changed", h)
		}
	case <-time.After(time.Minute):
		t.Fatal("no hint when watching begins")
	}
	p.breakIt(answer(500, "text/html", "<html>"))
	waitFor(t, "a question that failed", func() bool { return len(adapter.Findings()) > 0 })
	p.breakIt(nil)
	n := int64(0)
	await(t, hints, platform.Hint{Scope: scope, AlertKey: "CA1"}, func() {
		n++
		cmd := first("CA1")[0]
		cmd.Number = n
		perform(t, adapter, cmd)
	})
	p.breakIt(answer(410, wire.ProblemType, `{"status":410,"kind":"not_found","detail":"too old"}`))
	select {
	case err := <-ended:
		if integration.KindOf(err) != integration.KindNotFound {
			t.Errorf("Watch ended with %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Watch goes on with a cursor that is gone")
	}
}

// A platform that answers at once, as it does not know how to wait, is not asked all the time.
func TestAPlatformThatDoesNotWaitIsAskedSeldom(t *testing.T) {
	t.Parallel()
	p := newProduct(t, wire.HintsChanges)
	adapter := p.adapter(nil)
	adapter.SetTimes(0, 0, 0, time.Hour, 0, 0, 0)
	var asked atomic.Int64
	p.breakIt(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !strings.HasSuffix(r.URL.Path, "/changes") {
			next.ServeHTTP(w, r)
			return
		}
		asked.Add(1)
		answer(200, "application/json", `{"cursor":"7","alerts":[]}`)(w, r, next)
	})
	_, _ = watch(t, adapter)
	waitFor(t, "a question with the cursor", func() bool { return asked.Load() >= 2 })
	for range 50 { // meanwhile there would be many
		if _, err := adapter.Teams(t.Context(), scope); err != nil {
			t.Fatal(err)
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times, want one question without a cursor and one with it", n)
	}
}

// When the platform hints in another way, watching begins anew.
func TestAnotherWayOfHintingEndsWatching(t *testing.T) {
	t.Parallel()
	p, adapter := start(t, nil)
	hints, ended := watch(t, adapter)
	await(t, hints, platform.Hint{Scope: scope, AlertKey: "CA1"}, func() {
		p.post(p.hintsTo, wire.AlertRef{Integration: "int-1", AlertKey: "CA1"})
	})
	now := *p.protocol.Load()
	now.Hints = wire.HintsChanges
	p.protocol.Store(&now)
	adapter.SetTimes(0, 0, 0, 0, time.Nanosecond, 0, 0) // the agreement is old
	waitFor(t, "the end of watching", func() bool {
		_, _ = adapter.Teams(t.Context(), scope)
		return len(ended) > 0
	})
	if err := <-ended; integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("Watch ended with %v", err)
	}
}

// What a platform has signed is new or old by the clock on the wall. For how long a hint is missing
// is a wait, which a clock that is set neither ends nor prolongs.
func TestAClockThatIsSetCountsForSignaturesAndNotForMissingHints(t *testing.T) {
	t.Parallel()
	hands := clock.NewManual(time.Now())
	p, adapter := start(t, func(c *remote.Config) { c.Clock = hands })
	adapter.SetTimes(0, 0, 0, 0, 0, 0, time.Minute)
	for _, step := range []struct {
		by     time.Duration
		status int
	}{{0, 204}, {time.Hour, 401}, {-time.Hour, 204}, {-time.Hour, 401}, {time.Hour, 204}} {
		hands.Set(step.by)
		if status, detail := deliver(t, adapter, signed("/platform/hints", body(t, 1), nil)); status != step.status {
			t.Errorf("the clock was set by %v: status %d, %s; want %d", step.by, status, detail, step.status)
		}
	}

	p.mu.Lock()
	p.hintsTo = "http://127.0.0.1:1"
	p.mu.Unlock()
	for _, cmd := range first("CA1") {
		perform(t, adapter, cmd)
	}
	missing := func() bool { return strings.Contains(strings.Join(adapter.Findings(), "\n"), "hints do not arrive") }
	for _, by := range []time.Duration{time.Hour, -2 * time.Hour} {
		hands.Set(by)
		if missing() {
			t.Errorf("the clock was set by %v: hints are missing, of which none is late", by)
		}
	}
	hands.Advance(time.Minute + time.Second)
	if !missing() {
		t.Errorf("after a minute no hint is missing: %q", adapter.Findings())
	}
}
