package goalert

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// view is an alert as it was read, with its service, by one request.
type view struct {
	alert   *alert
	service *service
}

// read asks GoAlert for an alert. It also renews the finding about the service, as this is how the
// host learns that somebody put it right.
func (p *Platform) read(ctx context.Context, key Secret, r *record) (view, error) {
	var answer alertAnswer
	err := p.client.graphql(ctx, key, request{OperationName: "Alert", Variables: map[string]any{"alert": r.Alert, "service": r.Service}}, &answer)
	if err != nil {
		return view{}, err
	}
	if answer.Alert == nil {
		return view{}, integration.Errorf(integration.KindNotFound, "GoAlert has no alert %d any more", r.Alert)
	}
	if answer.Service == nil {
		return view{}, gone(r.Service)
	}
	v := view{answer.Alert, answer.Service}
	why := p.unpaged(r, v)
	if v.alert.Status == closed { // the next alert will not be
		why = v.service.trouble(clock.Wall(p.clock))
	}
	p.trouble(r.Service, why)
	return v, nil
}

// unpaged says why nobody is paged for an alert; "" if somebody is, or nobody has to be.
func (p *Platform) unpaged(r *record, v view) string {
	now := p.clock.Now()
	if v.alert.Status == closed {
		return ""
	}
	if why := v.service.trouble(clock.Wall(p.clock)); why != "" {
		return why
	}
	if at := p.stuckAt(r, v); at.IsZero() || now.Before(at) {
		return ""
	}
	return fmt.Sprintf("GoAlert's engine has not begun to notify anybody of alert %d within %v: see whether it runs (%s/health/engine)", r.Alert, cycleWait, p.client.base)
}

// stuckAt is when GoAlert's engine should have come to a new alert; zero if it has, or need not.
// GoAlert shows no error when its engine stands still; that the first step does not begin is the
// only sign.
func (p *Platform) stuckAt(r *record, v view) time.Time {
	if r.CreatedMS == 0 || v.started() || v.alert.Status != unacknowledged || v.alert.State == nil || len(v.service.OnCallUsers) == 0 {
		return time.Time{}
	}
	return time.UnixMilli(r.CreatedMS).Add(cycleWait)
}

// lookAt is when the policy will have been exhausted, nobody may have been paged, or somebody is
// paged again; no line of the log tells any of them. Zero: none is expected.
func (p *Platform) lookAt(r *record, v view) time.Time {
	// GoAlert's time is compared with the wall clock and handed on in the platform's own, which may
	// differ from it.
	if at := v.exhaustedAt(); !at.IsZero() {
		return at.Add(p.clock.Now().Sub(clock.Wall(p.clock)))
	}
	if p.unpaged(r, v) != "" {
		return p.clock.Now().Add(cycleWait)
	}
	return p.stuckAt(r, v)
}

// Alert implements platform.Platform. There is none before it is routed.
func (p *Platform) Alert(ctx context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	h := platform.Hint{Scope: scope, AlertKey: key}
	r, err := p.load(ctx, h)
	if err != nil {
		return integration.AlertSnapshot{}, err
	}
	for {
		// The alert exists for us alone, so that the call flow learns at once that GoAlert pages
		// nobody.
		if r != nil && r.Alert == 0 && r.Refused != "" {
			return integration.AlertSnapshot{Key: key, Status: integration.AlertQueued, Teams: []string{r.Team}, Round: 1,
				LastCommand: r.LastCommand, ReadAt: p.clock.Now(), Unpaged: r.Refused}, nil
		}
		if r == nil || r.Alert == 0 {
			return integration.AlertSnapshot{}, integration.Errorf(integration.KindNotFound, "alert %q is not in GoAlert: it has not been routed to a team", key)
		}
		v, err := p.read(ctx, p.cfg.CallKey, r)
		if err != nil {
			return integration.AlertSnapshot{}, err
		}
		// Read once more: a command may have run between the record and the alert.
		now, err := p.load(ctx, h)
		if err != nil {
			return integration.AlertSnapshot{}, err
		}
		// What a command changed in GoAlert meanwhile can only be read with the record of that
		// command.
		if now != nil && now.LastCommand == r.LastCommand && now.Trying == r.Trying {
			p.live.saw(h, r, v, p.lookAt(r, v), p.clock.Now())
			return p.snapshot(h, r, v), nil
		}
		r = now
	}
}

// snapshot says what the call flow is to know of an alert. It asks nobody: all that it says follows
// from the record, what was read, and the time. GoAlert's steps count from 0, layers from 1.
func (p *Platform) snapshot(h platform.Hint, r *record, v view) integration.AlertSnapshot {
	now := p.clock.Now()
	s := integration.AlertSnapshot{
		Key: h.AlertKey, ID: fmt.Sprint(r.Alert), URL: fmt.Sprintf("%s/alerts/%d", p.client.base, r.Alert),
		Teams: []string{r.Team}, Round: 1, LastCommand: r.LastCommand, ReadAt: now, Unpaged: p.unpaged(r, v),
	}
	repeat, step := v.position()
	s.Round = repeat + 1
	ack, found := v.lastAck()
	// Our own acknowledgement has no name in GoAlert. Until its command is done, it is left out:
	// the snapshot is one of before the command.
	unnamed := found && r.TryingUser != "" && ack.ID != r.Ack.Line && !named(ack)
	switch {
	case v.alert.Status == closed:
		s.Status = integration.AlertResolved
	case v.alert.Status == acknowledged && !unnamed:
		s.Status, s.Layer = integration.AlertAcknowledged, step+1
		s.Acknowledgements = []integration.Acknowledgement{v.acknowledgement(r, ack, found)}
	// Dropped is not the end: an acknowledgement still counts, and reopening pages again.
	case len(v.service.OnCallUsers) == 0, v.exhausted(clock.Wall(p.clock)):
		s.Status = integration.AlertDropped
	default:
		s.Status, s.Layer = integration.AlertOpen, step+1
		if !v.started() && s.Unpaged != "" {
			s.Layer = 0
		}
	}
	return s
}

