package alerts

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/schedule"
)

// route hands the alert to teams. Queued becomes open and layer 1 is paged; an open alert that goes
// to other teams starts again with them; in any other status only the teams change, as nobody is to
// be paged. The same teams again change nothing. The order of teams counts: people are rung in it.
func (c *change) route(teams []string) {
	if slices.Equal(teams, c.teams) {
		return
	}
	// Teams that had the alert before know of its messages already.
	others := slices.DeleteFunc(slices.Clone(teams), func(team string) bool { return slices.Contains(c.teams, team) })
	c.teams = slices.Clone(teams)
	c.dirty, c.rerouted = true, true
	defer c.tellOfMessages(others)
	message := "Routed to " + teamNames(c.file, teams)
	switch c.status {
	// pageNext says who is paged, or that nobody can be.
	case integration.AlertQueued, integration.AlertOpen:
		c.layer, c.round, c.rejected = 0, 1, nil
		c.pageNext(c.actor, message)
	case integration.AlertAcknowledged, integration.AlertResolved, integration.AlertDropped, integration.AlertDeleted:
		c.addLog(c.actor, message)
	}
}

// tellOfMessages has the channels of teams told of messages that were left before the alert was
// theirs. A message that is attached by the same change tells them by itself.
func (c *change) tellOfMessages(teams []string) {
	if len(teams) == 0 || slices.ContainsFunc(c.events, func(e event) bool { return e.kind == EventMessage }) {
		return
	}
	for i, m := range c.attachments {
		c.events = append(c.events, event{EventMessage, messageLeft(i+1, time.Duration(m.DurationMS)*time.Millisecond), teams})
	}
}

// pageNext leaves the current layer for the next one that has anybody, or drops the alert. reason
// begins the line. It is the only way from one layer to another, by whomever it is asked for.
func (c *change) pageNext(actor, reason string) {
	c.reach(actor, reason, policyOf(c.file, c.teams).next(c.layer, c.round, c.wall))
}

// reach pages a layer, or drops the alert.
func (c *change) reach(actor, reason string, next page) {
	line := c.describe(next)
	c.addLog(actor, reason+"; "+line)
	// Who declined stays known in the next layer of the round, unless they are asked anew.
	c.rejected = slices.DeleteFunc(c.rejected, func(user string) bool { return next.round != c.round || slices.Contains(next.users, user) })
	// Layer and round of a dropped alert are 0: opened again, it begins from the start.
	if next.layer == 0 {
		note := "Nobody has acknowledged it, and nobody is left to wait for"
		if next.empty && c.layer == 0 { // nobody was asked
			note = "Nobody is on call in any layer, so nobody is told of it"
		}
		c.tell(EventUnanswered, note)
		c.status = integration.AlertDropped
		c.layer, c.round, c.rejected = 0, 0, nil
		c.stopPaging()
		return
	}
	if c.layer == 0 {
		c.tell(EventOpened, line)
	}
	if c.status != integration.AlertQueued {
		next.why = reason
	}
	c.status = integration.AlertOpen
	c.layer, c.round, c.paged = next.layer, next.round, next.users
	c.startTimeout()
	c.pages = append(c.pages, next)
}

// startTimeout gives the layer its time. The deadline is stored, not held in memory, so that it
// survives a restart. It counts from now and not from when the command was decided: people need the
// whole time. The runner looks at the row and not at this value: see noted.
func (c *change) startTimeout() {
	c.deadline = c.now.Add(policyOf(c.file, c.teams).timeout(c.layer))
}

// stopPaging leaves layer and round alone: reopening continues from them. Who declined stays known
// until they are paged again, or the round is over.
func (c *change) stopPaging() {
	c.paged = nil
	c.deadline = time.Time{}
}

// acknowledge does nothing when somebody has, or when the alert is resolved. command is the number
// of the command that does it, so that a plugin can tell its own acknowledgement; 0: a person does.
func (c *change) acknowledge(user string, command int64) error {
	if c.status == integration.AlertAcknowledged || c.status == integration.AlertResolved {
		return nil
	}
	id, err := newID(c.now)
	if err != nil {
		return err
	}
	c.acks = []storedAck{{ID: id, User: user, AtMS: c.now.UnixMilli(), Command: command}}
	c.status = integration.AlertAcknowledged
	c.stopPaging() // the layer is kept: taking the acknowledgement back goes on from it
	// Whoever takes the alert after all no longer counts as having declined.
	c.rejected = slices.DeleteFunc(c.rejected, func(declined string) bool { return declined == user })
	if user == "" {
		c.addLog("", "Acknowledged by an automation")
		c.tell(EventTaken, "Acknowledged by an automation")
		return nil
	}
	c.tell(EventTaken, userName(c.file, user)+" has taken it")
	c.addLog(user, userName(c.file, user)+" acknowledged")
	return nil
}

