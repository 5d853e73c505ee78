package shifts

import (
	"context"
	"sync"
	"time"
)

const (
	lookEvery  = 3 * time.Second // how often changes of other hosts are looked for
	tellLease  = time.Minute     // after which a failed delivery is tried again, at first
	tellSeldom = time.Hour       // the same, of old news
	tellTime   = tellLease / 2   // for one attempt: it must be over before the lease is
	tellBatch  = 20              // people who are told at a time
)

// Look has the service look for changes at once, such as when another host made one. It never
// blocks.
func (s *Service) Look() {
	for _, c := range []chan struct{}{s.wake, s.tellWake} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Run puts the changes of other hosts into force, and tells people what others changed for them. It
// returns ctx's error when ctx ends. A mail server that hangs keeps no change from being in force.
// Telling people has a goroutine of its own.
func (s *Service) Run(ctx context.Context) error {
	var telling sync.WaitGroup
	defer telling.Wait()
	telling.Go(func() { s.each(ctx, s.tellWake, "people cannot be told of shifts, will retry", s.tellAll) })
	s.each(ctx, s.wake, "changed shifts cannot be read, will retry", s.refresh)
	return ctx.Err()
}

// each does something from time to time, and when it is woken, until ctx ends. Of failures in a row
// the first is logged. The timer runs on the service's clock; whatever woke it, it looks at
// everything.
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

// refresh gives the file the changes as they are now, unless it has them. The lock keeps two of
// them from putting the older changes over the newer.
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
