// Package shifts is what people change about who is on call while the switchboard file stays as it
// is: somebody takes a shift, gives one to somebody else, or is away. Changes are rows, which count
// after the overrides of the file; see [switchboardfile.File.WithShifts].
//
//	shifts.go  Change, Service: list, add, remove
//	check.go   what is refused, and why
//	run.go     changes of other hosts
//	news.go    what people hear of changes
package shifts

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/schedule"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

//go:embed migrations
var migrations embed.FS

// component names our tables' version table.
const component = "shifts"

// Migrate brings our tables up to date, as New does.
func Migrate(ctx context.Context, db *sqldb.DB) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return integration.Errorf(integration.KindInternal, "migrate shifts: %w", err)
	}
	return db.Migrate(ctx, component, files)
}

// Change is a shift that somebody takes or is given, or a time in which somebody is away. It is
// never altered: whoever wants another one makes a new change, which counts before it.
type Change struct {
	ID       string // chosen by Add
	Team     string // id; "": User is away, from all teams
	Layer    int    // from 1; 0: User is away
	User     string // id
	From, To time.Time
	Note     string // at most 200 characters, for people
	By       string // who made it, as people are named
	Maker    string // their id, as two may have one name; "": somebody whom the file does not have
	MadeAt   time.Time
}

// Away reports whether the change is an absence.
func (c Change) Away() bool { return c.Team == "" }

// String says in a few words what the change is, such as for an audit.
func (c Change) String() string {
	const shown = "2006-01-02T15:04Z"
	what := "away"
	if !c.Away() {
		what = fmt.Sprintf("layer %d", c.Layer)
	}
	return fmt.Sprintf("%s %s, %s to %s", c.User, what, c.From.UTC().Format(shown), c.To.UTC().Format(shown))
}

// Idle is why a change does not count with a file, in words for people; "": it counts.
func (c Change) Idle(f *switchboardfile.File) string {
	t := f.Team(c.Team)
	switch {
	case f.User(c.User) == nil:
		return "the person has left the switchboard file"
	case c.Away():
		return ""
	case t == nil:
		return "the team has left the switchboard file"
	case c.Layer > len(t.Schedule.Layers):
		return "the team has no such layer any more"
	}
	return ""
}

// Unrung is why no phone rings for callers in a shift, in words for people; "": one does, or the
// change does not count. The file's own layers are warned of in the same case.
func (c Change) Unrung(f *switchboardfile.File) string {
	if u := f.User(c.User); c.Away() || c.Idle(f) != "" || len(u.Phones) > 0 {
		return ""
	}
	return "the person has no phone, so no caller can be connected with them"
}

// Config makes a Service. All fields without a note are needed.
type Config struct {
	File   *switchboardfile.Source // which is given the changes
	DB     *sqldb.DB
	Clock  clock.Clock
	Logger *slog.Logger
	// Tell tells a person of a shift or an absence that somebody else changed for them. It is
	// called, ever more seldom, until it succeeds, the shift is over, or its error is final and not
	// unauthorized. nil: nobody hears of it.
	Tell func(ctx context.Context, n News, to integration.User) error
}

// Service keeps changes. Several processes may share one database. The changes themselves are with
// the file (SetShifts); here is only which version it has.
type Service struct {
	cfg Config
	// Each has room for one: look for changes, and for people to tell.
	wake, tellWake chan struct{}

	mu      sync.Mutex
	version int64 // of the changes that the file has; -1: none were read
}

// New brings the tables up to date and gives the file the changes that are there. It must run
// before anybody is rung, as without changes the wrong people would be.
func New(ctx context.Context, cfg Config) (*Service, error) {
	if err := Migrate(ctx, cfg.DB); err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, wake: make(chan struct{}, 1), tellWake: make(chan struct{}, 1), version: -1}
	return s, s.refresh(ctx)
}

// Forgotten is how long a change is kept after its end, for the calendar of the past weeks.
const Forgotten = 40 * 24 * time.Hour

// columns are those that a change and news of it have in common.
const columns = "id, team, layer, person, starts, ends, note, made_by, made_at"

// List returns the changes that end after a time, in the order in which they were made. Changes are
// kept for [Forgotten]. Past ones are for the calendar; they count for nobody any more.
func (s *Service) List(ctx context.Context, from time.Time) ([]Change, error) {
	return list(ctx, s.cfg.DB.Read(), from)
}

