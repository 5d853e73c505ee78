package launcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/host-sdk/transport"
	"github.com/livecallrouting/livecall/internal/tempdir"
)

// process is one started plugin process that answered. It is made by startProcess and never used
// again once it has ended: a restart makes another.
type process struct {
	*child
	conn      *transport.Conn
	installed manifest.Installed
	readyAt   time.Time
	timing    Timing
	log       *slog.Logger
	client    *goplugin.Client
	dir       *tempdir.Dir
	sync      []*lines // what the plugin writes to its replaced standard output and error

	ending sync.Once
	ended  chan struct{} // closed when nothing of the process is left

	mu     sync.Mutex
	calls  int           // in progress
	idle   chan struct{} // closed when calls becomes 0; nil while nobody waits for that
	reason string        // why this host gave the process up

	description integration.Description // what it said of itself when it started
}

// startProcess starts the installed plugin and returns when it has answered and is what its
// manifest says. Errors name the plugin and the remedy.
func startProcess(ctx context.Context, cfg Config, p manifest.Installed) (*process, error) {
	proc, err := tryStart(ctx, cfg, p)
	if err != nil {
		return nil, fmt.Errorf("plugin %s (%s): %w", p.Manifest.ID, p.Path(), err)
	}
	return proc, nil
}

// tryStart is startProcess without the plugin's name in its errors. What fails removes what was
// made before.
func tryStart(ctx context.Context, cfg Config, p manifest.Installed) (_ *process, err error) {
	if err := p.Manifest.FitsHost(integration.ProtocolVersion); err != nil {
		return nil, err
	}
	dir, err := newPrivateDir(cfg.SocketDir)
	if err != nil {
		return nil, err
	}
	exe, err := prepare(p, dir.Path)
	if err != nil {
		return nil, errors.Join(err, dir.Remove())
	}
	defer exe.close()

	log := cfg.Logger.With("plugin", p.Manifest.ID)
	out := &output{log: log}
	c := newChild(exe, nil, !cfg.noDeathSignal, cfg.Timing.OutputSettled, out)
	proc := &process{
		child: c, installed: p, timing: cfg.Timing, log: log, dir: dir, ended: make(chan struct{}),
		sync: []*lines{{to: out.line}, {to: out.line}},
	}
	proc.client = goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  transport.Handshake,
		VersionedPlugins: transport.HostPlugins(cfg.Timing.Handle),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		// Nobody else on the machine can pretend to be the plugin, or call it: both sides have
		// certificates of this start alone.
		AutoMTLS: true,
		// environ builds the environment; go-plugin would hand on all of the host's.
		SkipHostEnv:      true,
		StartTimeout:     cfg.Timing.Start,
		GRPCDialOptions:  transport.DialOptions(),
		SyncStdout:       proc.sync[0],
		SyncStderr:       proc.sync[1],
		Logger:           hclog.NewNullLogger(), // the launcher tells the same in its own words
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: dir.Path},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			// TMPDIR leads a plugin's temporary files to the directory that release removes.
			own := slices.Concat(cmd.Env, []string{
				"TMPDIR=" + dir.Path,
				goplugin.EnvUnixSocketDir + "=" + dir.Path,
			})
			c.env = environ(cfg.LookupEnv, p.Manifest.Environment, cfg.ExtraEnv, own)
			return c, nil
		},
	})
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Timing.Start, errSlowStart(cfg.Timing.Start))
	defer cancel()
	if err := proc.connect(ctx); err != nil {
		proc.kill()
		proc.release()
		return nil, err
	}
	proc.readyAt = time.Now()
	go func() {
		<-c.exited
		proc.release()
	}()
	return proc, nil
}

