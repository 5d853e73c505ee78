package people

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

const (
	// maxHash bounds an id in bytes. Hosts use hashes, far shorter; the limit keeps a defect from
	// filling the index.
	maxHash = 200
	// maxWords bounds texts about a login or an audit line, in characters.
	maxWords = 500
	// maxLogins bounds a list of logins.
	maxLogins = 1000
)

// checkHash refuses an id that is none.
func checkHash(what, id string) error {
	if id == "" || len(id) > maxHash {
		return integration.Errorf(integration.KindInvalid, "invalid %s: the id has %d bytes, want 1 to %d", what, len(id), maxHash)
	}
	return nil
}

// The order is that of scanLogin and of BeginLogin.
const loginColumns = "id, how, email, person, alert, role, since, used_at, ends, remote, agent, ended"

// BeginLogin implements store.Logins. l.ID is a hash of the cookie, which is not known here.
func (p *People) BeginLogin(ctx context.Context, l store.Login) error {
	if err := checkHash("login", l.ID); err != nil {
		return err
	}
	return stored.Insert(ctx, p.db, integration.Errorf(integration.KindConflict, "there is a login of this id"),
		"insert into logins ("+loginColumns+") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
		l.ID, l.How, l.Email, l.User, l.Alert, l.Role, stored.Ms(l.Since), stored.Ms(l.LastUsed), stored.Ms(l.Ends), oneline.Clean(l.Remote, maxWords), oneline.Clean(l.Agent, maxWords), l.Ended)
}

// scanLogin reads a row of loginColumns.
func scanLogin(scan func(...any) error) (store.Login, error) {
	var l store.Login
	var since, used, ends int64
	err := scan(&l.ID, &l.How, &l.Email, &l.User, &l.Alert, &l.Role, &since, &used, &ends, &l.Remote, &l.Agent, &l.Ended)
	l.Since, l.LastUsed, l.Ends = stored.At(since), stored.At(used), stored.At(ends)
	return l, err
}

// Login implements store.Logins. A login whose time is over may still be found until DeleteExpired
// removes it: the caller compares.
func (p *People) Login(ctx context.Context, id string) (store.Login, error) {
	l, err := scanLogin(p.read.QueryRowContext(ctx, "select "+loginColumns+" from logins where id = $1", id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return l, integration.Errorf(integration.KindNotFound, "there is no such login")
	}
	return l, sqldb.Error("read login", err)
}

// UseLogin implements store.Logins. Only forwards: hosts' clocks differ a little.
func (p *People) UseLogin(ctx context.Context, id string, now time.Time) error {
	return stored.Run(ctx, p.db, "update logins set used_at = $2 where id = $1 and used_at < $2", id, stored.Ms(now))
}

// ListLogins implements store.Logins. The newest first, at most maxLogins, without those that have
// ended.
func (p *People) ListLogins(ctx context.Context, email string, now time.Time) ([]store.Login, error) {
	// 0: of the release before, which says nothing of them.
	where, args := "since > 0", []any{stored.Ms(now), maxLogins}
	if email != "" {
		where, args = "email = $3", append(args, email)
	}
	return stored.Many(ctx, p.read, "list logins", scanLogin, "select "+loginColumns+" from logins where "+where+" and ends > $1 order by since desc, id limit $2", args...)
}

// EndLogin implements store.Logins.
func (p *People) EndLogin(ctx context.Context, id, why string, now time.Time) error {
	return endOnce(ctx, p.db, integration.Errorf(integration.KindNotFound, "the login has ended already"),
		"update logins set ended = $2, ends = $3 where id = $1 and ends > $3", id, why, stored.Ms(now))
}

// endOnce runs a statement that ends something, and is an error where it was ended before. Of
// several who end it at the same time one has done it.
func endOnce(ctx context.Context, db *sqldb.DB, before error, text string, args ...any) error {
	return db.Write(ctx, func(tx sqldb.Tx) error {
		done, err := tx.ExecContext(ctx, text, args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return before
	})
}

// endedKept is how long it is known what has become of a login or of a one-time link. Until then
// the log-in page can say what has ended it, or that it was used, rather than that it is unknown.
const endedKept = 24 * time.Hour

// DeleteEnded removes logins, and what works once, a day after their end. Both have an index by
// their end.
func DeleteEnded(ctx context.Context, db *sqldb.DB, now time.Time) error {
	for _, table := range []string{"logins", "one_times"} {
		if err := stored.Run(ctx, db, "delete from "+table+" where ends <= $1", stored.Ms(now.Add(-endedKept))); err != nil {
			return err
		}
	}
	return nil
}

// AddOneTime implements store.OneTimes. A log-in by OpenID uses the conflict to find that its state
// has come before.
func (p *People) AddOneTime(ctx context.Context, o store.OneTime) error {
	if err := checkHash("one-time link", o.ID); err != nil {
		return err
	}
	return stored.Insert(ctx, p.db, integration.Errorf(integration.KindConflict, "it was used already"),
		"insert into one_times (id, about, ends, used_at) values ($1, $2, $3, $4)", o.ID, o.About, stored.Ms(o.Ends), stored.Ms(o.Used))
}

// scanOneTime reads a row.
func scanOneTime(scan func(...any) error) (store.OneTime, error) {
	var o store.OneTime
	var ends, used int64
	err := scan(&o.ID, &o.About, &ends, &used)
	o.Ends, o.Used = stored.At(ends), stored.At(used)
	if errors.Is(err, sql.ErrNoRows) {
		return o, integration.Errorf(integration.KindNotFound, "it is unknown, or ended more than a day ago")
	}
	return o, sqldb.Error("read a one-time link", err)
}

// OneTime implements store.OneTimes.
func (p *People) OneTime(ctx context.Context, id string) (store.OneTime, error) {
	return scanOneTime(p.read.QueryRowContext(ctx, "select id, about, ends, used_at from one_times where id = $1", id).Scan)
}

// UseOneTime implements store.OneTimes. Of two who use it at once the statement lets one. ok: it
// was this caller's use. o is what is stored now, also where it was used or is over.
func (p *People) UseOneTime(ctx context.Context, id string, now time.Time) (o store.OneTime, ok bool, err error) {
	err = p.db.Write(ctx, func(tx sqldb.Tx) error {
		done, err := tx.ExecContext(ctx, "update one_times set used_at = $2 where id = $1 and used_at = 0 and ends > $2", id, stored.Ms(now))
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return err
		}
		ok = n > 0
		o, err = scanOneTime(tx.QueryRowContext(ctx, "select id, about, ends, used_at from one_times where id = $1", id).Scan)
		return err
	})
	return o, ok && err == nil, err
}

// OpenOneTimes implements store.OneTimes. Those that can still be used, by the index
// one_times_about.
func (p *People) OpenOneTimes(ctx context.Context, about string, now time.Time) (n int, err error) {
	err = p.read.QueryRowContext(ctx, "select count(*) from one_times where about = $1 and used_at = 0 and ends > $2", about, stored.Ms(now)).Scan(&n)
	return n, sqldb.Error("count one-time links", err)
}