// position is where the alert is in its policy.
func (v view) position() (repeat, step int) {
	if v.alert.State == nil {
		return 0, 0
	}
	return v.alert.State.RepeatCount, v.alert.State.StepNumber
}

// started reports whether the first step was begun: GoAlert's engine does that at its next cycle.
// Before that nobody has been notified, and an escalation would have no effect.
func (v view) started() bool { return v.alert.State != nil && v.alert.State.LastEscalation != nil }

// exhausted reports whether the last step of the last round is over. GoAlert tells this nowhere,
// and its times are by its own clock: now is that of the wall, which is nearest to it after ours
// was set.
func (v view) exhausted(now time.Time) bool {
	at := v.exhaustedAt()
	return !at.IsZero() && now.After(at)
}

// exhaustedAt is when the policy will have been exhausted, by GoAlert's clock; zero if another step
// or round comes first. A policy that repeats for ever (Repeat -1) is never exhausted, nor is an
// alert that somebody has acknowledged.
func (v view) exhaustedAt() time.Time {
	policy := v.service.EscalationPolicy
	if policy == nil || len(policy.Steps) == 0 || policy.Repeat < 0 || !v.started() || v.alert.Status != unacknowledged {
		return time.Time{}
	}
	// GoAlert does not promise that steps come in their order.
	last := policy.Steps[0]
	for _, s := range policy.Steps {
		if s.StepNumber > last.StepNumber {
			last = s
		}
	}
	if v.alert.State.RepeatCount < policy.Repeat || v.alert.State.StepNumber < last.StepNumber {
		return time.Time{}
	}
	return v.alert.State.LastEscalation.Add(time.Duration(last.DelayMinutes) * time.Minute)
}

// lastAck is the newest line of the log that says that somebody acknowledged. The order of lines is
// not relied on. The words are GoAlert's, in English always; there is no other sign of who
// acknowledged.
func (v view) lastAck() (newest line, found bool) {
	for _, l := range v.alert.RecentEvents.Nodes {
		if l.Message != "Acknowledged" && !strings.HasPrefix(l.Message, "Acknowledged ") {
			continue
		}
		if !found || l.Timestamp.After(newest.Timestamp) || l.Timestamp.Equal(newest.Timestamp) && l.ID > newest.ID {
			newest, found = l, true
		}
	}
	return newest, found
}

const ackedBy = "Acknowledged by "

// named reports whether the log says who acknowledged: an API key has no name.
func named(l line) bool { return strings.HasPrefix(l.Message, ackedBy) }

// acknowledgement turns the line of the log into who acknowledged. Its id is that of the log's
// line, so a later acknowledgement has another. An own one is told by the line that our record
// names.
func (v view) acknowledgement(r *record, l line, found bool) integration.Acknowledgement {
	a := integration.Acknowledgement{ID: fmt.Sprint(l.ID), At: l.Timestamp}
	switch {
	case !found: // more than fifty lines came after it
		a.ID = "unknown"
	case l.ID == r.Ack.Line:
		a.User, a.Command = r.Ack.User, r.Ack.Command
	case named(l):
		a.User = v.userOf(strings.TrimPrefix(l.Message, ackedBy))
	}
	return a
}

// userOf finds who is meant by "Alice Example (Web)" among those on call. Names are not unique in
// GoAlert: of two people with one name it says neither. A person who is no longer on call is not
// found either; then an acknowledgement counts without a name.
func (v view) userOf(text string) string {
	if i := strings.LastIndex(text, " ("); i > 0 && strings.HasSuffix(text, ")") {
		text = text[:i]
	}
	var ids []string
	for _, u := range v.service.OnCallUsers {
		if u.UserName == text && !slices.Contains(ids, u.UserID) {
			ids = append(ids, u.UserID)
		}
	}
	if len(ids) != 1 {
		return ""
	}
	return ids[0]
}

// onCallAt reports whether somebody is on call for one of the steps that has holds for.
func (v view) onCallAt(has func(step int) bool) bool {
	for _, u := range v.service.OnCallUsers {
		if has(u.StepNumber) {
			return true
		}
	}
	return false
}

// trouble says why nobody is paged for a new alert of the service; "" if somebody is. It is a
// sentence without its full stop, for findings and for the snapshot's Unpaged.
func (s *service) trouble(now time.Time) string {
	switch {
	case s.maintained(now):
		return fmt.Sprintf("GoAlert's service %q is in maintenance until %s and notifies nobody: end the maintenance in GoAlert, or route calls to another service",
			s.Name, s.MaintenanceExpiresAt.UTC().Format("2006-01-02 15:04 MST"))
	case s.stepless():
		return fmt.Sprintf("The escalation policy of GoAlert's service %q has no steps, so nobody is on call: add a step in GoAlert", s.Name)
	}
	return ""
}

// maintained reports whether somebody has put the service into maintenance; it ends by itself.
func (s *service) maintained(now time.Time) bool {
	return s.MaintenanceExpiresAt != nil && s.MaintenanceExpiresAt.After(now)
}

// stepless reports whether the service has nobody to escalate to, not even an empty step.
func (s *service) stepless() bool {
	return s.EscalationPolicy == nil || len(s.EscalationPolicy.Steps) == 0
}