// The order is that of their numbers, which the later one of two overlapping changes wins by;
// clocks of hosts do not decide it.
func list(ctx context.Context, q sqldb.Queryer, from time.Time) ([]Change, error) {
	rows, err := q.QueryContext(ctx, "select "+columns+", maker from embedded_shifts where ends > $1 order by number limit $2", from.UnixMilli(), maxChanges)
	if err != nil {
		return nil, sqldb.Error("read shifts", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Change
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return nil, sqldb.Error("read shifts", err)
		}
		out = append(out, c)
	}
	return out, sqldb.Error("read shifts", rows.Err())
}

// scan reads the columns of a change and its maker, with others before them. Times are stored as
// milliseconds since 1970, in UTC.
func scan(row interface{ Scan(...any) error }, before ...any) (c Change, err error) {
	var from, to, made int64
	err = row.Scan(append(before, &c.ID, &c.Team, &c.Layer, &c.User, &from, &to, &c.Note, &c.By, &made, &c.Maker)...)
	c.From, c.To, c.MadeAt = time.UnixMilli(from).UTC(), time.UnixMilli(to).UTC(), time.UnixMilli(made).UTC()
	return c, err
}

// Of turns changes into what the file takes. The order stays.
func Of(changes []Change) switchboardfile.Shifts {
	var out switchboardfile.Shifts
	for _, c := range changes {
		if c.Away() {
			out.Away = append(out.Away, schedule.Absence{User: c.User, From: c.From, To: c.To})
			continue
		}
		out.Changes = append(out.Changes, switchboardfile.Shift{Team: c.Team, Layer: c.Layer, From: c.From, To: c.To, Users: []string{c.User}})
	}
	return out
}

// Add makes a change in the name of an actor. It is invalid where no such shift can be, and a
// conflict or unauthorized where others have a say; the message says what to do.
func (s *Service) Add(ctx context.Context, c Change, actor Actor) (Change, error) {
	now := s.cfg.Clock.Now()
	id, err := ulid.New(uint64(max(now.UnixMilli(), 0)), ulid.DefaultEntropy()) //nolint:gosec // not negative
	if err != nil {
		return Change{}, integration.Errorf(integration.KindInternal, "make an id: %w", err)
	}
	c.ID, c.By, c.Maker, c.MadeAt = id.String(), byName(actor), actor.User, now
	// Pages work with whole minutes.
	c.From, c.To = c.From.Truncate(time.Minute).UTC(), c.To.Truncate(time.Minute).UTC()
	// Who is given a shift is told by the shift's own row, see dueGiven: an absence, or a shift of
	// one's own, is no news.
	tell := any(nil)
	if !c.Away() && c.User != actor.User {
		tell = now.UnixMilli()
	}
	// It may run several times, each time with what others changed meanwhile.
	err = s.change(ctx, func(others []Change) ([]statement, error) {
		file := s.cfg.File.File()
		if err := check(file, c, others, actor, now); err != nil {
			return nil, err
		}
		d := diff{before: file.WithShifts(Of(others)), after: file.WithShifts(Of(append(slices.Clone(others), c))), lost: Lost, away: Away}
		// Whoever loses the shift hears that it was taken, and not that it was given away.
		if c.User == actor.User {
			d.lost = Taken
		}
		return append(insert(c.ID, d.news(c, actor, now), actor, now),
			statement{"delete from embedded_shifts where ends <= $1", []any{now.Add(-Forgotten).UnixMilli()}},
			statement{"insert into embedded_shifts (id, number, team, layer, person, starts, ends, note, made_by, maker, made_at, tell) " +
				"select $1, version, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 from embedded_shifts_count where id = 1",
				[]any{c.ID, c.Team, c.Layer, c.User, c.From.UnixMilli(), c.To.UnixMilli(), c.Note, c.By, c.Maker, c.MadeAt.UnixMilli(), tell}},
		), nil
	})
	return c, err
}

// byName is how an actor is named to others. It is cleaned, as it is shown to others.
func byName(actor Actor) string { return oneline.Clean(actor.Name, oneline.MaxName) }

