package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"slices"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestManifestTellsTheTruth holds manifest.json and the plugin together: a host refuses a plugin
// that says otherwise.
func TestManifestTellsTheTruth(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		ID, Name, Version string
		Protocol          struct {
			Versions []int
			Minor    int
		}
		Environment []string
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	p, err := build(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Describe(context.Background(), integration.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != d.ID || m.Name != d.Name || m.Version != d.Version || m.Protocol.Minor != d.ProtocolMinor || !slices.Contains(m.Protocol.Versions, d.ProtocolVersion) {
		t.Errorf("the manifest says %+v, the plugin %s %q %s, protocol %d.%d", m, d.ID, d.Name, d.Version, d.ProtocolVersion, d.ProtocolMinor)
	}
	if !slices.Contains(m.Environment, "LIVECALL_TWILIO_API_URL") {
		t.Error("the manifest does not ask for LIVECALL_TWILIO_API_URL")
	}
}
