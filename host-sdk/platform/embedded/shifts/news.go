package shifts

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// What is the kind of news that a person gets of a change.
type What string

// What there is to tell.
const (
	Given What = "given" // somebody gave them the shift
	Lost  What = "lost"  // somebody gave a shift of theirs to somebody else
	Taken What = "taken" // somebody took a shift of theirs
	Away  What = "away"  // somebody entered an absence of theirs
	// Somebody took the change back: they are on call no longer, or away no longer.
	TakenBack What = "taken back"
	Again     What = "again" // somebody took the change back, so that they are on call instead
)

// News is what one person hears of a change. Its By is who made the change, or took it back. Each
// is a row until its person was told, so that a host that dies tells nobody twice for long and
// forgets nobody.
type News struct {
	Change
	What What

	recipient string // user id
	key       string // of its row
}

// maxHandoffs bounds how many hand-offs of a change are looked at for people to tell.
const maxHandoffs = 500

// diff is what a change, made or taken back, means to people. Comparing two whole schedules is
// simpler, and surer, than working out what a change means to rotations, overrides and absences.
type diff struct {
	before, after *switchboardfile.File
	// What they are told who are on call no longer, and who are instead. "": nothing.
	lost, gained What
	away         What // what they are told who count as away, or no longer
}

// news is what people are to be told of a change from now on, but for who does it. It goes from
// hand-off to hand-off of either schedule within the change. Each person hears of it once, by what
// they meet first.
func (d diff) news(c Change, actor Actor, now time.Time) []News {
	if !c.To.After(now) {
		return nil
	}
	var news []News
	add := func(user string, what What) {
		if what != "" && user != actor.User && !slices.ContainsFunc(news, func(n News) bool { return n.recipient == user }) {
			news = append(news, News{Change: c, What: what, recipient: user, key: c.ID + "/" + user})
		}
	}
	if c.Away() {
		add(c.User, d.away)
		return news
	}
	was, is := d.before.Team(c.Team), d.after.Team(c.Team)
	if was == nil || is == nil {
		return nil
	}
	at := c.From
	// What is past concerns nobody any more.
	if at.Before(now) {
		at = now
	}
	for range maxHandoffs {
		had, have := was.Schedule.OnCallAt(c.Layer, at), is.Schedule.OnCallAt(c.Layer, at)
		for _, user := range had {
			if !slices.Contains(have, user) {
				add(user, d.lost)
			}
		}
		for _, user := range have {
			if !slices.Contains(had, user) {
				add(user, d.gained)
			}
		}
		next, _ := was.Schedule.NextHandoff(c.Layer, at)
		if other, _ := is.Schedule.NextHandoff(c.Layer, at); next.IsZero() || !other.IsZero() && other.Before(next) {
			next = other
		}
		if next.IsZero() || !next.Before(c.To) {
			break
		}
		at = next
	}
	return news
}

// deleteNews removes the news of a change that people have not had yet: what is so now comes
// in its place, never before it. $1 and $2 are as newsOf says.
const deleteNews = "delete from embedded_shift_news where id >= $1 and id < $2"

// newsOf are the limits of the keys of a change's rows.
func newsOf(id string) []any { return []any{id + "/", id + "0"} }

// insert are the statements that queue the news of a change for people.
func insert(id string, news []News, actor Actor, now time.Time) []statement {
	list := []statement{{deleteNews, newsOf(id)}}
	for _, n := range news {
		list = append(list, statement{"insert into embedded_shift_news (id, what, recipient, team, layer, person, starts, ends, note, made_by, made_at, tell) " +
			"values ($1, $2, $3, $4, $5, $6, $7, $8, '', $9, $10, $10)",
			[]any{n.key, string(n.What), n.recipient, n.Team, n.Layer, n.User, n.From.UnixMilli(), n.To.UnixMilli(), byName(actor), now.UnixMilli()}})
	}
	return list
}