// Remove takes a change back in the name of an actor: the schedule counts again, and whom that
// concerns is told. not_found: there is none of this id. Whether the actor may is looked at last,
// so that an id that does not exist says so to everybody.
func (s *Service) Remove(ctx context.Context, id string, actor Actor) (Change, error) {
	var c Change
	err := s.change(ctx, func(all []Change) ([]statement, error) {
		i := slices.IndexFunc(all, func(c Change) bool { return c.ID == id })
		if i < 0 {
			return nil, integration.Errorf(integration.KindNotFound, "there is no changed shift %q: it may have been removed already", oneline.Clean(id, maxNote))
		}
		c = all[i]
		file, now := s.cfg.File.File(), s.cfg.Clock.Now()
		d := diff{before: file.WithShifts(Of(all)), after: file.WithShifts(Of(slices.Delete(slices.Clone(all), i, i+1))),
			lost: TakenBack, gained: Again, away: TakenBack}
		return append(insert(id, d.news(c, actor, now), actor, now), statement{"delete from embedded_shifts where id = $1", []any{id}}), mayRemove(file, c, actor)
	})
	return c, err
}

// ForgetText replaces an international number in notes, as platform.Eraser says, and says in how
// many.
func (s *Service) ForgetText(ctx context.Context, number, by string) (int, error) {
	notes := sqldb.Column{Table: "embedded_shifts", Name: "note", Key: "id"}
	return s.cfg.DB.ReplaceNumber(ctx, number, by, notes)
}

// Idle is [Change.Idle] with the file in force.
func (s *Service) Idle(c Change) string { return c.Idle(s.cfg.File.File()) }

// Unrung is [Change.Unrung] with the file in force.
func (s *Service) Unrung(c Change) string { return c.Unrung(s.cfg.File.File()) }

// MayRemove reports whether an actor may take a change back.
func (s *Service) MayRemove(c Change, actor Actor) bool {
	return mayRemove(s.cfg.File.File(), c, actor) == nil
}

// maxConflicts bounds how often a change is decided anew because another one was faster.
const maxConflicts = 50

// statement is one of a transaction.
type statement struct {
	text string
	args []any
}

// count counts a change, if nobody was faster than who knew the version.
const count = "insert into embedded_shifts_count (id, version) values (1, 1) " +
	"on conflict (id) do update set version = embedded_shifts_count.version + 1 where embedded_shifts_count.version = $1"

// change makes a change by the statements that decide returns, given all changes there are. It is
// decided outside of the transaction, which then holds only if nobody was faster. Afterwards it is
// in force here, and on other hosts within a few seconds. A conflict costs one more reading. The
// counter's row is the one that all changes write, so of two transactions one waits for the other.
func (s *Service) change(ctx context.Context, decide func(all []Change) ([]statement, error)) error {
	// Each round of conflicts ends with somebody's change made, so it ends.
	for range maxConflicts {
		version, all, err := s.read(ctx, -1)
		if err != nil {
			return err
		}
		statements, err := decide(all)
		if err != nil {
			return err
		}
		err = s.cfg.DB.Write(ctx, func(tx sqldb.Tx) error {
			res, err := tx.ExecContext(ctx, count, version)
			if err != nil {
				return sqldb.Error("count shifts", err)
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return cmp.Or(err, errFaster)
			}
			for _, s := range statements {
				if _, err := tx.ExecContext(ctx, s.text, s.args...); err != nil {
					return sqldb.Error("change shifts", err)
				}
			}
			return nil
		})
		if errors.Is(err, errFaster) {
			continue
		}
		if err != nil {
			return err
		}
		s.Look()
		// A failure here is returned although the change is stored: the next look puts it into
		// force.
		return s.refresh(ctx)
	}
	return integration.Errorf(integration.KindUnavailable, "shifts are being changed by others: try again")
}

// errFaster says that another change came first.
var errFaster = errors.New("another change was faster")

// read returns the changes and their version, or none where the version is known. Both are of one
// moment, or a change could be taken for one of a later version and never be read.
func (s *Service) read(ctx context.Context, known int64) (version int64, all []Change, err error) {
	err = s.cfg.DB.Read().View(ctx, func(q sqldb.Queryer) error {
		err := q.QueryRowContext(ctx, "select version from embedded_shifts_count where id = 1").Scan(&version)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil // nothing has been changed yet
		}
		if err != nil || version == known {
			return sqldb.Error("count shifts", err)
		}
		all, err = list(ctx, q, s.cfg.Clock.Now().Add(-Forgotten))
		return err
	})
	return version, all, err
}
