package alerts

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

var _ platform.AlertBrowser = (*Service)(nil)

// records reads alerts with their logs, in one view of the database, so that a log never holds a
// line that its alert does not know of. The logs of all of them are one statement.
func (s *Service) records(ctx context.Context, from *sqldb.Reader, read func(q sqldb.Queryer) ([]*alert, error)) ([]platform.AlertRecord, error) {
	var out []platform.AlertRecord
	err := from.View(ctx, func(q sqldb.Queryer) error {
		alerts, err := read(q)
		if err != nil {
			return err
		}
		logs, err := logsOf(ctx, q, alerts)
		if err != nil {
			return err
		}
		for _, a := range alerts {
			out = append(out, s.record(a, logs[a.id]))
		}
		return nil
	})
	return out, sqldb.Error("read alerts", err)
}

// queryAlerts reads alerts by a query that selects alertColumns.
func queryAlerts(ctx context.Context, q sqldb.Queryer, query string, args ...any) ([]*alert, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, sqldb.Error("list alerts", err)
	}
	defer func() { _ = rows.Close() }()
	var out []*alert
	for rows.Next() {
		a, err := scanAlert(rows)
		if err != nil {
			return nil, sqldb.Error("list alerts", err)
		}
		out = append(out, a)
	}
	return out, sqldb.Error("list alerts", rows.Err())
}

// GetAlert implements platform.AlertBrowser.
func (s *Service) GetAlert(ctx context.Context, id string) (platform.AlertRecord, error) {
	return s.oneRecord(ctx, s.db.Pages(), id)
}

// oneRecord reads an alert with its log. from says on whose connections it reads: pages have their
// own, so that people who look at lists do not hold up escalation.
func (s *Service) oneRecord(ctx context.Context, from *sqldb.Reader, id string) (platform.AlertRecord, error) {
	list, err := s.records(ctx, from, func(q sqldb.Queryer) ([]*alert, error) {
		a, err := alertByID(ctx, q, id)
		return []*alert{a}, err
	})
	if err != nil {
		return platform.AlertRecord{}, err
	}
	return list[0], nil
}

// Act implements platform.AlertBrowser. Doing again what the same person did before changes
// nothing; resolving what is resolved neither. The error is KindNotFound for an unknown alert or
// person, KindConflict, with a sentence for that person, where the alert's status forbids the
// action. It checks and acts in one change, so of two people who acknowledge at once one gets the
// conflict.
func (s *Service) Act(ctx context.Context, id string, action platform.AlertAction, user string) (platform.AlertRecord, error) {
	if s.file().User(user) == nil {
		return platform.AlertRecord{}, integration.Errorf(integration.KindNotFound, "user %q: there is no such person in the switchboard file", user)
	}
	_, err := s.change(ctx, func(q sqldb.Queryer) (*alert, error) { return alertByID(ctx, q, id) }, func(c *change) error {
		c.actor = user
		return c.act(action, user)
	})
	if err != nil {
		return platform.AlertRecord{}, err
	}
	return s.GetAlert(ctx, id)
}

// act checks that the status allows the action and does it. Unlike commands, which pass over what
// does not apply, actions fail: a person is waiting for an answer.
func (c *change) act(action platform.AlertAction, user string) error {
	switch action {
	case platform.ActAcknowledge:
		if c.status == integration.AlertResolved {
			return c.conflict()
		}
		if c.status == integration.AlertAcknowledged && !slices.ContainsFunc(c.acks, func(a storedAck) bool { return a.User == user }) {
			return c.conflict()
		}
		// 0: a person did it, and no command of a call.
		return c.acknowledge(user, 0)
	case platform.ActReject:
		if c.status != integration.AlertOpen {
			return c.conflict()
		}
		if !slices.Contains(c.paged, user) {
			return conflictf("%s is not being paged: there is nothing to decline", userName(c.file, user))
		}
		c.reject(user)
	case platform.ActEscalate:
		if c.status != integration.AlertOpen {
			return c.conflict()
		}
		// A person may end a round early or drop the alert, which a command must not: they see what
		// they do.
		c.escalate(c.layer, c.round, userName(c.file, user)+" escalated")
	case platform.ActResolve:
		c.resolve("")
	default:
		return integration.Errorf(integration.KindInvalid, "action %q: want acknowledge, reject, escalate or resolve", action)
	}
	return nil
}

