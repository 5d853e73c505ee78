package pace

import (
	"runtime"
	"syscall"
	"time"
)

// crowding measures how much longer computing takes than the processor works on it: 1 on a quiet
// machine. It is 1, too, where the system does not tell the time of a single thread.
func crowding() float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const enough = 15 * time.Millisecond // of work: several turns of other programs fit between
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
