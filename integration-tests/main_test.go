package integrationtests

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/pace"
	"github.com/livecallrouting/livecall/integration-tests/programs"
	"github.com/livecallrouting/livecall/internal/testmain"
)

// binaries is the folder in which TestMain has built switchboard and plugins/livecall.
var binaries string

// pacer leads the clocks of all hotlines.
var pacer *pace.Pacer

// TestMain builds the real programs once, with the race detector if the tests have it.
func TestMain(m *testing.M) {
	os.Exit(testmain.Run(testmain.Func(func() int {
		dir, err := os.MkdirTemp("", "livecall-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if err := programs.Build(context.Background(), "..", dir, raceFlags...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		binaries = dir
		testmain.Together(12) // scripted calls wait for their clock
		pacer = pace.Start(dir)
		defer pacer.Close()
		slog.SetDefault(slog.New(slog.DiscardHandler))
		return m.Run()
	})))
}

// starting is taken by whoever starts programs, which is all computing: if all tests started theirs
// at once, each would find a crowded machine and choose a slow clock.
var starting = make(chan struct{}, 1)
