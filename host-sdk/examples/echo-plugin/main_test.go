package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/integration/integrationtest"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/host-sdk/transport"
)

// example is what the suite needs to know: options, and a request that begins a conversation.
func example() integrationtest.Config {
	options := []byte(`{"greeting": "Hello.", "key": "0123456789abcdef"}`)
	const endpoint = "https://host.example.com/integrations/int_1"
	return integrationtest.Config{
		New:     func(testing.TB) integration.Integration { return echo{} },
		Options: options,
		Webhook: integration.WebhookRequest{
			Method: "POST", URL: endpoint, Path: "/", Body: []byte("Conversation=C1&Text=help"),
			Header: map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}, keyHeader: {"0123456789abcdef"}},
			Facts: integration.Facts{
				Now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), SessionKey: "C1",
				Instance: integration.Instance{
					ID: "int_1", Revision: 1, Options: options, OptionsFormat: 1, EndpointURL: endpoint,
					TokenKey: bytes.Repeat([]byte{7}, 32), State: integration.HostActive, ProtocolMinor: integration.ProtocolMinor,
				},
				Destinations: []integration.Destination{{Kind: integration.DestinationTeam, ID: "devops", Name: "DevOps"}},
			},
		},
	}
}

func TestConformance(t *testing.T) {
	cfg := example()
	t.Run("direct", func(t *testing.T) { integrationtest.TestIntegration(t, cfg) })
	conn, closeBoth, err := transport.DialInProcess(echo{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeBoth)
	cfg.New = func(testing.TB) integration.Integration { return conn }
	t.Run("wire", func(t *testing.T) { integrationtest.TestIntegration(t, cfg) })
}

func TestManifestIsOfThisPlugin(t *testing.T) {
	text, err := os.ReadFile(manifest.FileName)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	d, err := echo{}.Describe(t.Context(), integration.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != d.ID || m.Version != d.Version || m.Name != d.Name || m.Protocol.Minor != d.ProtocolMinor {
		t.Errorf("the manifest says %s %s %q minor %d, the plugin %s %s %q minor %d", m.ID, m.Version, m.Name, m.Protocol.Minor, d.ID, d.Version, d.Name, d.ProtocolMinor)
	}
}
