package transport

import (
	"bytes"
	"context"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/wire"
)

// Profile names a profile of a plugin's process for [Conn.Profile]: "profile" is one of its
// processor, the others are those of runtime/pprof. Seconds is how long the former takes, 0: 10, at
// most 30. Debug 0 is the form that go tool pprof reads, 1 is text.
type Profile = wire.Profile

// profileNames are the profiles that a host may ask for besides the one of the processor.
var profileNames = []string{"allocs", "block", "goroutine", "heap", "mutex", "threadcreate"}

// Limits of a profile of the processor, in seconds.
const (
	profileSeconds     = 10
	maxProfileSeconds  = 30
	cpuProfile         = "profile"
	invalidProfileText = "there is no profile %q: ask for profile, allocs, block, goroutine, heap, mutex or threadcreate"
)

// profile makes a profile of this process. Only the host that started it can ask, and whom the host
// lets ask is the host's affair.
func profile(ctx context.Context, p wire.Profile) ([]byte, error) {
	var b bytes.Buffer
	if p.Name == cpuProfile {
		err := profileCPU(ctx, &b, p.Seconds) // what it wrote is whole once it has returned
		return b.Bytes(), err
	}
	if !slices.Contains(profileNames, p.Name) {
		return nil, integration.Errorf(integration.KindInvalid, invalidProfileText, p.Name)
	}
	err := pprof.Lookup(p.Name).WriteTo(&b, p.Debug)
	return b.Bytes(), err
}

// profileCPU writes a profile of the processor over some seconds, or until ctx ends.
func profileCPU(ctx context.Context, b *bytes.Buffer, seconds int) error {
	if seconds <= 0 {
		seconds = profileSeconds
	}
	if err := pprof.StartCPUProfile(b); err != nil {
		return integration.Errorf(integration.KindConflict, "another profile of the processor is being made: try again when it is done")
	}
	defer pprof.StopCPUProfile()
	timer := time.NewTimer(time.Duration(min(seconds, maxProfileSeconds)) * time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}
