// Command plugin is the live call routing plugin. A host starts it; run by hand with "describe" it says what it is.
package main

import (
	"log/slog"
	"os"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/transport"
	"github.com/livecallrouting/livecall/plugin/internal/app"
)

// version is that of manifest.json, which a test holds it to; a release build sets it: -ldflags "-X main.version=1.2.3".
var version = "0.1.0"

func main() { transport.Main(build) }

func build(*slog.Logger) (integration.Integration, error) {
	return app.New(app.Config{Version: version, APIURL: os.Getenv("LIVECALL_TWILIO_API_URL")}), nil
}
