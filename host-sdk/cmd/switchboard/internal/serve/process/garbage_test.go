package process

import "testing"

func TestAHostThatKeepsLittleMayHaveMoreGarbageThanOneThatKeepsMuch(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for live, want := range map[uint64]int{0: 1000, 4 * mib: 1000, 16 * mib: 300, 32 * mib: 100, 48 * mib: 50, 64 * mib: 50, 500 * mib: 50} {
		if got := garbagePercent(live); got != want {
			t.Errorf("with %d MiB kept: GOGC %d, want %d", live/mib, got, want)
		}
	}
}