// reopen takes acknowledgement ack back, or opens a resolved or dropped alert when ack is "". An
// acknowledgement that is gone already, or another one, changes nothing: the command was decided on
// an older state.
func (c *change) reopen(ack, reason string) {
	if ack == "" {
		if c.status == integration.AlertResolved || c.status == integration.AlertDropped {
			c.acks = nil
			c.openFromStart("Opened again" + reasonSuffix(reason))
		}
		return
	}
	i := slices.IndexFunc(c.acks, func(a storedAck) bool { return a.ID == ack })
	if i < 0 || c.status != integration.AlertAcknowledged {
		return
	}
	message := "The acknowledgement was taken back" + reasonSuffix(reason)
	if user := c.acks[i].User; user != "" {
		message = fmt.Sprintf("The acknowledgement of %s was taken back%s", userName(c.file, user), reasonSuffix(reason))
	}
	// The list is this change's own: it was just read, or cloned by recent.get.
	c.acks = slices.Delete(c.acks, i, i+1)
	if c.layer == 0 {
		c.openFromStart(message) // acknowledged before it was routed, or after it was dropped
		return
	}
	p := policyOf(c.file, c.teams)
	users := p.onCall(c.layer, c.wall)
	// The layer's people may have changed while somebody had the alert.
	if len(users) == 0 {
		c.pageNext(c.actor, message)
		return
	}
	// No new page: its people were notified when the layer was reached.
	c.status, c.paged = integration.AlertOpen, users
	// They have their turn again.
	c.rejected = slices.DeleteFunc(c.rejected, func(user string) bool { return slices.Contains(users, user) })
	c.startTimeout()
	message = fmt.Sprintf("%s; open again in layer %d: %s", message, c.layer, userNames(c.file, users))
	c.addLog(c.actor, message)
	c.tell(EventOpened, message)
}

// openFromStart begins with layer 1 of round 1; without teams the alert waits to be routed.
func (c *change) openFromStart(message string) {
	if len(c.teams) == 0 {
		c.status, c.layer, c.round, c.rejected = integration.AlertQueued, 0, 0, nil
		c.stopPaging()
		c.addLog(c.actor, message)
		return
	}
	c.layer, c.round, c.rejected = 0, 1, nil
	c.pageNext(c.actor, message)
}

// escalate leaves the layer for the next; nothing unless the alert is open on this layer (of this
// round; 0: of any). So an escalation that is asked for twice happens once.
func (c *change) escalate(layer, round int, message string) {
	if c.status != integration.AlertOpen || c.layer != layer || (round != 0 && c.round != round) {
		return
	}
	c.pageNext(c.actor, message)
}

// timeOut escalates when the layer's time is over. The deadline is looked at again: somebody may
// have acknowledged since the runner found it due. It is the runner's, of whichever host: a second
// one that comes later finds another deadline.
func (c *change) timeOut() {
	if c.deadline.IsZero() || c.deadline.After(c.now) {
		return
	}
	if c.status != integration.AlertOpen {
		// Should not happen, but such a row would be due in every round of the runner.
		c.deadline, c.dirty = time.Time{}, true
		return
	}
	timeout := policyOf(c.file, c.teams).timeout(c.layer)
	message := fmt.Sprintf("Nobody in layer %d acknowledged it", c.layer)
	if timeout > 0 { // 0: the teams are no longer in the file
		message += " within " + schedule.Spoken(timeout)
	}
	c.pageNext("", message)
}

