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

// memoryLimit is in bytes, of the whole process. Near it, as when recordings pass through, garbage
// is collected as often as is needed to stay below.
const memoryLimit = 128 << 20

func main() {
	debug.SetMemoryLimit(memoryLimit)
	transport.Main(build)
}

func build(*slog.Logger) (integration.Integration, error) {
	return app.New(app.Config{Version: version, APIURL: os.Getenv("LIVECALL_TWILIO_API_URL")}), nil
}
