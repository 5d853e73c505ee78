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

// How long a command waits for a cycle of GoAlert's engine, which is 5 s by default. Reads in
// between go by the polling key.
const (
	cycleWait     = 15 * time.Second
	firstLook     = 50 * time.Millisecond
	lastLook      = 500 * time.Millisecond
	escalateAgain = 30 * time.Second // an escalation that had no effect by then is asked for again
	outage        = 10 * time.Second // from when on an alert counts as refused because GoAlert fails
	saveTime      = 5 * time.Second
)

// Apply implements platform.Platform. Before the route everything is held; what GoAlert cannot keep
// later passes without effect. An escalation returns when GoAlert's engine has done it.
func (p *Platform) Apply(ctx context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	_, err := p.ApplyAll(ctx, scope, []integration.AlertCommand{cmd})
	return err
}

// ApplyAll implements platform.BatchApplier. What GoAlert never hears of is written down once, with
// the command behind it.
func (p *Platform) ApplyAll(ctx context.Context, scope platform.Scope, cmds []integration.AlertCommand) (done int, err error) {
	h := platform.Hint{Scope: scope, AlertKey: cmds[0].AlertKey}
	unlock, err := p.locks.lock(ctx, h)
	if err != nil {
		return 0, err
	}
	defer unlock()
	r, err := p.load(ctx, h)
	if err != nil {
		return 0, err
	}
	before := ""
	if r != nil {
		before = r.stored
	}
	defer func() {
		if r != nil && r.stored != before {
			p.hub.send(h)
		}
	}()
	saved := 0
	for _, cmd := range cmds {
		if r == nil && cmd.Kind != integration.AlertCreate {
			return done, integration.Errorf(integration.KindNotFound, "alert %q was never created", cmd.AlertKey)
		}
		if r == nil {
			r = &record{}
		}
		if cmd.Number <= r.LastCommand { // done before
			done++
			continue
		}
		if err = p.step(ctx, h, r, cmd); err != nil {
			break
		}
		done++
		if r.Alert != 0 && changesGoAlert(cmd.Kind) { // so that it is not done again after a crash
			if err = p.save(ctx, h, r); err != nil {
				return saved, err
			}
			saved = done
		}
	}
	// What is held, and why a command failed. The command may have used up its time.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	if wrong := p.save(ctx, h, r); wrong != nil {
		return saved, wrong
	}
	return done, err
}

// step carries out one command, or holds it.
func (p *Platform) step(ctx context.Context, h platform.Hint, r *record, cmd integration.AlertCommand) error {
	do := p.run
	if r.Alert == 0 {
		do = p.hold
	}
	if err := do(ctx, h, r, cmd); err != nil {
		return err
	}
	r.LastCommand, r.Trying, r.TryingUser = cmd.Number, 0, ""
	return nil
}

// changesGoAlert reports whether a command does anything to an alert that GoAlert has.
func changesGoAlert(kind integration.AlertCommandKind) bool {
	switch kind {
	case integration.AlertRoute, integration.AlertAcknowledge, integration.AlertReopen, integration.AlertEscalate, integration.AlertResolve:
		return true
	case integration.AlertCreate, integration.AlertLog, integration.AlertAddField, integration.AlertAttach, integration.AlertDecline:
	}
	return false
}

// hold keeps what comes before the alert has a team.
func (p *Platform) hold(ctx context.Context, h platform.Hint, r *record, cmd integration.AlertCommand) error {
	switch cmd.Kind {
	case integration.AlertCreate:
		if cmd.Draft != nil && r.Draft.Title == "" {
			r.Draft = *cmd.Draft
		}
	case integration.AlertLog:
		r.Notes = append(r.Notes, cmd.Text)
	case integration.AlertAddField:
		if cmd.Field != nil {
			r.Draft.Fields = slices.DeleteFunc(r.Draft.Fields, func(f integration.AlertField) bool { return f.Label == cmd.Field.Label })
			r.Draft.Fields = append(r.Draft.Fields, *cmd.Field)
		}
	case integration.AlertRoute:
		return p.route(ctx, h, r, cmd)
	case integration.AlertAttach, integration.AlertAcknowledge, integration.AlertDecline, integration.AlertReopen, integration.AlertEscalate, integration.AlertResolve:
		// Nobody has been paged yet. The engine makes no alert that is resolved before its route.
	default:
		return unknownCommand(cmd)
	}
	return nil
}

func unknownCommand(cmd integration.AlertCommand) error {
	return integration.Errorf(integration.KindUnsupported, "alert command %q is not known", cmd.Kind)
}

