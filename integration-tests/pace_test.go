package integrationtests

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// fastest is how much faster than the wall the tests' clock runs on a machine with nothing else to
// do.
const fastest = 20

// clockFrom returns a clock for demo.Config that agrees with the wall at origin and runs as fast as
// the machine is free: the call flow's own limits, such as the seconds for which a telephone rings,
// then leave the programs about the same work on a busy machine as on a quiet one.
func clockFrom(origin time.Time, factor int) string {
	return fmt.Sprintf("%d@%d", factor, origin.UnixMilli())
}

// pace returns the factor of a clock for the machine as it is now: fastest while a program that
// computes has at least half a processor, less in proportion when it has less, never below 2.
func pace() int { return factorFor(crowding()) }

func factorFor(crowding float64) int {
	return min(fastest, max(2, int(fastest*2/crowding)))
}

// crowding measures how much longer computing takes than the processor works on it: 1 on a quiet
// machine. It is 1, too, where the system does not tell the time of a single thread.
func crowding() float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const enough = 30 * time.Millisecond // of work: several turns of other programs fit between
	begun, before := time.Now(), threadTime()
	for x := uint64(1); ; {
		for range 100_000 {
			x = x*6364136223846793005 + 1442695040888963407
		}
		worked, passed := threadTime()-before, time.Since(begun)
		if x != 0 && (worked >= enough || passed > 5*time.Second || before < 0) {
			if before < 0 {
				return 1
			}
			return max(1, float64(passed)/float64(max(worked, time.Millisecond)))
		}
	}
}

// threadTime is how long the processor has worked for this thread, or -1.
func threadTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD of Linux
	var used syscall.Rusage
	if runtime.GOOS != "linux" || syscall.Getrusage(thread, &used) != nil {
		return -1
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func TestPace(t *testing.T) {
	t.Parallel()
	for crowding, want := range map[float64]int{1: fastest, 2: fastest, 4: fastest / 2, 10: fastest / 5, 100: 2} {
		if got := factorFor(crowding); got != want {
			t.Errorf("crowding %v: factor %d, want %d", crowding, got, want)
		}
	}
	if c := crowding(); c < 1 {
		t.Errorf("crowding %v", c)
	}
	t.Logf("the clock would run %d times as fast as the wall now", pace())
}
