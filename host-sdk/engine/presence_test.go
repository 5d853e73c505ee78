package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// presenceStart is when the clocks of these tests begin.
var presenceStart = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// listener is a plugin whose calls begin with the first request, and whose caller is there with
// each later one but for "/c/K/stray". It answers with what it was told.
func listener(req integration.WebhookRequest) (integration.Outcome, error) {
	f := req.Facts
	if f.Session == nil {
		return integration.Outcome{Response: ok("begun"), Session: remember(1)}, nil
	}
	return integration.Outcome{Response: ok(told(f)), Seen: req.Path != "/c/K/stray"}, nil
}

// told is what facts say of a caller's presence, in seconds since the start; - for nothing.
func told(f integration.Facts) string {
	text := func(at time.Time) string {
		if at.IsZero() {
			return "-"
		}
		return fmt.Sprint(at.Sub(presenceStart).Seconds())
	}
	return "seen " + text(f.SeenAt) + ", hearing since " + text(f.HearingSince)
}

func newListening(t *testing.T) (*host, *clock.Manual) {
	t.Helper()
	clk := clock.NewManual(presenceStart)
	h := newHost(t, manual(clk))
	h.plugin.webhook = listener
	h.expect(t, "/c/K/arrival", "begun", "the first request")
	return h, clk
}

// postTo is post at another engine of the same store.
func (h *host) postTo(t *testing.T, e *engine.Engine, path string) string {
	t.Helper()
	resp, err := e.Webhook(context.Background(), h.id, integration.WebhookRequest{Method: "POST", URL: "https://hotline.example.com/integrations/" + h.id + path, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return string(resp.Body)
}

// running runs an engine and returns how to stop it: it stores what it has heard a last time.
func running(t *testing.T, e *engine.Engine) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := wait(t, done, "the end of Run"); err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func TestATickIsRememberedWithoutAWriteAndTheSessionIsNotReadAgain(t *testing.T) {
	t.Parallel()
	h, clk := newListening(t)
	commits := h.store.count()
	h.expect(t, "/c/K/tick", "seen -, hearing since 0", "the first tick")
	reads := h.store.times("Session")
	for i := range 5 {
		clk.Advance(10 * time.Second)
		h.expect(t, "/c/K/tick", fmt.Sprintf("seen %d, hearing since 0", 10*i), "a tick")
	}
	clk.Advance(time.Second)
	h.expect(t, "/c/K/stray", "seen 50, hearing since 0", "a request that says nothing of the caller")
	h.expect(t, "/c/K/stray", "seen 50, hearing since 0", "another one")
	if n := h.store.count() - commits; n != 0 {
		t.Errorf("%d commits for ticks, want none", n)
	}
	if n := h.store.times("Session") - reads; n != 0 {
		t.Errorf("the unchanged session was read %d times, want never", n)
	}
}

func TestASessionThatAnotherHostHasChangedIsReadAgain(t *testing.T) {
	t.Parallel()
	h, _ := newListening(t)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok(string(req.Facts.Session.State))}
		if req.Path == "/c/K/change" {
			o.Session = remember(2)
		}
		return o, nil
	}
	h.expect(t, "/c/K/tick", "1", "before")
	h.expect(t, "/c/K/tick", "1", "before, from memory")
	h.postTo(t, h.another(t), "/c/K/change")
	h.expect(t, "/c/K/tick", "2", "after")
}