// leaveLostLayer goes on where the file no longer has this layer, whose people could not be asked
// for, or nobody any more who was paged: then those are paged whom the layer has now, else the next
// layer. Where that would drop the alert, the layer keeps its time. Without it the alert would wait
// a whole time-out for people who cannot be named any more.
func (c *change) leaveLostLayer() {
	p := policyOf(c.file, c.teams)
	var next page
	var reason string
	switch {
	case c.status != integration.AlertOpen:
		return
	case c.layer > p.layers():
		next, reason = p.next(c.layer, c.round, c.wall), fmt.Sprintf("Layer %d is no longer in the file", c.layer)
	case len(c.paged) > 0 && !c.anybodyLeft():
		next, reason = p.next(c.layer, c.round, c.wall), fmt.Sprintf("Nobody is left of those who were paged in layer %d", c.layer)
		instead := slices.DeleteFunc(p.onCall(c.layer, c.wall), func(user string) bool { return slices.Contains(c.rejected, user) })
		if len(instead) > 0 {
			next = page{layer: c.layer, round: c.round, users: instead}
		}
	}
	if next.layer > 0 {
		c.reach("", reason, next)
	}
}

// anybodyLeft reports whether somebody was paged who may still take the alert: they have not
// declined, and are in the file.
func (c *change) anybodyLeft() bool {
	return slices.ContainsFunc(c.paged, func(id string) bool { return !slices.Contains(c.rejected, id) && c.file.User(id) != nil })
}

// reject notes that a person who is being paged cannot take the alert now. When nobody of the layer
// is left the next one is paged; who is gone from the file does not count. Until then the alert
// waits for the others of the layer.
func (c *change) reject(user string) {
	if slices.Contains(c.rejected, user) {
		return
	}
	c.rejected = append(c.rejected, user)
	c.addLog(user, userName(c.file, user)+" cannot take it now")
	if !c.anybodyLeft() {
		c.pageNext("", fmt.Sprintf("Nobody is left in layer %d", c.layer))
	}
}

// resolve ends the alert from any status. Layer and round stay, in case it is opened again.
// Acknowledgements stay, too, so that the story says who had it.
func (c *change) resolve(reason string) {
	if c.status == integration.AlertResolved {
		return
	}
	c.status = integration.AlertResolved
	c.stopPaging()
	if c.actor != "" {
		c.addLog(c.actor, userName(c.file, c.actor)+" resolved it"+reasonSuffix(reason))
		return
	}
	c.addLog("", "Resolved"+reasonSuffix(reason))
}

// setField replaces the value of a label, or adds it. The same value again changes nothing, so that
// a repeated command makes no hint. Its place among the fields stays, as pages show them in their
// order.
func (c *change) setField(f integration.AlertField) {
	stored := storedField{Label: f.Label, Value: f.Value, Format: string(f.Format)}
	i := slices.IndexFunc(c.fields, func(x storedField) bool { return x.Label == f.Label })
	switch {
	case i < 0:
		c.fields = append(c.fields, stored)
	case c.fields[i] == stored:
		return
	default:
		c.fields[i] = stored
	}
	c.dirty = true
}

// attach adds a medium. One with the same reference is the same medium and is not added again.
// References name content (SHA-256), so the same sound attached twice is one.
func (c *change) attach(label string, m integration.MediaRef) {
	if slices.ContainsFunc(c.attachments, func(x storedAttachment) bool { return x.Ref == m.Ref }) {
		return
	}
	c.attachments = append(c.attachments, storedAttachment{Label: label, Ref: m.Ref, Name: m.Name, ContentType: m.ContentType,
		Bytes: m.Bytes, DurationMS: m.Duration.Milliseconds(), AtMS: c.at.UnixMilli()})
	// The same words as in the record of the call.
	c.addLog(c.actor, cmp.Or(label, "Recording")+" stored"+lengthOf(m.Duration))
	c.tell(EventMessage, messageLeft(len(c.attachments), m.Duration)+c.taken())
}

// taken says who has the alert, to follow what has happened; "": nobody, or an automation.
func (c *change) taken() string {
	var users []string
	for _, k := range c.acks {
		if k.User != "" && !slices.Contains(users, k.User) {
			users = append(users, k.User)
		}
	}
	switch {
	case c.status != integration.AlertAcknowledged || len(users) == 0:
		return ""
	case len(users) == 1:
		return "; " + userName(c.file, users[0]) + " has taken the alert"
	}
	return "; " + userNames(c.file, users) + " have taken the alert"
}

// messageLeft says that the alert's message of this number, from 1 on, was left, and its length.
func messageLeft(number int, length time.Duration) string {
	if number > 1 {
		return "A further message was left" + lengthOf(length)
	}
	return "A message was left" + lengthOf(length)
}

// lengthOf is the length of a medium, to follow what it is; "": not known. It is never none.
func lengthOf(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return " (" + oneline.Lasting(max(d, time.Second)) + ")"
}
