package launcher

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/internal/tempdir"
)

var _ integration.Integration = (*Plugin)(nil)

// Plugin is a launched plugin. Its methods may be called concurrently.
type Plugin struct {
	id       string
	cfg      Config
	notifier notifier
	// life ends when the host stops the plugin; every goroutine of this package ends with it.
	life    context.Context
	endLife context.CancelFunc
	running sync.WaitGroup

	replacing sync.Mutex // one Replace or Restart at a time

	mu        sync.Mutex
	installed manifest.Installed
	current   *process // nil: none answers
	policy    policy
	status    Status
	bringing  bool          // a goroutine is bringing a process up
	changed   chan struct{} // closed and replaced at each change of status
	wake      chan struct{} // has room for one: look again when the next start is to be
	lastStart time.Time     // when the last start was tried
	refusals  int           // starts that failed, ever
}

// Launch reads the manifest in cfg.Dir, starts the plugin and returns when it has answered. ctx
// bounds the start alone. The plugin runs until [Plugin.Stop] or [Plugin.Kill], one of which must
// be called. An error is one line that names the plugin and the remedy.
func Launch(ctx context.Context, cfg Config) (*Plugin, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	installed, err := manifest.Load(cfg.Dir)
	if err != nil {
		return nil, err
	}
	// At each launch: nobody else would remove what a host that was killed has left.
	tempdir.Sweep(cfg.SocketDir, dirPrefix)
	// Without the cancellation of ctx, which bounds only the start, but with its values.
	life, endLife := context.WithCancel(context.WithoutCancel(ctx))
	p := &Plugin{
		id:        installed.Manifest.ID,
		cfg:       cfg,
		notifier:  notifier{call: cfg.OnChange},
		life:      life,
		endLife:   endLife,
		installed: installed,
		policy:    policy{timing: cfg.Timing},
		changed:   make(chan struct{}),
		wake:      make(chan struct{}, 1),
	}
	p.status = Status{Plugin: p.id, Version: installed.Manifest.Version}
	p.mu.Lock()
	p.setState(StateStarting)
	p.mu.Unlock()
	proc, err := startProcess(ctx, cfg, installed)
	if err != nil {
		endLife()
		p.notifier.idle.Wait()
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.install(proc)
	return p, nil
}

// Status returns where the plugin stands.
func (p *Plugin) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// Manifest returns the manifest in use. It changes with [Plugin.Replace].
func (p *Plugin) Manifest() manifest.Manifest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.installed.Manifest
}

// setState changes the state, wakes whoever waits for a change and notifies the host; with the lock
// held.
func (p *Plugin) setState(s State) {
	if s != p.status.State {
		p.status.State = s
		p.status.Since = time.Now()
	}
	close(p.changed)
	p.changed = make(chan struct{})
	p.notifier.notify(p.status)
}

// stopped reports whether the host has stopped the plugin; with the lock held.
func (p *Plugin) stopped() bool {
	return p.status.State == StateStopping || p.status.State == StateStopped
}

// background runs f unless the plugin is stopped. Without the check running would grow after
// shutDown has begun to wait for it.
func (p *Plugin) background(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopped() {
		p.running.Go(f)
	}
}

// install makes proc the current process and watches it; with the lock held. From here on acquire
// gives calls to proc. The process before it, if any, is the caller's to end.
func (p *Plugin) install(proc *process) {
	p.current = proc
	p.installed = proc.installed
	p.status.PID = proc.pid
	p.status.Version = proc.installed.Manifest.Version
	p.lastStart, p.status.NextStart = proc.readyAt, time.Time{}
	p.setState(StateReady)
	proc.log.Info("plugin process ready", "pid", proc.pid, "version", p.status.Version)
	p.running.Go(func() { p.watch(proc) })
}

// watch sees the death of a process at once and its freezing by missed health checks. It runs for
// each process until that has ended, also for one that was replaced and still answers its last
// calls.
func (p *Plugin) watch(proc *process) {
	ticker := time.NewTicker(p.cfg.Timing.HealthEvery)
	defer ticker.Stop()
	checks := health{limit: p.cfg.Timing.HealthMisses}
	for {
		select {
		case <-proc.exited:
			p.lost(proc)
			return
		case <-ticker.C:
		}
		err := proc.alive(p.life, p.cfg.Timing.Health)
		if err != nil && (proc.dead() || p.life.Err() != nil) {
			continue // not missed: there is nobody to answer, or to ask
		}
		frozen := checks.checked(err)
		if err == nil {
			p.show(proc, StateReady)
			continue
		}
		proc.log.Warn("plugin process missed a health check", "pid", proc.pid, "misses", checks.misses, "error", err)
		p.show(proc, StateUnhealthy)
		if frozen {
			proc.giveUp(fmt.Sprintf("the process was frozen: it missed %d health checks", checks.misses))
		}
	}
}

