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

// How long a command waits for a cycle of GoAlert's engine, which is 5 s by default. Reads in
// between go by the polling key.
const (
	// Three cycles: one may just have begun, and a busy engine is late.
	cycleWait     = 15 * time.Second
	firstLook     = 50 * time.Millisecond
	lastLook      = 500 * time.Millisecond
	escalateAgain = 30 * time.Second // an escalation that had no effect by then is asked for again
	// For writing the record after the time of a command is over.
	saveTime = 5 * time.Second
)

// Apply implements platform.Platform. Before the route everything is held; what GoAlert cannot keep
// later passes without effect. An escalation returns when GoAlert's engine has done it. It is
// ApplyAll with a single command, so there is one way to carry a command out.
func (p *Platform) Apply(ctx context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	_, err := p.ApplyAll(ctx, scope, []integration.AlertCommand{cmd})
	return err
}

// ApplyAll implements platform.BatchApplier. What GoAlert never hears of is written down once, with
// the command behind it.
func (p *Platform) ApplyAll(ctx context.Context, scope platform.Scope, cmds []integration.AlertCommand) (done int, err error) {
	h := platform.Hint{Scope: scope, AlertKey: cmds[0].AlertKey}
	// Commands of one alert run one after the other in this process. Between hosts save notices a
	// conflict, and the command is done anew.
	unlock, err := p.locks.lock(ctx, h)
	if err != nil {
		return 0, err
	}
	defer unlock()
	r, err := p.load(ctx, h)
	if err != nil {
		return 0, err
	}
	before := record{}
	if r != nil {
		before = *r
	}
	// The engine reads the alert again only if it is hinted at. What this host has changed itself,
	// polling may not show for a second.
	defer func() {
		if r != nil && (r.stored != before.stored || r.storedCommand != before.storedCommand) {
			p.hub.send(h)
		}
	}()
	saved := 0
	// A batch stops at the first command that fails. Its number is not counted, so the engine sends
	// it and those behind it again.
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

// step carries out one command, or holds it. Only success moves LastCommand on, and ends what was
// being tried.
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

// changesGoAlert reports whether a command does anything to an alert that GoAlert has. The others
// only change our record, which is written once for a whole batch.
func changesGoAlert(kind integration.AlertCommandKind) bool {
	switch kind {
	case integration.AlertRoute, integration.AlertAcknowledge, integration.AlertReopen, integration.AlertEscalate, integration.AlertResolve:
		return true
	case integration.AlertCreate, integration.AlertLog, integration.AlertAddField, integration.AlertAttach, integration.AlertDecline:
	}
	return false
}

// hold keeps what comes before the alert has a team. Nothing is sent to GoAlert before the route,
// as an alert needs a service there.
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
			// The same label replaces: this runs again if the batch could not be saved.
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

// A newer engine may send kinds that this release does not know; final, so that it does not wait
// for them.
func unknownCommand(cmd integration.AlertCommand) error {
	return integration.Errorf(integration.KindUnsupported, "alert command %q is not known", cmd.Kind)
}

// run carries out a command on an alert that GoAlert has. Text, fields and attachments are accepted
// without effect: the contract allows that where Capabilities has no Annotations.
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

// close closes the alert by its key; it does nothing if that is closed. A repeated close, or one of
// a closed alert, is answered without an error.
func (p *Platform) close(ctx context.Context, h platform.Hint, r *record) error {
	// An alert is closed by the key of its own service, which may have left the set-up since.
	s, known := p.teams[r.Team]
	if !known {
		return integration.Errorf(integration.KindUnavailable, "alert %d: the service of team %q is no longer set up; close the alert in GoAlert, or add the service again", r.Alert, r.Team)
	}
	_, err := p.client.post(ctx, s, event{Action: "close", Dedup: r.dedup(h)})
	return err
}

// acknowledge acknowledges by our key. GoAlert's log then has no name, so the noise reason, the
// only text that can be written later, says who took the call. The order matters: that we are about
// to is written down before the request is sent, and whose it is only when the log has the line, so
// that after a crash in between the alert is neither acknowledged twice nor by nobody.
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
	// Somebody was first. The contract wants no error: the call flow reads who.
	if v.alert.Status != unacknowledged && !again {
		return nil
	}
	// What was acknowledged before its first step can perhaps never be escalated again. But where
	// an alert could be created only now, somebody took the call meanwhile: nobody is to be paged
	// for it.
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
	// From here on the snapshot says that the acknowledgement is ours, though GoAlert's log does
	// not.
	r.Ack = ownAck{Line: l.ID, User: cmd.User, Command: cmd.Number}
	note := strings.ToValidUTF8(fmt.Sprintf("Live call: taken by %.100s", user.Name), "")
	// A note that cannot be written costs the call nothing.
	if err := p.call(ctx, "Note", map[string]any{"alert": r.Alert, "note": note}, nil); err != nil {
		p.log.Warn("cannot write into GoAlert who took a call", "alert", r.Alert, "error", err)
	}
	return nil
}

