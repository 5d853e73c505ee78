package goalert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// outage is how long GoAlert may fail until an alert counts as refused.
const outage = 10 * time.Second

// route gives the alert to the first of the teams that has somebody on call. An alert that another
// team has is closed there: GoAlert cannot move it. The new alert is made before the old one is
// closed: in between two teams are paged rather than none. r changes only when GoAlert has the
// alert.
func (p *Platform) route(ctx context.Context, h platform.Hint, r *record, cmd integration.AlertCommand) error {
	if r.Alert != 0 && slices.Contains(cmd.Teams, r.Team) {
		return nil
	}
	moved, began := *r, p.clock.Now()
	if r.Alert != 0 {
		moved.Generation++
	} else {
		// A GoAlert that hangs must not keep a caller longer from being rung than one that is down.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, outage)
		defer cancel()
	}
	// With an error it may still name the team, which the snapshot of a refused alert shows.
	chosen, err := p.choose(ctx, cmd.Teams)
	moved.Team, moved.Service = chosen.team(), chosen.ID
	if err == nil {
		err = p.create(ctx, h, &moved)
	}
	if err != nil {
		if r.Alert == 0 {
			r.Team, r.Service = moved.Team, moved.Service
			p.refused(r, began, err)
		}
		return err
	}
	if r.Alert != 0 {
		// If closing fails, nothing is kept of the new alert, and the next attempt finds it by its
		// dedup key.
		if err := p.close(ctx, h, r); err != nil {
			return err
		}
		p.live.forget(r.Alert)
	}
	*r = moved
	return nil
}

// refused notes why GoAlert takes no alert just now: the alert's snapshot then says that nobody is
// paged, while the command goes on being tried. What may be over in a moment counts after some
// time: people would be rung twice for one lost answer. began is when this attempt did. While the
// snapshot says so, the call flow rings the people on call itself.
func (p *Platform) refused(r *record, began time.Time, cause error) {
	var known *integration.Error
	if !errors.As(cause, &known) || known.Kind != integration.KindUnavailable && known.Kind != integration.KindDeadline {
		return // final: the call flow hears of it
	}
	now := p.clock.Now().UnixMilli()
	// It counts from the first attempt, also over a restart, as the record is stored.
	if r.RefusedMS == 0 {
		r.RefusedMS = began.UnixMilli()
	}
	switch known.Code {
	// These last until people act, so there is no use in waiting.
	case codeFull, codeNoSteps, codeKey, codeDocument:
		r.Refused = known.Message
	default:
		if r.Refused == "" && now-r.RefusedMS >= outage.Milliseconds() {
			r.Refused = known.Message
		}
	}
}

// choose finds the first team with somebody on call; if there is none, it is the first team whose
// policy has steps. Teams that are gone count only where there is no other. With an error that is
// not final it also says which team could have been meant. It asks GoAlert for each team in turn
// and stops at the first that has anybody.
func (p *Platform) choose(ctx context.Context, teams []string) (Service, error) {
	var idle, stepless []Service
	var problem string // of the first without steps
	var missing Service
	var notFound error // of the first team that is gone
	for _, team := range teams {
		s, err := p.teamService(team)
		var found *service
		if err == nil {
			found, err = p.duty(ctx, s)
		}
		switch {
		// One team that is gone must not keep the alert from the others.
		case integration.KindOf(err) == integration.KindNotFound:
			if notFound == nil {
				missing, notFound = s, err
			}
		case err != nil:
			return s, err
		case len(found.OnCallUsers) > 0:
			return s, nil
		case !found.stepless():
			idle = append(idle, s)
		default:
			problem = cmp.Or(problem, found.trouble(clock.Wall(p.clock)))
			stepless = append(stepless, s)
		}
	}
	switch {
	case len(idle) > 0:
		return idle[0], nil
	case len(stepless) > 0:
		return stepless[0], coded(codeNoSteps, "%s", problem)
	case notFound != nil:
		return missing, notFound
	}
	return Service{}, integration.Errorf(integration.KindInvalid, "route: no team is named")
}

// create makes GoAlert's alert of a record, or finds the one that an earlier attempt made. It sets
// r, which is the caller's copy until all has gone well.
func (p *Platform) create(ctx context.Context, h platform.Hint, r *record) error {
	number, err := p.client.post(ctx, p.teams[r.Team], event{Summary: r.Draft.Title, Details: r.details(), Dedup: r.dedup(h)})
	if err == nil && number == 0 {
		err = integration.Errorf(integration.KindUnavailable, "GoAlert accepted an alert for service %s and did not say which", r.Service)
	}
	if err != nil {
		return p.explainFull(ctx, r.Service, err)
	}
	p.trouble(r.Service+" is full", "")
	r.Alert, r.Ack, r.CreatedMS, r.fresh = number, ownAck{}, p.clock.Now().UnixMilli(), true
	p.live.add(h, r, p.clock.Now())
	return nil
}

// explainFull makes the error that a service is full name the service and the remedy, and a finding
// of it. Other errors pass as they are. The name is read only now, as people know a service by it.
func (p *Platform) explainFull(ctx context.Context, service string, cause error) error {
	var known *integration.Error
	if !errors.As(cause, &known) || known.Code != codeFull {
		return cause
	}
	name := service
	if names, err := p.serviceNames(ctx, []string{service}); err == nil {
		name = cmp.Or(names[service], service)
	}
	text := fmt.Sprintf("GoAlert's service %q has so many unacknowledged alerts (200 by default) that it takes no more: acknowledge or close some in GoAlert", name)
	p.trouble(service+" is full", text)
	return coded(codeFull, "%s", text)
}

// details is the text of a new alert, most important first: GoAlert cuts it at 6 KiB. After this
// GoAlert's alert takes no further text, so all that is known by now must be in it.
func (r *record) details() string {
	var b strings.Builder
	if r.Draft.Description != "" {
		fmt.Fprintf(&b, "%s\n\n", r.Draft.Description)
	}
	for _, f := range r.Draft.Fields {
		fmt.Fprintf(&b, "%s: %s\n", f.Label, f.Value)
	}
	if len(r.Notes) > 0 {
		fmt.Fprintf(&b, "\n%s\n", strings.Join(r.Notes, "\n"))
	}
	return strings.TrimSpace(b.String())
}