// run carries out a command on an alert that GoAlert has.
func (p *Platform) run(ctx context.Context, h platform.Hint, r *record, cmd integration.AlertCommand) error {
	switch cmd.Kind {
	case integration.AlertCreate, integration.AlertLog, integration.AlertAddField, integration.AlertAttach:
		return nil // an alert of GoAlert takes no further text
	case integration.AlertRoute:
		return p.route(ctx, h, r, cmd)
	case integration.AlertAcknowledge:
		return p.acknowledge(ctx, h, r, cmd)
	case integration.AlertReopen:
		return p.reopen(ctx, h, r, cmd)
	case integration.AlertEscalate:
		return p.escalate(ctx, h, r, cmd)
	case integration.AlertResolve:
		return p.close(ctx, h, r)
	case integration.AlertDecline:
		return integration.Errorf(integration.KindUnsupported, "GoAlert does not know that somebody declines")
	}
	return unknownCommand(cmd)
}

// route gives the alert to the first of the teams that has somebody on call. An alert that another
// team has is closed there: GoAlert cannot move it.
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
// time: people would be rung twice for one lost answer. began is when this attempt did.
func (p *Platform) refused(r *record, began time.Time, cause error) {
	var known *integration.Error
	if !errors.As(cause, &known) || known.Kind != integration.KindUnavailable && known.Kind != integration.KindDeadline {
		return // final: the call flow hears of it
	}
	now := p.clock.Now().UnixMilli()
	if r.RefusedMS == 0 {
		r.RefusedMS = began.UnixMilli()
	}
	switch known.Code {
	case codeFull, codeNoSteps, codeKey, codeDocument:
		r.Refused = known.Message
	default:
		if r.Refused == "" && now-r.RefusedMS >= outage.Milliseconds() {
			r.Refused = known.Message
		}
	}
}

// choose finds the first team with somebody on call; if there is none, it is the first team whose
// policy has steps. With an error that is not final it also says which team could have been meant.
func (p *Platform) choose(ctx context.Context, teams []string) (Service, error) {
	var idle, stepless []Service
	var problem string // of the first without steps
	for _, team := range teams {
		s, err := p.teamService(team)
		if err != nil {
			return s, err
		}
		found, err := p.duty(ctx, s)
		switch {
		case err != nil:
			return s, err
		case len(found.OnCallUsers) > 0:
			return s, nil
		case !found.stepless():
			idle = append(idle, s)
		default:
			problem = cmp.Or(problem, found.trouble(p.clock.Now()))
			stepless = append(stepless, s)
		}
	}
	switch {
	case len(idle) > 0:
		return idle[0], nil
	case len(stepless) > 0:
		return stepless[0], coded(codeNoSteps, "%s", problem)
	}
	return Service{}, integration.Errorf(integration.KindInvalid, "route: no team is named")
}

// create makes GoAlert's alert of a record, or finds the one that an earlier attempt made.
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
// of it.
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

// details is the text of a new alert, most important first: GoAlert cuts it at 6 KiB.
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

// close closes the alert by its key; it does nothing if that is closed.
func (p *Platform) close(ctx context.Context, h platform.Hint, r *record) error {
	s, known := p.teams[r.Team]
	if !known {
		return integration.Errorf(integration.KindUnavailable, "alert %d: the service of team %q is no longer set up; close the alert in GoAlert, or add the service again", r.Alert, r.Team)
	}
	_, err := p.client.post(ctx, s, event{Action: "close", Dedup: r.dedup(h)})
	return err
}

// acknowledge acknowledges by our key. GoAlert's log then has no name, so the noise reason, the only
// text that can be written later, says who took the call.
func (p *Platform) acknowledge(ctx context.Context, h platform.Hint, r *record, cmd integration.AlertCommand) error {
	user, err := p.User(ctx, h.Scope, cmd.User)
	if err != nil {
		return err
	}
	v, err := p.read(ctx, p.cfg.CallKey, r)
	if err != nil {
		return err
	}
	again := r.Trying == cmd.Number // a crash or a lost answer, after which it may be our own
	if v.alert.Status != unacknowledged && !again {
		return nil
	}
	// What was acknowledged before its first step can perhaps never be escalated again. But where an
	// alert could be created only now, somebody took the call meanwhile: nobody is to be paged for it.
	if !r.fresh {
		if v, err = p.await(ctx, r, v, view.started); err != nil {
			return err
		}
	}
	r.Trying, r.TryingUser = cmd.Number, cmd.User
	if err := p.save(ctx, h, r); err != nil {
		return err
	}
	var answer changedAnswer
	if err := p.call(ctx, "Acknowledge", map[string]any{"alert": r.Alert}, &answer); err != nil {
		return err
	}
	if v, err = p.read(ctx, p.cfg.CallKey, r); err != nil {
		return err
	}
	l, found := v.lastAck()
	if v.alert.Status != acknowledged || !found || named(l) || len(answer.UpdateAlerts) == 0 && !again {
		return nil // somebody else was first
	}
	r.Ack = ownAck{Line: l.ID, User: cmd.User, Command: cmd.Number}
	note := strings.ToValidUTF8(fmt.Sprintf("Live call: taken by %.100s", user.Name), "")
	if err := p.call(ctx, "Note", map[string]any{"alert": r.Alert, "note": note}, nil); err != nil {
		p.log.Warn("cannot write into GoAlert who took a call", "alert", r.Alert, "error", err)
	}
	return nil
}

