package plugin_test

import (
	"os"
	"testing"

	"github.com/livecallrouting/livecall/internal/testmain"
)

func TestMain(m *testing.M) { os.Exit(testmain.Run(m)) }
