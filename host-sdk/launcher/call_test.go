//go:build unix

package launcher

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// A frozen process is replaced soon after the first call that it did not answer, also when that call had
// no time left to look: the next caller is not made to find it, and no health check is waited for.
func TestAFrozenPluginIsReplacedWithoutAnotherCallOrAHealthCheck(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick, func(c *Config) { c.Timing.HealthEvery = time.Hour })
	before := p.Status().PID
	stopProcess(t, before)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := tryAsk(ctx, p, "pid", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want %v", err, context.DeadlineExceeded)
	}
	eventually(t, "another process is ready", func() bool { s := p.Status(); return s.State == StateReady && s.PID != before })
	if !processGone(before) {
		t.Errorf("process %d is still there", before)
	}
}

// A host makes thousands of calls within the time that one may take: none leaves anything waiting for
// the end of that time.
func TestTheContextOfACallEndsWithTheCall(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Timing.Handle = time.Hour })
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	var once context.Context
	_, err := pure(ctx, p, integration.DescribeRequest{}, func(i integration.Integration, ctx context.Context, req integration.DescribeRequest) (integration.Description, error) {
		once = ctx
		return i.Describe(ctx, req)
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(once.Err(), context.Canceled) {
		t.Errorf("after the call its context says %v, want %v", once.Err(), context.Canceled)
	}
}