// connect makes the handshake and asks the plugin who it is.
func (p *process) connect(ctx context.Context) error {
	// A start that is given up ends its process, which ends go-plugin's wait for it.
	stop := context.AfterFunc(ctx, p.kill)
	defer stop()
	protocol, err := p.client.Client()
	if err != nil {
		return explainStart(ctx, p.child, err, p.timing.Start)
	}
	raw, err := protocol.Dispense(transport.PluginName)
	if err != nil {
		return err
	}
	conn, ok := raw.(*transport.Conn)
	if !ok {
		return fmt.Errorf("dispensed a %T", raw)
	}
	p.conn = conn
	p.description, err = conn.Describe(ctx, integration.DescribeRequest{})
	if err != nil {
		return fmt.Errorf("does not say what it is: %w", err)
	}
	return checkIdentity(p.description, p.installed.Manifest)
}

// begin notes a call, unless the process is of no use any more. finish must be called at its end.
// Its count is what drain waits for, so nobody may call the plugin without it.
func (p *process) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason != "" || p.dead() {
		return false
	}
	p.calls++
	return true
}

// finish notes the end of a call that begin allowed.
func (p *process) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls--
	if p.calls == 0 && p.idle != nil {
		close(p.idle)
		p.idle = nil
	}
}

// whenIdle returns a channel that is closed when no call is in progress. It is asked once no call
// can begin any more; otherwise the answer would be old at once.
func (p *process) whenIdle() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls == 0 {
		idle := make(chan struct{})
		close(idle)
		return idle
	}
	if p.idle == nil {
		p.idle = make(chan struct{})
	}
	return p.idle
}

// end asks the process to end, kills it if it does not, and returns when nothing of it is left.
// With drain, calls in progress get until ctx is done. It never takes longer than that and
// Timing.KillAfter together, and a little. It may be called by several goroutines: one does it, all
// wait for it.
func (p *process) end(ctx context.Context, drain bool) {
	if drain && p.alive(ctx, p.timing.Probe) == nil {
		p.drain(ctx)
	}
	p.ending.Do(func() {
		// go-plugin asks the plugin to end without any deadline: a frozen one would hold us for
		// ever.
		timer := time.AfterFunc(p.timing.KillAfter, p.kill)
		defer timer.Stop()
		p.client.Kill()
		p.kill()
	})
	<-p.ended
}

// drain waits until no call is in progress, at most until ctx is done.
func (p *process) drain(ctx context.Context) {
	// First our own count: the plugin's says when calls have ended, not when their answers have
	// arrived.
	select {
	case <-p.whenIdle():
	case <-p.exited:
		return
	case <-ctx.Done():
	}
	// Then it has nothing to wait for; a plugin that froze just now shall not hold us.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.timing.Probe)
	defer cancel()
	if left, err := p.conn.Drain(ctx); err != nil || left > 0 {
		p.log.Warn("plugin calls in progress are given up", "pid", p.pid, "calls", left, "error", err)
	}
}

// release frees what a dead or dying process leaves behind, once. It runs when the process has
// ended, or when its start failed, and waits until its output was read, so that the last words are
// logged before the host says why it is gone.
func (p *process) release() {
	p.ending.Do(func() { p.client.Kill() })
	if p.pid != 0 {
		<-p.exited
		<-p.read
	}
	for _, l := range p.sync {
		l.flush()
	}
	if err := p.dir.Remove(); err != nil {
		p.log.Warn("the private directory of a plugin process stays behind", "error", err)
	}
	close(p.ended)
}

// giveUp kills the process for a reason that Status shows. The first reason stays: later ones
// follow from it.
func (p *process) giveUp(reason string) {
	p.mu.Lock()
	if p.reason == "" {
		p.reason = reason
	}
	p.mu.Unlock()
	p.kill()
}

// why says why the process is gone. A reason of this host's comes before the exit status, which
// then only says that it was killed.
func (p *process) why() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason != "" {
		return p.reason
	}
	if !p.dead() {
		return "the process is being stopped"
	}
	return "the process ended: " + p.exit()
}

// alive asks for a sign of life.
func (p *process) alive(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return p.conn.Healthy(ctx)
}
