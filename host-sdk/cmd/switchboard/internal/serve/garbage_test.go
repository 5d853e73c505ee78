package serve

import "testing"

func TestAHostThatKeepsLittleMayHaveMoreGarbageThanItKeeps(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for live, want := range map[uint64]int{0: 1000, 4 * mib: 1000, 12 * mib: 400, 24 * mib: 200, 48 * mib: 100, 500 * mib: 100} {
		if got := garbagePercent(live); got != want {
			t.Errorf("with %d MiB kept: GOGC %d, want %d", live/mib, got, want)
		}
	}
}
