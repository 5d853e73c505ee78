package alerts

import (
	"context"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Apply implements platform.Platform. A command whose number the alert has seen is done already and
// changes nothing; a command of a higher number is recorded even when its condition does not hold,
// so that the snapshot shows that it ran.
func (s *Service) Apply(ctx context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	if err := s.checkCommand(cmd); err != nil {
		return err
	}
	// A final error is only returned for what no later state of the alert would change.
	_, err := s.change(ctx, s.commanded(ctx, scope, cmd), func(c *change) error { return c.command(cmd) })
	return err
}

// Database implements platform.InStore.
func (s *Service) Database() any { return s.db }

// Decide implements platform.InStore: all commands are one change of the alert. It reads the alert
// only if this process does not know it: a copy that is too old cannot be written.
func (s *Service) Decide(ctx context.Context, scope platform.Scope, cmds []integration.AlertCommand) (platform.AlertChange, error) {
	for _, cmd := range cmds {
		if err := s.checkCommand(cmd); err != nil {
			return platform.AlertChange{}, err
		}
	}
	now := s.clock.Now()
	d, err := s.decide(ctx, s.known(scope, cmds[0], s.commanded(ctx, scope, cmds[0])), func(c *change) error {
		for _, cmd := range cmds {
			if err := c.command(cmd); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return platform.AlertChange{}, err
	}
	// The engine then runs the commands one by one, after its own commit.
	if len(d.statements) == 0 {
		// Nothing would say that this is still so when the session is written.
		return platform.AlertChange{}, integration.Errorf(integration.KindConflict, "the commands are done already")
	}
	return platform.AlertChange{Statements: d.statements, Snapshot: s.snapshot(d.alert, now), Written: func() { s.written(d) }}, nil
}

// known loads the alert of a command from memory; read loads what is not known. The first command
// of a call makes its alert: if there is one all the same, the insert changes no row. Only number 1
// is certain to find no alert; any other create reads first.
func (s *Service) known(scope platform.Scope, cmd integration.AlertCommand, read load) load {
	return func(q sqldb.Queryer) (*alert, error) {
		if cmd.Kind == integration.AlertCreate && cmd.Number == 1 {
			return s.newAlert(scope, cmd)
		}
		if a := s.recent.get(scope, cmd.AlertKey); a != nil {
			return a, nil
		}
		return read(q)
	}
}

// commanded loads the alert of a command, which a create makes if there is none. Between reading
// and writing, another process may have made the alert: then the insert changes no row and all of
// it is done again.
func (s *Service) commanded(ctx context.Context, scope platform.Scope, cmd integration.AlertCommand) load {
	return func(q sqldb.Queryer) (*alert, error) {
		a, err := alertByKey(ctx, q, scope, cmd.AlertKey)
		if cmd.Kind == integration.AlertCreate && integration.KindOf(err) == integration.KindNotFound {
			return s.newAlert(scope, cmd)
		}
		return a, err
	}
}

// command runs one command. The numbers of a session rise and its commands are applied in order, so
// a number that is not higher than the last is a repetition. A number of 0 is for callers without a
// session, such as tests: the command always runs.
func (c *change) command(cmd integration.AlertCommand) error {
	if cmd.Number > 0 {
		if cmd.Number <= c.lastCommand {
			return nil
		}
		c.lastCommand, c.dirty = cmd.Number, true
	}
	c.actor, c.at = cmd.Actor, cmd.At
	if c.at.IsZero() {
		c.at = c.now
	}
	return c.run(cmd)
}

// checkCommand refuses commands that are wrong whatever state the alert is in. The errors are
// final, so that the engine tells the plugin instead of trying again.
func (s *Service) checkCommand(cmd integration.AlertCommand) error {
	invalid := func(text string) error {
		return &integration.Error{Kind: integration.KindInvalid, Message: "command " + string(cmd.Kind) + ": " + text}
	}
	if cmd.AlertKey == "" {
		return invalid("alert key is empty: name the alert")
	}
	current := s.file()
	switch cmd.Kind {
	case integration.AlertCreate:
		if cmd.Draft == nil {
			return invalid("draft is missing")
		}
	case integration.AlertRoute:
		if len(cmd.Teams) == 0 {
			return invalid("teams is empty: name at least one team")
		}
		// One team that has left the file keeps the alert from none of the others.
		if !slices.ContainsFunc(cmd.Teams, func(id string) bool { return current.Team(id) != nil }) {
			return integration.Errorf(integration.KindNotFound, "command route: team %q: the switchboard file has none of this id", cmd.Teams[0])
		}
	case integration.AlertAddField:
		if cmd.Field == nil || cmd.Field.Label == "" {
			return invalid("field or its label is missing")
		}
	case integration.AlertAttach:
		if cmd.Media == nil || cmd.Media.Ref == "" {
			return invalid("media or its reference is missing")
		}
	case integration.AlertAcknowledge:
		if cmd.User != "" && current.User(cmd.User) == nil {
			return integration.Errorf(integration.KindNotFound, "command acknowledge: user %q: the switchboard file has none of this id", cmd.User)
		}
	case integration.AlertDecline:
		if cmd.User == "" {
			return invalid("user is empty: name who declines")
		}
	case integration.AlertLog, integration.AlertReopen, integration.AlertEscalate, integration.AlertResolve:
	default:
		return integration.Errorf(integration.KindUnsupported, "command %q is not known to this platform", cmd.Kind)
	}
	return nil
}

// newAlert is an alert that is not in the database yet. It has version 0 until it is written, and
// is queued until a route names its teams.
func (s *Service) newAlert(scope platform.Scope, cmd integration.AlertCommand) (*alert, error) {
	now := s.clock.Now()
	id, err := newID(now)
	if err != nil {
		return nil, err
	}
	a := &alert{id: id, scope: scope, key: cmd.AlertKey, status: integration.AlertQueued,
		title: cmd.Draft.Title, spokenTitle: cmd.Draft.SpokenTitle, description: cmd.Draft.Description, urgency: cmd.Draft.Urgency, createdAt: now}
	// The alert begins when it was decided to make one, though the command may come later.
	if !cmd.At.IsZero() {
		a.createdAt = cmd.At
	}
	return a, nil
}

// run does what the command says, if its condition holds.
func (c *change) run(cmd integration.AlertCommand) error {
	switch cmd.Kind {
	case integration.AlertCreate:
		if c.version == 0 { // new: the log of every alert begins with this line
			for _, f := range cmd.Draft.Fields {
				c.setField(f)
			}
			c.addLog(cmd.Actor, "Created")
		}
	case integration.AlertRoute:
		c.route(cmd.Teams)
	case integration.AlertLog:
		c.addLog(cmd.Actor, cmd.Text)
		if cmd.Event == integration.EventUnheard {
			c.tell(EventUnheard, cmd.Text)
		}
	case integration.AlertAddField:
		c.setField(*cmd.Field)
	case integration.AlertAttach:
		c.attach(cmd.Label, *cmd.Media)
	case integration.AlertAcknowledge:
		return c.acknowledge(cmd.User, cmd.Number)
	case integration.AlertReopen:
		c.reopen(cmd.Ack, cmd.Text)
	case integration.AlertDecline:
		if c.status == integration.AlertOpen && slices.Contains(c.paged, cmd.User) {
			c.reject(cmd.User)
		}
	case integration.AlertEscalate:
		// A command must not drop the alert, and a round that ends early would leave the people of
		// the first layer fewer tries than the file gives them.
		if policyOf(c.file, c.teams).next(c.layer, c.round, c.wall).round != c.round {
			break
		}
		c.escalate(cmd.Layer, cmd.Round, "Escalated"+reasonSuffix(cmd.Text))
	case integration.AlertResolve:
		c.resolve(cmd.Text)
	}
	return nil
}