// reopen takes an acknowledgement back by escalating, the only way that GoAlert has: the next step
// is paged, after the last one the first again. A closed alert cannot be opened, so a second one is
// made.
func (p *Platform) reopen(ctx context.Context, h platform.Hint, r *record, cmd integration.AlertCommand) error {
	v, err := p.read(ctx, p.cfg.CallKey, r)
	if err != nil {
		return err
	}
	s := p.snapshot(h, r, v)
	switch {
	case cmd.Ack != "" && s.Status == integration.AlertAcknowledged && s.Acknowledgements[0].ID == cmd.Ack,
		cmd.Ack == "" && s.Status == integration.AlertDropped && len(v.service.OnCallUsers) > 0:
		_, err = p.push(ctx, h, r, v, cmd.Number)
		return err
	case cmd.Ack == "" && s.Status == integration.AlertResolved:
		second := *r
		second.Generation++
		second.Notes = append(slices.Clone(r.Notes), fmt.Sprintf("This continues alert %d, which was closed.", r.Alert))
		if err := p.create(ctx, h, &second); err != nil {
			return err
		}
		*r = second
	}
	return nil
}

// escalate leaves a layer for the next one that has anybody on call.
func (p *Platform) escalate(ctx context.Context, h platform.Hint, r *record, cmd integration.AlertCommand) error {
	v, err := p.read(ctx, p.cfg.CallKey, r)
	if err != nil {
		return err
	}
	repeat, step := v.position()
	left := r.Trying == cmd.Number && !v.onCallAt(func(n int) bool { return n == step }) // an earlier attempt got as far as this empty step
	s := p.snapshot(h, r, v)
	if s.Status != integration.AlertOpen || !left && (step+1 != cmd.Layer || repeat+1 != cmd.Round) {
		return nil
	}
	for {
		_, step := v.position()
		if v.alert.Status != unacknowledged || !v.onCallAt(func(n int) bool { return n > step }) {
			return nil
		}
		if v, err = p.push(ctx, h, r, v, cmd.Number); err != nil {
			return err
		}
		if _, step = v.position(); v.onCallAt(func(n int) bool { return n == step }) {
			return nil
		}
	}
}

// push has GoAlert escalate once, and waits until its engine has done so.
func (p *Platform) push(ctx context.Context, h platform.Hint, r *record, v view, number int64) (view, error) {
	now := p.clock.Now()
	if why := v.service.trouble(now); why != "" {
		// Final: from now on the call flow rings the layers itself.
		return v, integration.Errorf(integration.KindUnsupported, "%s", why)
	}
	v, err := p.await(ctx, r, v, view.started)
	if err != nil {
		return v, err
	}
	var from [2]int
	from[0], from[1] = v.position()
	// Asked twice, it might escalate twice.
	if r.Trying != number || r.Position != from || now.Sub(time.UnixMilli(r.TriedMS)) > escalateAgain {
		r.Trying, r.Position, r.TriedMS = number, from, now.UnixMilli()
		if err := p.save(ctx, h, r); err != nil {
			return v, err
		}
		if err := p.call(ctx, "Escalate", map[string]any{"alert": r.Alert}, nil); err != nil {
			return v, err
		}
	}
	moved := func(v view) bool {
		repeat, step := v.position()
		return v.alert.Status == closed || [2]int{repeat, step} != from
	}
	if v, err = p.await(ctx, r, v, moved); err == nil && !moved(v) {
		err = coded("engine", "GoAlert has not escalated alert %d within %v: see whether its engine runs (%s/health/engine)", r.Alert, cycleWait, p.client.base)
	}
	return v, err
}

// await reads the alert until something holds, for the time of some cycles; it returns what was read
// last.
func (p *Platform) await(ctx context.Context, r *record, v view, holds func(view) bool) (view, error) {
	end := p.clock.Now().Add(cycleWait)
	for pause := firstLook; !holds(v) && v.alert.Status != closed && v.service.trouble(p.clock.Now()) == "" && p.clock.Now().Before(end); pause = min(2*pause, lastLook) {
		if clock.Sleep(ctx, p.clock, pause) != nil {
			return v, integration.Errorf(integration.KindDeadline, "GoAlert's engine has not come to alert %d in time", r.Alert)
		}
		var err error
		if v, err = p.read(ctx, p.cfg.PollKey, r); err != nil {
			return v, err
		}
	}
	return v, nil
}
