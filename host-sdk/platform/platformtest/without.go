package platformtest

import (
	"context"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// Without returns a platform that can do less than p: each capability set in off is denied, and
// what belongs to it behaves as on a platform that never had it. PagesByItself is only said, not
// done. Alerts are browsed where p's are.
//
// Without unrouted alerts, commands that come before route wait in memory for it.
func Without(p platform.Platform, off integration.Capabilities) platform.Platform {
	l := &less{Platform: p, off: off, held: map[held][]integration.AlertCommand{}}
	if browser, ok := p.(platform.AlertBrowser); ok {
		return &lessWithBrowser{less: l, AlertBrowser: browser}
	}
	return l
}

// less is a platform with something taken away. mu protects held.
type less struct {
	platform.Platform

	off  integration.Capabilities
	mu   sync.Mutex
	held map[held][]integration.AlertCommand
}

// held names the alert that commands wait for.
type held struct {
	scope platform.Scope
	key   string
}

// lessWithBrowser is a less whose alerts can be browsed: a type of its own, as a type assertion
// must find that out.
type lessWithBrowser struct {
	*less
	platform.AlertBrowser
}

// denied is what a platform answers that never had a capability.
func denied(what string) error {
	return integration.Errorf(integration.KindUnsupported, "this platform has no %s", what)
}

// Capabilities implements platform.Platform.
func (l *less) Capabilities(ctx context.Context, scope platform.Scope) (integration.Capabilities, error) {
	c, err := l.Platform.Capabilities(ctx, scope)
	for _, x := range capabilities {
		if *x.of(&l.off) {
			*x.of(&c) = false
		}
	}
	if l.off.PagesByItself {
		c.PagesByItself = false
	}
	return c, err
}

// Route implements platform.Platform.
func (l *less) Route(ctx context.Context, scope platform.Scope, router string, facts []byte, at time.Time) (integration.RouteVerdict, error) {
	if l.off.Routers {
		return integration.RouteVerdict{}, denied("routers")
	}
	return l.Platform.Route(ctx, scope, router, facts, at)
}

// Destinations implements platform.Platform: without routers none is known.
func (l *less) Destinations(ctx context.Context, scope platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	out, err := l.Platform.Destinations(ctx, scope, refs)
	for i := range out {
		if l.off.Routers && out[i].Kind == integration.DestinationRouter {
			out[i].Missing = true
		}
	}
	return out, err
}

// Audience implements platform.Platform.
func (l *less) Audience(ctx context.Context, scope platform.Scope, audience integration.Audience, teams []string, at time.Time) ([]string, error) {
	if l.off.Audiences {
		return nil, denied("mail audiences")
	}
	return l.Platform.Audience(ctx, scope, audience, teams, at)
}

// Alert implements platform.Platform.
func (l *less) Alert(ctx context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	a, err := l.Platform.Alert(ctx, scope, key)
	if l.off.AcknowledgedByUser {
		for i := range a.Acknowledgements {
			a.Acknowledgements[i].User = ""
		}
	}
	return a, err
}

// Apply implements platform.Platform.
func (l *less) Apply(ctx context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	switch cmd.Kind {
	case integration.AlertReopen:
		if l.off.Reopen {
			return denied("reopening")
		}
	case integration.AlertEscalate:
		if l.off.Escalate {
			return denied("escalating by command")
		}
	case integration.AlertAcknowledge:
		if l.off.AcknowledgeAs {
			return denied("acknowledging in a person's name")
		}
	case integration.AlertLog, integration.AlertAddField, integration.AlertAttach:
		if l.off.Annotations {
			return denied("annotations")
		}
	case integration.AlertCreate, integration.AlertRoute, integration.AlertDecline, integration.AlertResolve:
	}
	if !l.off.UnroutedAlerts {
		return l.Platform.Apply(ctx, scope, cmd)
	}
	return l.applyRouted(ctx, scope, cmd)
}

// applyRouted holds commands until the alert is routed.
func (l *less) applyRouted(ctx context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.Platform.Alert(ctx, scope, cmd.AlertKey)
	if err == nil || integration.KindOf(err) != integration.KindNotFound {
		return l.Platform.Apply(ctx, scope, cmd) // exists, or nobody can say
	}
	at := held{scope, cmd.AlertKey}
	if cmd.Kind != integration.AlertRoute {
		if cmd.Kind == integration.AlertCreate || len(l.held[at]) > 0 {
			l.held[at] = append(l.held[at], cmd)
			return nil
		}
		return l.Platform.Apply(ctx, scope, cmd)
	}
	for _, waiting := range append(l.held[at], cmd) {
		if err := l.Platform.Apply(ctx, scope, waiting); err != nil {
			return err
		}
	}
	delete(l.held, at)
	return nil
}