// conflictf makes a conflict whose message is shown to a person. The message is a sentence without
// its full stop, as pages show it beside the button.
func conflictf(format string, args ...any) error {
	return &integration.Error{Kind: integration.KindConflict, Message: fmt.Sprintf(format, args...)}
}

// conflict explains to a person why the alert's status forbids what they asked for.
func (c *change) conflict() error {
	switch c.status {
	case integration.AlertQueued:
		return conflictf("The alert has not reached a team yet")
	case integration.AlertOpen:
		return conflictf("The alert is open")
	case integration.AlertAcknowledged:
		if len(c.acks) > 0 {
			who, at := "An automation", c.acks[0].AtMS
			if c.acks[0].User != "" {
				who = userName(c.file, c.acks[0].User)
			}
			return conflictf("%s acknowledged it at %s", who, c.clockTime(fromMS(at)))
		}
		return conflictf("The alert is acknowledged")
	case integration.AlertResolved:
		return conflictf("The alert is already resolved")
	case integration.AlertDropped:
		return conflictf("The alert is dropped: nobody is being paged any more, but it can be acknowledged")
	case integration.AlertDeleted:
		return conflictf("The alert is deleted")
	}
	return conflictf("The alert is %s", c.status)
}

// clockTime writes a time as the alert's first team would: in the zone of its schedule, or in UTC.
// There is no date: whoever gets a conflict has just looked at the alert.
func (c *change) clockTime(t time.Time) string {
	zone := time.UTC
	if len(c.teams) > 0 {
		if team := c.file.Team(c.teams[0]); team != nil {
			zone = team.Schedule.Zone()
		}
	}
	return t.In(zone).Format("15:04 MST")
}

// snapshot is the alert as the contract has it. While it is acknowledged (or after it was resolved)
// Layer and Round are those it was on: taking the acknowledgement back opens it there. Lists
// without anything are nil, whether the alert was read or has just been changed. Lists are copied,
// as the contract's values may be kept beyond the row's.
func (s *Service) snapshot(a *alert, readAt time.Time) integration.AlertSnapshot {
	out := integration.AlertSnapshot{Key: a.key, ID: a.id, Status: a.status, Teams: append([]string(nil), a.teams...), Layer: a.layer, Round: a.round,
		Declined: append([]string(nil), a.rejected...), LastCommand: a.lastCommand, Change: a.version, ReadAt: readAt}
	if s.cfg.AlertURL != nil {
		out.URL = s.cfg.AlertURL(a.id)
	}
	for _, k := range a.acks {
		out.Acknowledgements = append(out.Acknowledgements, integration.Acknowledgement{ID: k.ID, User: k.User, At: fromMS(k.AtMS), Command: k.Command})
	}
	return out
}

// record is the alert with everything that pages show. Who declined is left out of the people being
// paged, and is in Declined.
func (s *Service) record(a *alert, log []platform.LogEntry) platform.AlertRecord {
	out := platform.AlertRecord{AlertSnapshot: s.snapshot(a, s.clock.Now()), Integration: a.scope.Integration, Title: a.title,
		Description: a.description, Urgency: a.urgency, Log: log, CreatedAt: a.createdAt, UpdatedAt: a.updatedAt}
	for _, f := range a.fields {
		out.Fields = append(out.Fields, integration.AlertField{Label: f.Label, Value: f.Value, Format: integration.FieldFormat(f.Format)})
	}
	for _, m := range a.attachments {
		out.Attachments = append(out.Attachments, platform.Attachment{Label: m.Label, At: fromMS(m.AtMS), Media: integration.MediaRef{
			Ref: m.Ref, Name: m.Name, ContentType: m.ContentType, Bytes: m.Bytes, Duration: time.Duration(m.DurationMS) * time.Millisecond}})
	}
	for _, id := range a.paged {
		if !slices.Contains(a.rejected, id) {
			out.Paged = append(out.Paged, id)
		}
	}
	return out
}
