// Command plugin is the live call routing plugin. A host starts it; run by hand with "describe" it
// says what it is.
package main

import (
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/transport"
	"github.com/livecallrouting/livecall/plugin/internal/app"
)

// version is that of manifest.json, which a test holds it to; a release build sets it: -ldflags "-X
// main.version=1.2.3".
var version = "0.2.0"

// How much garbage there may be before it is collected. The plugin keeps a few MiB, between which
// and the 4 MiB that Go allows at least it would collect many times a second under load, at an
// eighth of its CPU time. It may have four times what it keeps; near the limit, as when recordings
// pass through, Go collects as often as is needed to stay below.
const (
	garbagePercent = 400
	garbageLimit   = 128 << 20 // bytes, of the whole process
)

func main() {
	debug.SetGCPercent(garbagePercent)
	debug.SetMemoryLimit(garbageLimit)
	transport.Main(build)
}

func build(*slog.Logger) (integration.Integration, error) {
	return app.New(app.Config{Version: version, APIURL: os.Getenv("LIVECALL_TWILIO_API_URL")}), nil
}
