package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// echoArgument makes this program a plugin that echoes.
const echoArgument = "echo-plugin"

// echoHandshake differs from that of the product, so that neither starts the other's plugins.
var echoHandshake = plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "LIVECALL_BENCH", MagicCookieValue: "echo"}

// echoBody is as large as a webhook's form.
var echoBody = "CallSid=CA00000000000000000000000000000001&" + strings.Repeat("Parameter=0123456789&", 35)

// echoPlugin is the least a gRPC plugin can be: bytes in, the same bytes out.
type echoPlugin struct{ plugin.NetRPCUnsupportedPlugin }

// echoService is written by hand: generated code would need a .proto of its own for one method.
var echoService = grpc.ServiceDesc{
	ServiceName: "bench.Echo", HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Echo", Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := &wrapperspb.BytesValue{}
		return in, decode(in)
	}}},
}

func (echoPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(&echoService, struct{}{})
	return nil
}

func (echoPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

// serveEcho is the plugin's process; it returns when its host is gone.
func serveEcho() {
	plugin.Serve(&plugin.ServeConfig{HandshakeConfig: echoHandshake, Plugins: plugin.PluginSet{"echo": echoPlugin{}}, GRPCServer: plugin.DefaultGRPCServer})
}

// echoServer is net/http in front of the echo plugin.
type echoServer struct {
	url    string
	server *http.Server
	client *plugin.Client
}

// startEcho starts this program once more as the plugin, with the same mutual TLS as the product's
// host and plugin use, so that both sides of the comparison pay for it.
func startEcho() (*echoServer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	e := &echoServer{client: plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: echoHandshake, Plugins: plugin.PluginSet{"echo": echoPlugin{}}, Cmd: exec.Command(self, echoArgument),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}, AutoMTLS: true, Logger: hclog.NewNullLogger(),
	})}
	protocol, err := e.client.Client()
	if err != nil {
		return nil, err
	}
	raw, err := protocol.Dispense("echo")
	if err != nil {
		return nil, err
	}
	conn := raw.(*grpc.ClientConn)
	e.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		out := &wrapperspb.BytesValue{}
		if err == nil {
			err = conn.Invoke(r.Context(), "/bench.Echo/Echo", wrapperspb.Bytes(body), out)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(out.Value)
	})} // #nosec G112 -- loopback, for as long as the benchmark runs
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e.url = "http://" + l.Addr().String() + "/"
	go func() { _ = e.server.Serve(l) }()
	return e, nil
}

// stop ends the server first: a request on the way would fail at a plugin that is gone.
func (e *echoServer) stop() {
	_ = e.server.Close()
	e.client.Kill()
}

// echoServerArgument makes this program the server in front of the echo plugin, as a process of its
// own.
const echoServerArgument = "echo-server"

// echoProcess is an [echoServer] in a process of its own, so that its CPU time is told from that of
// the load.
type echoProcess struct {
	url     string
	process *exec.Cmd
	input   io.Closer // its end is that of the process
}

// echoApart starts the echo's server as a process of its own.
func echoApart() (*echoProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	e := &echoProcess{process: exec.Command(self, echoServerArgument)} // #nosec G204 -- this program
	e.process.Stderr = os.Stderr
	if e.input, err = e.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := e.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := e.process.Start(); err != nil {
		return nil, err
	}
	_, err = fmt.Fscanln(out, &e.url)
	return e, err
}

// stop ends the process.
func (e *echoProcess) stop() {
	_ = e.input.Close()
	_ = e.process.Wait()
}

// serveEchoApart prints where the echo is served, and serves it until its input ends.
func serveEchoApart() {
	e, err := startEcho()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	fmt.Println(e.url)
	_, _ = io.Copy(io.Discard, os.Stdin)
	e.stop()
}