// show shows whether the current process is healthy. It changes nothing for a process that was
// replaced, or once the plugin is being stopped.
func (p *Plugin) show(proc *process, s State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == proc && !p.stopped() && p.status.State != s {
		p.setState(s)
	}
}

// lost is called once for each watched process, when it has ended.
func (p *Plugin) lost(proc *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != proc {
		return // replaced, and ended by the host
	}
	p.current = nil
	p.status.PID = 0
	if p.stopped() {
		return
	}
	proc.log.Error("plugin process lost", "pid", proc.pid, "reason", proc.why())
	// First when, then the goroutine that waits for it.
	p.backOff(proc.why(), time.Since(proc.readyAt))
	p.bringUp()
}

// backOff sets when the next start is tried; with the lock held.
func (p *Plugin) backOff(reason string, uptime time.Duration) {
	now := time.Now()
	wait, failed := p.policy.lost(now, uptime)
	p.status.LastError = reason
	p.status.NextStart = now.Add(wait)
	if failed {
		p.setState(StateFailed)
	} else {
		p.setState(StateBackingOff)
	}
}

// bringUp starts the one goroutine that tries until a process answers; with the lock held. bringing
// keeps it to one: a process may be lost while the goroutine of an earlier loss still runs.
func (p *Plugin) bringUp() {
	if p.bringing {
		return
	}
	p.bringing = true
	p.running.Go(func() {
		for p.tryOnce() {
		}
	})
}

// tryOnce waits for the next start and tries it. It reports whether to go on. The lock is not held
// while a process starts, which may take seconds, so everything is looked at again afterwards:
// Replace may have brought a process meanwhile, or the host may have stopped the plugin.
func (p *Plugin) tryOnce() (again bool) {
	p.waitForStart()
	p.mu.Lock()
	if p.current != nil || p.stopped() { // replaced meanwhile
		p.bringing = false
		p.mu.Unlock()
		return false
	}
	last := p.installed
	p.lastStart = time.Now()
	p.setState(StateStarting)
	p.mu.Unlock()
	installed := p.installedNow(last)
	proc, err := startProcess(p.life, p.cfg, installed)

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil || p.stopped() {
		p.bringing = false
		if err == nil {
			// It was started for nothing, and ends without anybody waiting for it here.
			p.running.Go(func() { proc.end(p.life, false) })
		}
		return false
	}
	if err != nil {
		p.cfg.Logger.Error("plugin does not start", "plugin", installed.Manifest.ID, "error", err)
		p.refusals++
		p.backOff(err.Error(), 0)
		return true
	}
	p.bringing = false
	p.status.Restarts++
	p.install(proc)
	return false
}

// installedNow reads the manifest again: the plugin may have been upgraded in its folder since its
// last start. A manifest that cannot be read, or is another plugin's, does not keep a plugin down
// whose executable is still what it was. It reads files, so it is called without the lock.
func (p *Plugin) installedNow(last manifest.Installed) manifest.Installed {
	installed, err := manifest.Load(last.Dir)
	if err == nil && installed.Manifest.ID != p.id {
		err = fmt.Errorf("plugin folder %s: holds plugin %q", last.Dir, installed.Manifest.ID)
	}
	if err != nil {
		p.cfg.Logger.Warn("the manifest cannot be read again, the plugin is started by the last one", "plugin", p.id, "error", err)
		return last
	}
	return installed
}

// waitForStart returns when the next start is to be tried, or not any more. That time may be moved
// while it waits.
func (p *Plugin) waitForStart() {
	for {
		p.mu.Lock()
		wait, needless := time.Until(p.status.NextStart), p.current != nil || p.stopped()
		p.mu.Unlock()
		if wait <= 0 || needless {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-p.wake:
		case <-p.life.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// hurry has a start tried now, or WaitingEvery after the last one; with the lock held. The pause
// between starts spares a machine whose plugin cannot start; a caller on the line is worth more
// than that, once a second.
func (p *Plugin) hurry() {
	if p.status.State != StateBackingOff && p.status.State != StateFailed {
		return
	}
	if soon := p.lastStart.Add(p.cfg.Timing.WaitingEvery); soon.Before(p.status.NextStart) {
		p.status.NextStart = soon
		p.wakeUp()
	}
}
