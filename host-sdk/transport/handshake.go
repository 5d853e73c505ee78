package transport

import (
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/wire"
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

// The windows of flow control, in bytes: how much may be under way before the peer has taken it.
// They stand still. By itself gRPC measures what the way could take, with a ping and its answer
// for each call that comes alone, although the way is a socket of the same machine.
const (
	callWindow = 1 << 20
	connWindow = 4 << 20
)

// serverMessages bound and encode messages on the plugin's side; go-plugin leaves grpc's 4 MiB for
// received ones.
func serverMessages() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(integration.MaxMessageBytes),
		grpc.MaxSendMsgSize(integration.MaxMessageBytes),
		grpc.ForceServerCodecV2(wire.Codec()),
		grpc.StaticStreamWindowSize(callWindow), grpc.StaticConnWindowSize(connWindow),
	}
}

// clientMessages bound and encode messages on the host's side; go-plugin sets no limit.
func clientMessages() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(append(wire.CallOptions(),
			grpc.MaxCallRecvMsgSize(integration.MaxMessageBytes),
			grpc.MaxCallSendMsgSize(integration.MaxMessageBytes),
		)...),
		grpc.WithStaticStreamWindowSize(callWindow), grpc.WithStaticConnWindowSize(connWindow),
	}
}