func TestWhatIsHeardOfCallersIsStoredForAllEveryHalfMinuteAndAtTheEnd(t *testing.T) {
	t.Parallel()
	h, clk := newListening(t)
	other := h.another(t)
	stop := running(t, h.Engine)
	h.expect(t, "/c/L/arrival", "begun", "another call")
	clk.Advance(5 * time.Second)
	for _, call := range []string{"K", "L"} {
		h.expect(t, "/c/"+call+"/tick", "seen -, hearing since 0", "a tick")
	}
	if got := h.postTo(t, other, "/c/K/stray"); got != "seen -, hearing since 0" {
		t.Errorf("the other host knows %q before it was stored", got)
	}
	eventually(t, "the storing", func() bool { clk.Advance(time.Second); return h.store.times("StoreSeen") > 0 })
	eventually(t, "the stored time", func() bool { return h.postTo(t, other, "/c/K/stray")[:7] == "seen 5," })
	for call, want := range map[string]string{"K": "seen 5,", "L": "seen 5,"} {
		if got := h.postTo(t, other, "/c/"+call+"/stray"); got[:len(want)] != want {
			t.Errorf("the other host knows of %s %q, want %q", call, got, want)
		}
	}
	if n := h.store.times("StoreSeen"); n != 1 {
		t.Errorf("%d statements for two calls, want one", n)
	}
	for until := clk.Now().Add(70 * time.Second); clk.Now().Before(until); time.Sleep(time.Millisecond) {
		clk.Advance(time.Second) // two rounds
	}
	if n := h.store.times("StoreSeen"); n != 1 {
		t.Errorf("%d statements although nothing was heard since the first", n)
	}
	// The other host hears of the caller later: both know the later of what is stored and their
	// own.
	began := clk.Now()
	h.postTo(t, other, "/c/K/tick")
	if got, want := h.postTo(t, other, "/c/K/stray"), fmt.Sprintf("seen %v,", began.Sub(presenceStart).Seconds()); got[:len(want)] != want {
		t.Errorf("the host that heard knows %q, want %q", got, want)
	}
	running(t, other)()
	if got, want := h.postTo(t, h.Engine, "/c/K/stray"), fmt.Sprintf("seen %v,", began.Sub(presenceStart).Seconds()); got[:len(want)] != want {
		t.Errorf("after the other host has stopped, this one knows %q, want %q", got, want)
	}
	stop()
}

func TestACallerIsNotSilentForRequestsThatNoHandlerCouldTake(t *testing.T) {
	t.Parallel()
	h, clk := newListening(t)
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) { return integration.Outcome{}, errDown }
	clk.Advance(20 * time.Second)
	if _, err := h.post(t, "/c/K/tick", ""); err == nil {
		t.Fatal("the handler did not fail")
	}
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{}, integration.Errorf(integration.KindInvalid, "not ours")
	}
	clk.Advance(20 * time.Second)
	if _, err := h.post(t, "/c/K/tick", ""); err == nil {
		t.Fatal("the handler did not refuse")
	}
	h.plugin.webhook = listener
	h.expect(t, "/c/K/stray", "seen 20, hearing since 0", "after a request that failed, and one that was refused")
}

func TestWhatCannotBeStoredIsStoredLater(t *testing.T) {
	t.Parallel()
	h, clk := newListening(t)
	h.store.failing("StoreSeen", errDown)
	h.expect(t, "/c/K/tick", "seen -, hearing since 0", "a tick")
	stop := running(t, h.Engine)
	eventually(t, "two attempts", func() bool { clk.Advance(time.Second); return h.store.times("StoreSeen") >= 2 })
	h.store.failing("StoreSeen", nil)
	stop()
	if got := h.postTo(t, h.another(t), "/c/K/stray"); got[:7] != "seen 0," {
		t.Errorf("another host knows %q, want the tick", got)
	}
}

// A host that was frozen has heard nothing meanwhile, like one that was not there.
func TestAHostThatWasFrozenHearsAnew(t *testing.T) {
	t.Parallel()
	h, clk := newListening(t)
	clk.Advance(time.Hour)
	h.expect(t, "/c/K/tick", "seen -, hearing since 3600", "before anything else has run")
	stop := running(t, h.Engine)
	defer stop()
	var seen, since float64
	eventually(t, "a round", func() bool {
		clk.Advance(time.Second)
		_, err := fmt.Sscanf(h.postTo(t, h.Engine, "/c/K/stray"), "seen %f, hearing since %f", &seen, &since)
		return err == nil && clk.Now().Sub(presenceStart).Seconds() > since+30
	})
	if seen != 3600 || since < 3600 {
		t.Errorf("after an hour away the host says: seen %v, hearing since %v", seen, since)
	}
}

