package engine_test

import (
	"os"
	"testing"

	"github.com/livecallrouting/livecall/internal/testmain"
)

func TestMain(m *testing.M) {
	testmain.Together(2) // these tests wait for their clock most of the time
	os.Exit(testmain.Run(m))
}