// reopen takes an acknowledgement back by escalating, the only way that GoAlert has: the next step
// is paged, after the last one the first again. A closed alert cannot be opened, so a second one is
// made. Which of the two is meant is said by cmd.Ack: an acknowledgement to take back, or "" for an
// alert that is over.
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
		// The record is changed only once GoAlert has the second alert: until then it belongs to
		// the first.
		second := *r
		// Another dedup key, or GoAlert would return the alert that is closed.
		second.Generation++
		second.Notes = append(slices.Clone(r.Notes), fmt.Sprintf("This continues alert %d, which was closed.", r.Alert))
		if err := p.create(ctx, h, &second); err != nil {
			return err
		}
		*r = second
	}
	return nil
}

// escalate leaves a layer for the next one that has anybody on call. A layer without anybody is
// passed over, so several steps of GoAlert may be one escalation. Each of them is noted in the
// record, as a crash may come between.
func (p *Platform) escalate(ctx context.Context, h platform.Hint, r *record, cmd integration.AlertCommand) error {
	v, err := p.read(ctx, p.cfg.CallKey, r)
	if err != nil {
		return err
	}
	repeat, step := v.position()
	// An earlier attempt got as far as this empty step.
	left := r.Trying == cmd.Number && !v.onCallAt(func(n int) bool { return n == step })
	s := p.snapshot(h, r, v)
	// The alert is not where the command was decided: somebody was faster, or it was done before.
	if s.Status != integration.AlertOpen || !left && (step+1 != cmd.Layer || repeat+1 != cmd.Round) {
		return nil
	}
	for {
		_, step := v.position()
		// Pushed beyond the last step with anybody, GoAlert would begin a new round, which the
		// contract does not want.
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

// push has GoAlert escalate once, and waits until its engine has done so. It returns what was read
// last. GoAlert confirms an escalation at once and does it at the engine's next cycle, so only the
// position shows that it was done.
func (p *Platform) push(ctx context.Context, h platform.Hint, r *record, v view, number int64) (view, error) {
	now := p.clock.Now()
	if why := v.service.trouble(clock.Wall(p.clock)); why != "" {
		// Final: from now on the call flow rings the layers itself.
		return v, integration.Errorf(integration.KindUnsupported, "%s", why)
	}
	// An alert that has not begun its first step cannot be escalated.
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
	// A round that begins anew counts as well as a further step.
	moved := func(v view) bool {
		repeat, step := v.position()
		return v.alert.Status == closed || [2]int{repeat, step} != from
	}
	if v, err = p.await(ctx, r, v, moved); err == nil && !moved(v) {
		err = coded("engine", "GoAlert has not escalated alert %d within %v: see whether its engine runs (%s/health/engine)", r.Alert, cycleWait, p.client.base)
	}
	return v, err
}

// await reads the alert until something holds, for the time of some cycles; it returns what was
// read last. Not having come to pass in time is no error: callers look at the view. It also ends
// where waiting is of no use, with a closed alert or a service in trouble.
func (p *Platform) await(ctx context.Context, r *record, v view, holds func(view) bool) (view, error) {
	end := p.clock.Now().Add(cycleWait)
	for pause := firstLook; !holds(v) && v.alert.Status != closed && v.service.trouble(clock.Wall(p.clock)) == "" && p.clock.Now().Before(end); pause = min(2*pause, lastLook) {
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