// silence is a host that hears of call L all the time, and has another call, K, whose caller is
// silent. told gets the calls whose plugin is told that the caller is silent.
type silence struct {
	*host
	clk  *clock.Manual
	told chan string
}

// newSilence returns one whose two calls were heard of last by a host that died once it had stored
// so.
func newSilence(t *testing.T) *silence {
	t.Helper()
	h, clk := newListening(t)
	told := make(chan string, 100)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Task.Name == integration.TimerCallerSilent {
			told <- fmt.Sprintf("%s, silent for %v", req.Facts.SessionKey, clk.Now().Sub(req.Facts.SeenAt) >= 90*time.Second)
		}
		return integration.Outcome{}, nil
	}
	h.expect(t, "/c/L/arrival", "begun", "another call")
	dead := h.another(t)
	for _, call := range []string{"K", "L"} {
		h.postTo(t, dead, "/c/"+call+"/tick")
	}
	running(t, dead)()
	return &silence{host: h, clk: clk, told: told}
}

// pass lets rounds of half a minute pass, until done. The clock waits for what is stored in each:
// the host must not look as if it had been away.
func (s *silence) pass(t *testing.T, rounds int, done func() bool) {
	t.Helper()
	hear := func() {
		s.clk.Advance(5 * time.Second)
		s.postTo(t, s.Engine, "/c/L/tick")
	}
	for ; rounds > 0 && !done(); rounds-- {
		for range 5 {
			hear()
		}
		heard := s.clk.Now()
		hear()
		polls := 0
		eventually(t, "what was heard is stored", func() bool {
			if polls++; polls%100 == 0 {
				hear() // the host began to wait later
			}
			l, err := s.store.Session(t.Context(), s.id, "L")
			return err == nil && !l.SeenAt.Before(heard)
		})
	}
}

// TestACallWhoseCallerFallsSilentIsToldOnce, whichever host heard of the caller last, and however
// often another call is heard of.
func TestACallWhoseCallerFallsSilentIsToldOnce(t *testing.T) {
	t.Parallel()
	s := newSilence(t)
	defer running(t, s.Engine)()
	s.pass(t, 18, func() bool { return len(s.told) > 0 })
	if got := wait(t, s.told, "the word"); got != "K, silent for true" {
		t.Errorf("told of %s", got)
	}
	// Until its outcome is stored the word is leased, and the clock would let the lease run out.
	eventually(t, "the word's outcome is stored", func() bool { return s.outboxEmpty(t) })
	s.pass(t, 10, func() bool { return false })
	if len(s.told) > 0 {
		t.Errorf("told again, of %s", <-s.told)
	}
}

// TestACallIsToldOfASilenceLaterWhereThatCouldNotBeStored: the word is kept in the store until the
// plugin has it, and said again where it did not get there.
func TestACallIsToldOfASilenceLaterWhereThatCouldNotBeStored(t *testing.T) {
	t.Parallel()
	s := newSilence(t)
	defer running(t, s.Engine)()
	s.pass(t, 1, func() bool { return false }) // that the host has started is said first
	before := s.store.times("AddItem")
	s.store.failing("AddItem", errDown)
	s.pass(t, 12, func() bool { return s.store.times("AddItem") > before })
	if s.store.times("AddItem") == before {
		t.Fatal("the word was never to be stored")
	}
	s.store.failing("AddItem", nil)
	s.pass(t, 6, func() bool { return len(s.told) > 0 })
	if got := wait(t, s.told, "the word"); got != "K, silent for true" {
		t.Errorf("told of %s", got)
	}
}