const (
	dueGiven = "select '" + string(Given) + "', person, id, " + columns + ", maker from embedded_shifts where tell <= $1 and ends > $1 order by tell limit $2"
	dueNews  = "select what, recipient, id, " + columns + ", '' from embedded_shift_news where tell <= $1 order by tell limit $2"

	// The row of a person who waits for news is claimed until the lease ends.
	claimGiven = "update embedded_shifts set tell = $2 where id = $1 and tell <= $3"
	claimNews  = "update embedded_shift_news set tell = $2 where id = $1 and tell <= $3"

	// Once told, while the claim holds: a row of the same key may have come in place of the one
	// that was claimed.
	toldGiven = "update embedded_shifts set tell = null where id = $1 and tell = $2"
	toldNews  = "delete from embedded_shift_news where id = $1 and tell = $2"
)

// statements are those that claim a row, and end it.
func (n News) statements() (claim, told string) {
	if n.What == Given {
		return claimGiven, toldGiven
	}
	return claimNews, toldNews
}

// tellAll tells everybody whose turn it is. Each is claimed first, so that one host tells them.
func (s *Service) tellAll(ctx context.Context) error {
	if s.cfg.Tell == nil {
		return nil
	}
	now := s.cfg.Clock.Now()
	var due []News
	for _, query := range []string{dueGiven, dueNews} {
		list, err := s.due(ctx, query, now)
		if err != nil {
			return sqldb.Error("read shifts to tell", err)
		}
		due = append(due, list...)
	}
	// Beside one another, so that what hangs for one person holds up nobody else.
	failed := make([]error, len(due))
	var all sync.WaitGroup
	for i, n := range due {
		all.Go(func() { failed[i] = s.tell(ctx, n, now) })
	}
	all.Wait()
	return sqldb.Error("tell shifts", errors.Join(failed...))
}

// due reads the news that is due now. The queries have the same columns: news of a given shift is
// in the shift's own row, all other news in rows of its own.
func (s *Service) due(ctx context.Context, query string, now time.Time) ([]News, error) {
	rows, err := s.cfg.DB.Read().QueryContext(ctx, query, now.UnixMilli(), tellBatch)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var due []News
	for rows.Next() {
		var n News
		n.Change, err = scan(rows, &n.What, &n.recipient, &n.key)
		if err != nil {
			return nil, err
		}
		due = append(due, n)
	}
	return due, rows.Err()
}

// lease is how long a row is claimed, after which what failed is tried again: the older the news,
// the later, as a mail server that takes none may do so for days. Each pause is half of the news's
// age.
func (n News) lease(now time.Time) time.Duration {
	return min(max(now.Sub(n.MadeAt)/2, tellLease), tellSeldom)
}

// refused reports whether news is refused for good, such as since the address does not exist. Wrong
// credentials are about the host's account: it may be put right.
func refused(err error) bool {
	kind := integration.KindOf(err)
	return kind.Final() && kind != integration.KindUnauthorized
}

// tell tells one person, unless the shift is over. A failure is tried again after the lease, unless
// all of the person's ways refuse it. The claim is committed before anybody is told, so that of
// several hosts one does it.
func (s *Service) tell(ctx context.Context, n News, now time.Time) error {
	// told deletes the row only if the lease is still the one that was claimed.
	claim, told := n.statements()
	claimed, lease := false, now.Add(n.lease(now)).UnixMilli()
	err := s.cfg.DB.Write(ctx, func(tx sqldb.Tx) error {
		res, err := tx.ExecContext(ctx, claim, n.key, lease, now.UnixMilli())
		if err != nil {
			return err
		}
		rows, err := res.RowsAffected()
		claimed = rows == 1
		return err
	})
	if err != nil || !claimed {
		return err
	}
	if u := s.cfg.File.File().User(n.recipient); u != nil && n.To.After(now) {
		telling, cancel := context.WithTimeout(ctx, s.cfg.Clock.Real(tellTime))
		defer cancel()
		err := s.cfg.Tell(telling, n, u.Contract())
		switch {
		case err == nil:
		case refused(err):
			s.cfg.Logger.ErrorContext(ctx, "a person could not be told of a shift, and is not", "user", n.recipient, "team", n.Team, "error", err)
		default:
			s.cfg.Logger.WarnContext(ctx, "a person could not be told of a shift, will retry", "user", n.recipient, "team", n.Team, "error", err)
			return nil
		}
	}
	return s.cfg.DB.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, told, n.key, lease)
		return err
	})
}
