package patient

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/counting"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/internal/testlog"
)

func TestErrorsThatMayCrossTheContract(t *testing.T) {
	t.Parallel()
	live := context.Background()
	over, cancel := context.WithCancel(live)
	cancel()
	own := integration.Errorf(integration.KindConflict, "own")
	for _, tc := range []struct {
		ctx  context.Context
		err  error
		want integration.Kind
	}{
		{live, own, integration.KindConflict},
		{over, own, integration.KindConflict},
		{live, context.DeadlineExceeded, integration.KindDeadline},
		{over, errors.New("interrupted"), integration.KindDeadline},
		{live, errors.New("secret path"), integration.KindInternal},
	} {
		got := Error(tc.ctx, tc.err)
		if got.Kind != tc.want || !errors.Is(got, tc.err) {
			t.Errorf("%v becomes %v, want kind %s", tc.err, got, tc.want)
		}
		if got.Kind == integration.KindInternal && got.Message == tc.err.Error() {
			t.Errorf("the cause goes to the plugin: %v", got)
		}
	}
}

// TestAbandonedCallsAreBounded by callee and integration, and count no longer once they return.
func TestAbandonedCallsAreBounded(t *testing.T) {
	t.Parallel()
	p := New(counting.New(), slog.New(slog.DiscardHandler))
	over, cancel := context.WithCancel(context.Background())
	cancel()
	release := make(chan struct{})
	sick, well := callee{"platform", "sick"}, callee{"platform", "well"}
	var all sync.WaitGroup
	for range maxAbandoned {
		all.Go(func() {
			err := do(over, p, sick, func(context.Context) error { <-release; return nil })
			if integration.KindOf(err) != integration.KindDeadline {
				t.Errorf("an abandoned call: %v", err)
			}
		})
	}
	all.Wait()
	made := func(to callee) error {
		return do(context.Background(), p, to, func(context.Context) error { return nil })
	}
	if err := made(sick); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("one more call: %v", err)
	}
	if err := made(well); err != nil {
		t.Errorf("a call for another integration: %v", err)
	}
	close(release)
	for end := time.Now().Add(time.Minute); made(sick) != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("calls that have returned still count")
		}
	}
	// Integrations come and go: what has returned is not remembered for each of them.
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		p.mu.Lock()
		left := len(p.left)
		p.mu.Unlock()
		if left == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d callees are remembered though all calls have returned", left)
		}
	}
}

// TestAPanicIsAnErrorOfItsCall: it must not end a host whose other calls go on. The log that the
// error names says where it happened.
func TestAPanicIsAnErrorOfItsCall(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	p := New(counting.New(), slog.New(slog.NewTextHandler(&log, nil)))
	err := do(context.Background(), p, callee{"platform", "int_1"}, func(context.Context) error { panic("broken") })
	if integration.KindOf(err) != integration.KindInternal || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("a panic is %v", err)
	}
	for _, want := range []string{"broken", "int_1", "patience_test.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q: %s", want, log.String())
		}
	}
}

// What an error for a plugin or a person keeps to itself, the log must tell: the error sends people
// there.
func TestTheLogHasWhatAnErrorRefersTo(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tc := range []struct {
		ctx    context.Context
		err    error
		logged bool
	}{
		{context.Background(), errors.New("file /a/b is damaged"), true},
		{context.Background(), integration.Errorf(integration.KindInternal, "alert 7: a stored list is damaged"), false},
		{context.Background(), nil, false},
		{over, errors.New("interrupted"), false},
	} {
		var log testlog.Buffer
		p := New(counting.New(), slog.New(slog.NewTextHandler(&log, nil)))
		err := do(tc.ctx, p, callee{"platform", "int_1"}, func(context.Context) error { return tc.err })
		text := log.String()
		if tc.logged != (text != "") || tc.logged && !(strings.Contains(text, tc.err.Error()) && strings.Contains(text, "int_1")) {
			t.Errorf("%v is logged as %q", tc.err, text)
		}
		if err != nil && strings.Contains(Error(tc.ctx, err).Message, "log") != tc.logged {
			t.Errorf("%v: the message is %q, logged %v", tc.err, Error(tc.ctx, err).Message, tc.logged)
		}
	}
}
