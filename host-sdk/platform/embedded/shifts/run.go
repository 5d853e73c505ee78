package shifts

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

const (
	lookEvery = 3 * time.Second // how often changes of other hosts are looked for
	tellLease = time.Minute     // after which a person is told again if it failed
	tellBatch = 20
)

// Look has the service look for changes at once, such as when another host made one.
func (s *Service) Look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run puts the changes of other hosts into force, and tells people of shifts that they were given. It
// returns ctx's error when ctx ends.
func (s *Service) Run(ctx context.Context) error {
	failing := false
	for ctx.Err() == nil {
		err := s.refresh(ctx)
		if err == nil {
			err = s.tellAll(ctx)
		}
		if err != nil && ctx.Err() == nil && !failing {
			s.cfg.Logger.WarnContext(ctx, "changed shifts cannot be read, will retry", "error", err)
		}
		failing = err != nil
		timer := s.cfg.Clock.NewTimer(lookEvery)
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return ctx.Err()
}

// refresh gives the file the changes as they are now, unless it has them.
func (s *Service) refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	version, all, err := s.read(ctx, s.version)
	if err != nil || version == s.version {
		return err
	}
	s.version = version
	s.cfg.File.SetShifts(Of(all))
	return nil
}

// claim takes a person who is to be told, until the lease ends.
const claim = "update embedded_shifts set tell = $2 where id = $1 and tell <= $3 and ends > $3"

// tellAll tells everybody whose turn it is. Each is claimed first, so that one host tells them.
func (s *Service) tellAll(ctx context.Context) error {
	if s.cfg.Tell == nil {
		return nil
	}
	now := s.cfg.Clock.Now()
	rows, err := s.cfg.DB.Read().QueryContext(ctx, "select "+columns+" from embedded_shifts where tell <= $1 and ends > $1 order by tell limit $2", now.UnixMilli(), tellBatch)
	if err != nil {
		return sqldb.Error("read shifts to tell", err)
	}
	var due []Change
	for rows.Next() && err == nil {
		var c Change
		if c, err = scan(rows); err == nil {
			due = append(due, c)
		}
	}
	if err == nil {
		err = rows.Err()
	}
	_ = rows.Close()
	for _, c := range due {
		if err == nil {
			err = s.tell(ctx, c, now)
		}
	}
	return sqldb.Error("tell shifts", err)
}

// tell tells one person. A failure is tried again after the lease.
func (s *Service) tell(ctx context.Context, c Change, now time.Time) error {
	claimed := false
	err := s.cfg.DB.Write(ctx, func(tx sqldb.Tx) error {
		res, err := tx.ExecContext(ctx, claim, c.ID, now.Add(tellLease).UnixMilli(), now.UnixMilli())
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		claimed = n == 1
		return err
	})
	if err != nil || !claimed {
		return err
	}
	if u := s.cfg.File.File().User(c.User); u != nil {
		if err := s.cfg.Tell(ctx, c, u.Contract()); err != nil {
			s.cfg.Logger.WarnContext(ctx, "a person could not be told of a shift, will retry", "user", c.User, "team", c.Team, "error", err)
			return nil
		}
	}
	return s.cfg.DB.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "update embedded_shifts set tell = null where id = $1", c.ID)
		return err
	})
}
