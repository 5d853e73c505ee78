package integrationtests

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/integration/integrationtest"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// TestDescribeAgreesWithManifest compares what `livecall describe` prints with the manifest and
// with the contract's constants.
func TestDescribeAgreesWithManifest(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(binaries, "plugins", "livecall")
	installed, err := manifest.Verify(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := installed.Manifest
	out, err := exec.Command(installed.Path(), "describe").Output()
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		ID, Name, Version string
		Protocol          struct{ Version, Minor int }
	}
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&d); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if d.ID != m.ID || d.Version != m.Version || d.Name != m.Name {
		t.Errorf("describe says %s %s %q, the manifest %s %s %q", d.ID, d.Version, d.Name, m.ID, m.Version, m.Name)
	}
	if len(m.Protocol.Versions) != 1 || m.Protocol.Versions[0] != integration.ProtocolVersion || m.Protocol.Minor != integration.ProtocolMinor {
		t.Errorf("manifest's protocol %+v, the contract's %d.%d", m.Protocol, integration.ProtocolVersion, integration.ProtocolMinor)
	}
	if d.Protocol.Version != integration.ProtocolVersion || d.Protocol.Minor != integration.ProtocolMinor {
		t.Errorf("describe's protocol %+v", d.Protocol)
	}
}

// TestRealPluginConforms runs the contract's suite on the launched binary, over its real socket.
func TestRealPluginConforms(t *testing.T) {
	t.Parallel()
	p, err := launcher.Launch(context.Background(), launcher.Config{
		Dir: filepath.Join(binaries, "plugins", "livecall"), Logger: slog.New(slog.DiscardHandler),
		// A slow machine is no defect.
		Timing: launcher.Timing{Start: time.Minute, Handle: 20 * time.Second, HandleBudget: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		p.Stop(ctx)
	})
	options := fmt.Appendf(nil, `{"account_sid":%q,"api_key":%q,"api_secret":"canaryapisecret0000000000000001","auth_token":"canaryauthtoken00000000000000001","voicemail":true,"voicemail_emails":["on-call"]}`,
		twiliosim.DefaultAccountSid, twiliosim.DefaultAPIKey)
	const endpoint = "https://hotline.example.com/integrations/int_1"
	form := url.Values{
		"CallSid": {"CA0123456789abcdef0123456789abcdef"}, "AccountSid": {twiliosim.DefaultAccountSid}, "From": {caller}, "To": {demo.Number},
		"CallStatus": {"ringing"}, "Direction": {"inbound"},
	}
	signature := twiliosim.Sign("canaryauthtoken00000000000000001", endpoint, form)
	integrationtest.TestIntegration(t, integrationtest.Config{
		New:     func(testing.TB) integration.Integration { return p },
		Options: options,
		Webhook: integration.WebhookRequest{
			Method: "POST", URL: endpoint, Path: "/", Body: []byte(form.Encode()), RemoteAddr: "192.0.2.1",
			Header: map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Twilio-Signature": {signature}},
			Facts: integration.Facts{
				Now: time.Date(2026, 3, 8, 3, 0, 0, 0, time.UTC), SessionKey: form.Get("CallSid"),
				Instance: integration.Instance{
					ID: "int_1", Name: "Hotline", Revision: 1, Options: options, OptionsFormat: 1, EndpointURL: endpoint,
					TokenKey: bytes.Repeat([]byte{7}, 32), State: integration.HostActive,
					Capabilities: integration.Capabilities{UnroutedAlerts: true, Reopen: true, Escalate: true, AcknowledgeAs: true, AcknowledgedByUser: true, Annotations: true, Routers: true, Audiences: true},
				},
				Destinations: []integration.Destination{{Kind: integration.DestinationTeam, ID: "devops", Name: "DevOps"}, {Kind: integration.DestinationTeam, ID: "support", Name: "Customer Support"}},
			},
		},
	})
}
