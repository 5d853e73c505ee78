package engine_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// once answers webhooks with an outcome the first time and quietly afterwards.
func once(o integration.Outcome) func(integration.WebhookRequest) (integration.Outcome, error) {
	return func(req integration.WebhookRequest) (integration.Outcome, error) {
		if req.Facts.Session != nil {
			return integration.Outcome{Response: ok("again")}, nil
		}
		o := o
		o.Response = ok("done")
		if o.Session == nil {
			o.Session = remember("x")
		}
		return o, nil
	}
}

func TestTaskIsPerformedAndItsResultHandedToTheHandler(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	results := make(chan integration.TaskRequest, 10)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "dial", Generation: 1, Payload: []byte("call alice"), Format: 1}}})
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		if string(req.Task.Payload) != "call alice" || req.Facts.Session == nil || string(req.Facts.Instance.Options) == "" {
			return integration.TaskResult{}, integration.Errorf(integration.KindInvalid, "wrong request %+v", req)
		}
		if req.Attempt < 3 {
			return integration.TaskResult{}, integration.Errorf(integration.KindUnavailable, "not yet")
		}
		return integration.TaskResult{Payload: []byte("rings"), Media: []integration.MediaContent{{Name: "m.wav", ContentType: "audio/wav", Data: []byte("RIFF")}}}, nil
	}
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		results <- req
		return integration.Outcome{Session: remember("dialed")}, nil
	}
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	got := wait(t, results, "the result")
	if got.Event != integration.TaskDone || string(got.Result) != "rings" || got.Task.Name != "dial" || got.Failure != nil || got.Facts.Session.Version != 1 {
		t.Errorf("result %+v", got)
	}
	if len(got.Media) != 1 {
		t.Fatalf("media %+v", got.Media)
	}
	m, err := h.store.Medium(context.Background(), got.Media[0].Ref)
	if err != nil || string(m.Data) != "RIFF" || m.Public {
		t.Errorf("stored medium %+v, %v", m, err)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	if s, _ := h.store.Session(context.Background(), h.id, "K"); string(s.State) != `"dialed"` {
		t.Errorf("session %s", s.State)
	}
}

func (h *host) outboxEmpty(t *testing.T) bool {
	t.Helper()
	counts, _, err := h.store.OutboxStats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, phases := range counts {
		for _, c := range phases {
			n += c
		}
	}
	return n == 0
}

// A task that would be repeated too late fails at once, with what was wrong.
func TestATaskThatCannotBeRepeatedInTimeFailsAtOnce(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1, NotAfter: clk.Now().Add(100 * time.Millisecond)}}})
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		return integration.TaskResult{}, integration.Errorf(integration.KindUnavailable, "503")
	}
	results := make(chan integration.TaskRequest, 10)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Event != integration.TimerDue { // the host's own, as the engine starts
			results <- req
		}
		return integration.Outcome{}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	got := wait(t, results, "the failure")
	if got.Event != integration.TaskFailed || got.Failure.Kind != integration.KindDeadline || !strings.Contains(got.Failure.Message, "503") {
		t.Errorf("got %s %v", got.Event, got.Failure)
	}
}

func TestFinalFailuresComeBackAsFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		err      *integration.Error
		notAfter time.Duration
		want     integration.Kind
		attempts int32 // at least
	}{
		{"not found", &integration.Error{Kind: integration.KindNotFound, Message: "gone", Code: "20404"}, 0, integration.KindNotFound, 1},
		{"invalid", integration.Errorf(integration.KindInvalid, "bad number"), 0, integration.KindInvalid, 1},
		{"unauthorized", integration.Errorf(integration.KindUnauthorized, "wrong key"), 0, integration.KindUnauthorized, 1},
		{"unsupported", integration.Errorf(integration.KindUnsupported, "no"), 0, integration.KindUnsupported, 1},
		{"unavailable until too late", integration.Errorf(integration.KindUnavailable, "503"), 2 * time.Minute, integration.KindDeadline, 2},
		{"too late before it began", integration.Errorf(integration.KindUnavailable, "503"), -time.Second, integration.KindDeadline, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			task := integration.Task{Name: "t", Generation: 1}
			if tc.notAfter != 0 {
				task.NotAfter = h.clock.Now().Add(tc.notAfter)
			}
			h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{task}})
			var attempts atomic.Int32
			h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
				attempts.Add(1)
				return integration.TaskResult{}, tc.err
			}
			results := make(chan integration.TaskRequest, 10)
			h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
				results <- req
				return integration.Outcome{}, nil
			}
			h.start(t)
			if _, err := h.post(t, "/", "CallKey=K"); err != nil {
				t.Fatal(err)
			}
			got := wait(t, results, "the failure")
			if got.Event != integration.TaskFailed || got.Failure == nil || got.Failure.Kind != tc.want || (tc.err.Code != "" && got.Failure.Code != tc.err.Code) {
				t.Errorf("got %s %v", got.Event, got.Failure)
			}
			if n := attempts.Load(); n < tc.attempts || (tc.attempts <= 1 && n != tc.attempts) {
				t.Errorf("%d attempts, want at least %d", n, tc.attempts)
			}
			eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
		})
	}
}

func TestTimersFireReplaceAndCancel(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	fired := make(chan integration.TaskRequest, 10)
	now := h.clock.Now()
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok(""), Session: remember(1)}
		if req.Facts.Session == nil {
			o.Tasks = []integration.Task{
				{Name: "cancelled", Generation: 1, Timer: true, At: now.Add(20 * time.Second)},
				{Name: "replaced", Generation: 1, Timer: true, At: now.Add(25 * time.Second)},
				{Name: "kept", Generation: 1, Timer: true, At: now.Add(60 * time.Second), Payload: []byte("p")},
			}
		} else {
			o.Tasks = []integration.Task{
				{Name: "cancelled", Generation: 1, Cancel: true},
				{Name: "replaced", Generation: 2, Timer: true, At: now.Add(50 * time.Second)},
			}
		}
		return o, nil
	}
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		fired <- req
		return integration.Outcome{}, nil
	}
	for range 2 {
		if _, err := h.post(t, "/c/K/x", ""); err != nil {
			t.Fatal(err)
		}
	}
	h.start(t)
	first, second := wait(t, fired, "a timer"), wait(t, fired, "the other timer")
	if first.Task.Name == "kept" { // on a busy machine both are found due at once
		first, second = second, first
	}
	if first.Task.Name != "replaced" || first.Task.Generation != 2 || second.Task.Name != "kept" || first.Event != integration.TimerDue || string(second.Task.Payload) != "p" {
		t.Errorf("fired %s/%d, then %s", first.Task.Name, first.Task.Generation, second.Task.Name)
	}
	for _, r := range []integration.TaskRequest{first, second} {
		if r.Facts.Now.Before(r.Task.At.Truncate(time.Millisecond)) {
			t.Errorf("%s fired at %v, before its time %v", r.Task.Name, r.Facts.Now, r.Task.At)
		}
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

func TestAResultIsKeptUntilItsHandlerHasRun(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	var performed, handled atomic.Int32
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		performed.Add(1)
		return integration.TaskResult{Payload: []byte("r")}, nil
	}
	done := make(chan string, 1)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if handled.Add(1) < 4 {
			return integration.Outcome{}, integration.ErrPluginGone
		}
		done <- string(req.Result)
		return integration.Outcome{}, nil
	}
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, done, "the handler"); got != "r" || performed.Load() != 1 {
		t.Errorf("result %q after %d performances, want one", got, performed.Load())
	}
}
