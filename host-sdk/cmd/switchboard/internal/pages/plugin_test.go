package pages_test

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// promptPlugin is the small plugin with a field that takes a file.
type promptPlugin struct{ hosttest.Plugin }

// OptionsSchema implements integration.Integration.
func (promptPlugin) OptionsSchema(context.Context, integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	return integration.OptionsSchema{Format: 1, Schema: []byte(`{"type":"object", "x-schema-version": 1, "required":["zeta"], "properties": {
		"zeta": {"type":"string","title":"Greeting","x-media":{"accept":["audio/wav"],"maxBytes":2097152,"text":true}},
		"beta": {"type":"string","title":"Farewell"},
		"alpha": {"type":"string","title":"Token","format":"password","x-secret":true}}}`)}, nil
}

type promptPlugins struct{}

func (promptPlugins) Plugin(id string) (integration.Integration, bool) {
	return promptPlugin{}, id == hosttest.PluginID
}

func (promptPlugins) PluginIDs() []string { return []string{hosttest.PluginID} }
