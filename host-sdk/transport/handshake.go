package transport

import (
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Handshake is what a host sets in the plugin's environment, and a plugin looks for before it
// serves. It is no protection: it only lets a plugin that was started by hand say so.
var Handshake = goplugin.HandshakeConfig{
	MagicCookieKey:   "LIVECALL_PLUGIN_COOKIE",
	MagicCookieValue: "0df5d7d1e8cc0180fca56aa8164eb68d",
}

// PluginName is the name under which go-plugin dispenses the integration.
const PluginName = "integration"

// versions are the sets that go-plugin negotiates about: one for each major protocol version that
// this package speaks.
func versions(p goplugin.Plugin) map[int]goplugin.PluginSet {
	return map[int]goplugin.PluginSet{integration.ProtocolVersion: {PluginName: p}}
}

// serverLimits bound messages on the plugin's side; go-plugin leaves grpc's 4 MiB for received
// ones.
func serverLimits() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(integration.MaxMessageBytes),
		grpc.MaxSendMsgSize(integration.MaxMessageBytes),
	}
}

// clientLimits bound messages on the host's side; go-plugin sets none.
func clientLimits() grpc.DialOption {
	return grpc.WithDefaultCallOptions(
		grpc.MaxCallRecvMsgSize(integration.MaxMessageBytes),
		grpc.MaxCallSendMsgSize(integration.MaxMessageBytes),
	)
}
