package shifts

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

const (
	lookEvery = 3 * time.Second // how often changes of other hosts are looked for
	tellLease = time.Minute     // after which a person is told again if it failed
	tellTime  = tellLease / 2   // for one attempt: it must be over before the lease is
	tellBatch = 20              // people who are told at a time
)

// Look has the service look for changes at once, such as when another host made one.
func (s *Service) Look() {
	for _, c := range []chan struct{}{s.wake, s.tellWake} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Run puts the changes of other hosts into force, and tells people of shifts that they were given. It
// returns ctx's error when ctx ends. A mail server that hangs keeps no change from being in force.
func (s *Service) Run(ctx context.Context) error {
	var telling sync.WaitGroup
	defer telling.Wait()
	telling.Go(func() { s.each(ctx, s.tellWake, "people cannot be told of shifts, will retry", s.tellAll) })
	s.each(ctx, s.wake, "changed shifts cannot be read, will retry", s.refresh)
	return ctx.Err()
}

// each does something from time to time, and when it is woken, until ctx ends. Of failures in a row the
// first is logged.
func (s *Service) each(ctx context.Context, woken <-chan struct{}, trouble string, do func(context.Context) error) {
	failing := false
	for ctx.Err() == nil {
		err := do(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			s.cfg.Logger.WarnContext(ctx, trouble, "error", err)
		}
		failing = err != nil
		timer := s.cfg.Clock.NewTimer(lookEvery)
		select {
		case <-ctx.Done():
		case <-woken:
		case <-timer.C:
		}
		timer.Stop()
	}
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
	if err != nil {
		return sqldb.Error("read shifts to tell", err)
	}
	// Beside one another, so that what hangs for one person holds up nobody else.
	failed := make([]error, len(due))
	var all sync.WaitGroup
	for i, c := range due {
		all.Go(func() { failed[i] = s.tell(ctx, c, now) })
	}
	all.Wait()
	return sqldb.Error("tell shifts", errors.Join(failed...))
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
		telling, cancel := context.WithTimeout(ctx, s.cfg.Clock.Real(tellTime))
		defer cancel()
		if err := s.cfg.Tell(telling, c, u.Contract()); err != nil {
			s.cfg.Logger.WarnContext(ctx, "a person could not be told of a shift, will retry", "user", c.User, "team", c.Team, "error", err)
			return nil
		}
	}
	return s.cfg.DB.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "update embedded_shifts set tell = null where id = $1", c.ID)
		return err
	})
}
