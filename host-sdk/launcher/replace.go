package launcher

import (
	"context"
	"fmt"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// Restart starts a fresh process beside the current one, if there is one, switches to it and ends
// the old one after its calls. It ends a back-off, forgives a failed plugin, and reads the manifest
// again. ctx bounds the start.
func (p *Plugin) Restart(ctx context.Context) error {
	p.mu.Lock()
	dir := p.installed.Dir
	p.mu.Unlock()
	return p.Replace(ctx, dir)
}

// Replace upgrades to the plugin in dir, which must have the same id: the new process is started
// beside the old, calls go to it from the moment it has answered, and the old one ends when its
// calls have, or Timing.Drain has passed. If the new one does not start, all stays as it was and
// the error says why. ctx bounds the start.
func (p *Plugin) Replace(ctx context.Context, dir string) error {
	return p.ReplaceIf(ctx, dir, func(integration.Description) error { return nil })
}

// ReplaceIf is Replace for a host that looks at the new process before it is given calls: accept
// gets what the process says of itself. If accept returns an error, that is the result, the process
// is ended, and all stays as it was.
func (p *Plugin) ReplaceIf(ctx context.Context, dir string, accept func(integration.Description) error) error {
	p.replacing.Lock()
	defer p.replacing.Unlock()
	installed, err := manifest.Load(dir)
	if err != nil {
		return err
	}
	if installed.Manifest.ID != p.id {
		return fmt.Errorf("plugin %s: %s holds plugin %s: replace a plugin by another version of itself", p.id, dir, installed.Manifest.ID)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Stop must not wait for a start in progress.
	defer context.AfterFunc(p.life, cancel)()
	proc, err := startProcess(ctx, p.cfg, installed)
	if err != nil {
		return err
	}
	// It is asked without the lock, before any call can reach the process.
	if err := accept(proc.description); err != nil {
		proc.end(ctx, false)
		return err
	}
	p.mu.Lock()
	if p.stopped() {
		p.mu.Unlock()
		proc.end(p.life, false)
		return p.errGone("it was stopped by the host")
	}
	// From here to install the lock is held, so each call goes to the old process or the new one,
	// and none finds neither.
	old := p.current
	p.policy.forgive()
	p.status.Restarts++
	p.status.LastError = ""
	p.install(proc)
	if old != nil {
		p.running.Go(func() {
			ctx, cancel := context.WithTimeout(p.life, p.cfg.Timing.Drain)
			defer cancel()
			// Callers whose request is with the old process get its answer.
			old.end(ctx, true)
		})
	} else {
		p.wakeUp() // whoever waits for the next start finds that it is there
	}
	p.mu.Unlock()
	return nil
}

// wakeUp makes waitForStart look again. It never blocks.
func (p *Plugin) wakeUp() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Stop ends the plugin: new calls are refused, those in progress get until ctx is done, at most
// Timing.Drain, then the process is ended. It returns when nothing is left of it. A second call
// waits for the first.
func (p *Plugin) Stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timing.Drain)
	defer cancel()
	p.shutDown(func(proc *process) { proc.end(ctx, true) })
}

// Kill ends the plugin at once, whatever it is doing. Calls in progress fail with
// [integration.ErrPluginGone].
func (p *Plugin) Kill() {
	p.shutDown(func(proc *process) {
		proc.kill()
		proc.end(p.life, false)
	})
}

// shutDown ends the current process, and everything of this package that still runs. It returns
// when the host has heard of the last status. A second caller finds the state set already, and
// waits with the first.
func (p *Plugin) shutDown(end func(*process)) {
	p.mu.Lock()
	if !p.stopped() {
		p.setState(StateStopping)
	}
	proc := p.current
	p.mu.Unlock()
	if proc != nil {
		end(proc)
	}
	p.endLife() // starts and drains in progress are given up
	p.running.Wait()
	p.mu.Lock()
	if p.status.State != StateStopped {
		p.current = nil
		p.status.PID = 0
		p.setState(StateStopped)
	}
	p.mu.Unlock()
	p.notifier.idle.Wait()
}

// errGone is the error of a call that found no process, or lost it. errors.Is finds ErrPluginGone
// in its chain.
func (p *Plugin) errGone(reason string) error {
	return &integration.Error{
		Kind:    integration.KindUnavailable,
		Message: fmt.Sprintf("plugin %s is gone: %s", p.id, reason),
		Code:    integration.ErrPluginGone.Code,
		Err:     integration.ErrPluginGone,
	}
}
