package launcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/wire"
	"github.com/livecallrouting/livecall/host-sdk/transport"
)

// acquire begins a call on the current process, whose finish must be called. It waits for a process
// while that makes sense: not for a stopped plugin, nor for a start that comes too late for ctx.
// With urgent somebody is on the phone: the next start is brought forward, and only when that has
// failed is it no use waiting for a failed plugin.
func (p *Plugin) acquire(ctx context.Context, urgent bool) (*process, error) {
	p.mu.Lock()
	// Only a start that fails after this moment is news to this call.
	refusals := p.refusals
	p.mu.Unlock()
	// Each change of status closes changed, so nothing is missed between looking and waiting.
	for {
		p.mu.Lock()
		if urgent {
			p.hurry()
		}
		tried := !urgent || p.refusals > refusals
		proc, s, changed := p.current, p.status, p.changed
		stopped := p.stopped()
		// Under the lock: a process that is replaced begins no more calls.
		begun := !stopped && proc != nil && proc.begin()
		p.mu.Unlock()
		switch {
		case begun:
			return proc, nil
		case stopped:
			return nil, p.errGone("it was stopped by the host")
		// A plugin that failed is tried again by itself, but too late for whoever asks now: they
		// get the fallback answer instead of silence.
		case s.State == StateFailed && tried:
			return nil, p.errGone(fmt.Sprintf("it failed too often, the next start is at %s (or by a restart); last: %s",
				s.NextStart.UTC().Format(time.RFC3339), s.LastError))
		}
		if deadline, ok := ctx.Deadline(); ok && s.State == StateBackingOff && s.NextStart.After(deadline) {
			return nil, p.errGone(fmt.Sprintf("the next start is at %s; last: %s",
				s.NextStart.UTC().Format(time.RFC3339), s.LastError))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, p.errGone(fmt.Sprintf("no process came up in time (%v); last: %s", ctx.Err(), s.LastError))
		}
	}
}

// verdict says what an error of a call means. It decides whether a call is repeated, so "lost" is
// said only where the process cannot answer any more.
type verdict int

const (
	answered   verdict = iota // the plugin gave the error, or will give it again
	slow                      // not in time, but the plugin is alive
	lost                      // the process is gone, or frozen and now killed
	notStarted                // refused by a process that is being stopped
)

// judge says what err of a call to proc means, and sees to a process that is gone or frozen. ctx is
// the caller's. Only errors of the connection can mean that the process is gone; whatever the
// plugin says itself is its answer. It may take as long as a probe. It is called after proc.finish,
// so a process that is being drained does not wait for it.
func (p *Plugin) judge(ctx context.Context, proc *process, err error) verdict {
	var contractErr *integration.Error
	var transport *wire.TransportError
	if !errors.As(err, &transport) {
		if errors.As(err, &contractErr) && contractErr.Code == wire.CodeDraining {
			return notStarted
		}
		return answered
	}
	switch {
	case transport.Lost(), transport.Canceled() && ctx.Err() == nil:
		// Canceled without the caller's doing: the end of the connection. It is seen a moment
		// before the end of the process.
		select {
		case <-proc.exited:
		// The connection is gone and the process is not: nobody can reach it any more, so it is
		// killed, which makes watch start another.
		case <-time.After(p.cfg.Timing.GoneSettling):
			proc.giveUp("the connection to the process broke")
		}
		return lost
	case transport.DeadlinePassed() && ctx.Err() == nil:
		if p.probe(ctx, proc) {
			return slow
		}
		return lost
	case transport.DeadlinePassed():
		// No time left for this caller; the next one shall not find a frozen process.
		p.background(func() { p.probe(p.life, proc) })
		return slow
	default:
		return answered
	}
}

// probe reports whether the process gives a sign of life, and gives it up if not. A health check
// needs a fraction of what a call may need, so a process that is merely busy passes. With a health
// check of its own, a call that is slow for reasons of its own, such as a page of options, does not
// cost everybody the process.
func (p *Plugin) probe(ctx context.Context, proc *process) bool {
	err := proc.alive(ctx, p.cfg.Timing.Probe)
	if err == nil {
		return true
	}
	if ctx.Err() != nil {
		return true // not known: the asker went away
	}
	proc.giveUp(fmt.Sprintf("the process was frozen: no sign of life within %s", p.cfg.Timing.Probe))
	return false
}

// method is a method of the contract, as an expression: of whichever process is current when it is
// called.
type method[Req, Resp any] func(integration.Integration, context.Context, Req) (Resp, error)

// manner is how a call that may be repeated is made.
type manner struct {
	urgent  bool // see acquire
	limited bool // the connection ends each attempt: transport.HostPlugins
}

