package transport

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/tracing"
)

// ServeOptions adjust [Serve]. The zero value is right for a plugin's main.
type ServeOptions struct {
	// Logger is where the server writes; nil means [PluginLogger].
	Logger *slog.Logger
	// TermGrace is how long calls are still served after SIGTERM, so that a host that got the
	// signal at the same time can finish; then new calls are refused and those in progress have as
	// long again. 0 means 10 s.
	TermGrace time.Duration
	// ParentPoll is how often the parent process is looked at; the plugin ends when it is gone. 0
	// means 1 s.
	ParentPoll time.Duration
}

// withDefaults fills in what ServeOptions promise for zero values.
func (o ServeOptions) withDefaults() ServeOptions {
	if o.Logger == nil {
		o.Logger = PluginLogger()
	}
	if o.TermGrace == 0 {
		o.TermGrace = 10 * time.Second
	}
	if o.ParentPoll == 0 {
		o.ParentPoll = time.Second
	}
	return o
}

// Serve serves impl to the host that started this process, and returns when the host ended the
// connection, the host is gone, or SIGTERM was followed by its grace. A process that no host
// started prints what it is and exits with status 1.
//
// Call it once, from main, before anything is written to standard output: the handshake must come
// first.
func Serve(impl integration.Integration, opts ServeOptions) {
	opts = opts.withDefaults()
	p := &process{opts: opts, gate: newGate(), parent: os.Getppid(), ended: make(chan struct{})}
	nameProcess()
	// A host that is gone does not read the log any more: writing it must not end the process
	// before its time.
	signal.Ignore(syscall.SIGPIPE)
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	defer signal.Stop(terminated)

	// A host that sends spans hands on the variables that name the collector.
	stopTracing, err := tracing.Setup(context.Background(), filepath.Base(os.Args[0]), version(impl), opts.Logger)
	if err != nil {
		opts.Logger.Warn("no OpenTelemetry spans are sent", "error", err.Error())
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushTime)
		defer cancel()
		stopTracing(ctx)
	}()

	var watching sync.WaitGroup
	watching.Go(func() { p.watchParent() })
	watching.Go(func() { p.watchSignals(terminated) })
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: Handshake,
		VersionedPlugins: versions(&grpcPlugin{
			impl: impl, gate: p.gate, log: opts.Logger, ready: forgetHandshake,
		}),
		GRPCServer: p.newServer,
		Logger: hclog.New(&hclog.LoggerOptions{
			Level: hclog.Warn, Output: os.Stderr, JSONFormat: true,
		}),
	})
	// Only now may the watchers end: until here either of them may be what stops the server.
	close(p.ended)
	watching.Wait()
}

// version is the plugin's own; "" if it does not say.
func version(impl integration.Integration) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	d, err := impl.Describe(ctx, integration.DescribeRequest{})
	if err != nil {
		return ""
	}
	return d.Version
}

// process is the running plugin.
type process struct {
	opts   ServeOptions
	gate   *gate
	parent int
	ended  chan struct{} // closed when serving is over

	mu      sync.Mutex
	stopped bool
	server  *grpc.Server
}

// newServer is called once by go-plugin, with its TLS options.
func (p *process) newServer(opts []grpc.ServerOption) *grpc.Server {
	server := grpc.NewServer(append(opts, serverOptions(p.gate, p.opts.Logger)...)...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = server
	if p.stopped {
		server.Stop()
	}
	return server
}

// stop ends serving at once; calls in progress are given up. Serve then returns and removes its
// socket.
func (p *process) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	if p.server != nil {
		p.server.Stop()
	}
}

// watchParent ends a plugin whose host died without saying so: nobody else would. The first parent
// is compared, not number 1, since a host in a container may well be number 1 and an orphan may be
// handed to another process.
func (p *process) watchParent() {
	ticker := time.NewTicker(p.opts.ParentPoll)
	defer ticker.Stop()
	for {
		select {
		case <-p.ended:
			return
		case <-ticker.C:
		}
		if os.Getppid() != p.parent {
			p.opts.Logger.Warn("the host is gone; the plugin ends")
			p.stop()
			return
		}
	}
}

// watchSignals: a service manager and a terminal signal the plugin together with its host, before
// the host has stopped taking calls. SIGINT is left to the host altogether (go-plugin swallows it).
func (p *process) watchSignals(terminated <-chan os.Signal) {
	select {
	case <-p.ended:
		return
	case <-terminated:
	}
	p.opts.Logger.Info("SIGTERM: calls are still served until the host ends the plugin", "grace", p.opts.TermGrace.String())
	select {
	case <-p.ended:
		return
	case <-time.After(p.opts.TermGrace):
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.opts.TermGrace)
	defer cancel()
	left := p.gate.drain(ctx)
	p.opts.Logger.Info("the plugin ends after SIGTERM", "calls_given_up", left)
	p.stopSoftly()
}

// flushTime is for the last answers to reach the host.
const flushTime = 250 * time.Millisecond

// stopSoftly lets answers that have been given leave before it ends serving. It cannot wait for
// everything: go-plugin's streams only end with the connection.
func (p *process) stopSoftly() {
	p.mu.Lock()
	server := p.server
	p.mu.Unlock()
	if server != nil {
		go server.GracefulStop()
		time.Sleep(flushTime)
	}
	p.stop()
}

// forgetHandshake takes certificates and cookie out of the environment, so that no child process
// inherits them.
func forgetHandshake() {
	for _, name := range []string{
		Handshake.MagicCookieKey, "PLUGIN_CLIENT_CERT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT",
		goplugin.EnvUnixSocketDir, goplugin.EnvUnixSocketGroup,
	} {
		_ = os.Unsetenv(name) // fails for malformed names only
	}
}

// nameProcess gives the process its name back: started through a file descriptor, it would show as
// a number in ps.
func nameProcess() {
	if runtime.GOOS == "linux" && len(os.Args) > 0 {
		_ = os.WriteFile("/proc/self/comm", []byte(filepath.Base(os.Args[0])), 0) // cosmetic
	}
}