// pure makes a call that may be repeated: once, on the successor of a process that was lost. Each
// attempt has Timing.Handle, so a frozen process leaves time for its successor.
func pure[Req, Resp any](ctx context.Context, p *Plugin, req Req, call method[Req, Resp], how manner) (Resp, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.cfg.Timing.HandleBudget)
		defer cancel()
	}
	for attempt := 1; ; attempt++ {
		var none Resp
		proc, err := p.acquire(ctx, how.urgent)
		if err != nil {
			return none, err
		}
		// The caller's own deadline still counts, if it is sooner.
		once, cancel := ctx, context.CancelFunc(func() {})
		if !how.limited {
			once, cancel = context.WithTimeout(ctx, p.cfg.Timing.Handle)
		}
		resp, err := call(proc.conn, once, req)
		cancel()
		proc.finish()
		if err == nil {
			return resp, nil
		}
		switch p.judge(ctx, proc, err) {
		case answered, slow:
			return none, err
		case lost, notStarted:
			if attempt == 2 {
				return none, p.errGone(proc.why())
			}
			proc.log.WarnContext(ctx, "plugin call is repeated on a new process", "pid", proc.pid, "error", err)
		}
	}
}

// effectful makes a call that must not be repeated once it may have started. Only the refusal of a
// process that is being stopped proves that it has not. It has no deadline but its context's:
// dialling or a check at the foreign service may take longer than a decision.
func effectful[Req, Resp any](ctx context.Context, p *Plugin, req Req, call method[Req, Resp]) (Resp, error) {
	for attempt := 1; ; attempt++ {
		var none Resp
		proc, err := p.acquire(ctx, false)
		if err != nil {
			return none, err
		}
		resp, err := call(proc.conn, ctx, req)
		proc.finish()
		if err == nil {
			return resp, nil
		}
		switch p.judge(ctx, proc, err) {
		case answered, slow:
			return none, err
		case lost:
			return none, p.errGone(proc.why())
		case notStarted:
			if attempt == 2 {
				return none, p.errGone("it is being stopped")
			}
		}
	}
}

// Describe implements integration.Integration.
func (p *Plugin) Describe(ctx context.Context, req integration.DescribeRequest) (integration.Description, error) {
	return pure(ctx, p, req, integration.Integration.Describe, manner{})
}

// OptionsSchema implements integration.Integration.
func (p *Plugin) OptionsSchema(ctx context.Context, req integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	return pure(ctx, p, req, integration.Integration.OptionsSchema, manner{})
}

// ValidateOptions implements integration.Integration. It is repeated unless it may ask the foreign
// service.
func (p *Plugin) ValidateOptions(ctx context.Context, req integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	if req.Online {
		return effectful(ctx, p, req, integration.Integration.ValidateOptions)
	}
	return pure(ctx, p, req, integration.Integration.ValidateOptions, manner{})
}

// ReturnsInTime says to an engine that calls return when their context has ended: waiting for a
// process and calls over a connection do. An engine calls anything else on a goroutine of its own,
// which costs each request a little.
func (p *Plugin) ReturnsInTime() {}

// HandleWebhook implements integration.Integration. It alone is urgent: a caller listens to silence
// meanwhile.
func (p *Plugin) HandleWebhook(ctx context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	return pure(ctx, p, req, integration.Integration.HandleWebhook, manner{urgent: true, limited: true})
}

// HandleAlert implements integration.Integration.
func (p *Plugin) HandleAlert(ctx context.Context, req integration.AlertRequest) (integration.Outcome, error) {
	return pure(ctx, p, req, integration.Integration.HandleAlert, manner{limited: true})
}

// HandleTask implements integration.Integration.
func (p *Plugin) HandleTask(ctx context.Context, req integration.TaskRequest) (integration.Outcome, error) {
	return pure(ctx, p, req, integration.Integration.HandleTask, manner{limited: true})
}

// Perform implements integration.Integration. It is never repeated here.
func (p *Plugin) Perform(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	return effectful(ctx, p, req, integration.Integration.Perform)
}

// RunAction implements integration.Integration. It is never repeated here.
func (p *Plugin) RunAction(ctx context.Context, req integration.ActionRequest) (integration.ActionResult, error) {
	return effectful(ctx, p, req, integration.Integration.RunAction)
}

// Profile asks the process in use for a profile of itself; [Config] does not limit it, so give ctx
// a deadline. It does not keep the process from being replaced. Without a process: unavailable; a
// plugin that makes no profiles: unsupported.
func (p *Plugin) Profile(ctx context.Context, what transport.Profile) ([]byte, error) {
	p.mu.Lock()
	proc := p.current
	p.mu.Unlock()
	if proc == nil {
		return nil, p.errGone("no process is running")
	}
	return proc.conn.Profile(ctx, what)
}
