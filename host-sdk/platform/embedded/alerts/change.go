package alerts

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// change is one alert while it is being changed. Its methods (lifecycle.go) decide on values alone
// and leave the writing to Service.change. It is made anew for each attempt and used by one
// goroutine.
type change struct {
	*alert
	file  *switchboardfile.File
	now   time.Time // for time-outs
	wall  time.Time // for schedules, see clock.Wall
	at    time.Time // for the log: when it was decided
	actor string    // for the log: the user who decided, or ""

	// Whether a person has a way to be told; nil is nobody.
	reaches func(u *switchboardfile.User) bool

	// What the change has come to. Only a dirty one is written; lines, pages and events go with it.
	dirty bool
	// It is no change of the alert's that retention counts from: what deletes parts of an alert
	// that is over must not keep the rest of it for longer.
	afterwards bool
	rerouted   bool // it was sent to other teams
	lines      []platform.LogEntry
	pages      []page
	events     []event
	ended      string // id of the notice that ends with the change; "": none
}

// addLog adds a line to the alert's log. The text is final: it is stored as people read it, with
// the names of that moment.
func (c *change) addLog(actor, message string) {
	c.dirty = true
	c.lines = append(c.lines, platform.LogEntry{At: c.at, Actor: actor, Message: message})
}

// idsMade counts the ids of this process.
var idsMade atomic.Uint32

// newID makes an id that is never used twice. Ids sort by time, those of one millisecond in the
// order in which this process made them, whatever clocks its services have: the milliseconds are
// those of the service's clock, and the process's count comes before what is random.
func newID(now time.Time) (string, error) {
	entropy := make([]byte, 10)
	_, _ = rand.Read(entropy) // never fails, see crypto/rand
	binary.BigEndian.PutUint32(entropy, idsMade.Add(1))
	id, err := ulid.New(uint64(max(now.UnixMilli(), 0)), bytes.NewReader(entropy)) //nolint:gosec // not negative
	if err != nil {
		return "", integration.Errorf(integration.KindInternal, "make an id: %w", err)
	}
	return id.String(), nil
}

// maxConflicts bounds how often a change is repeated because somebody else was faster. Of those
// that change one alert at the same time one is always first, so each round of them ends one.
const maxConflicts = 100

// load reads the alert that is to be changed, or makes a new one (version 0). It may be called
// several times. A repeated attempt must see what the others wrote, so it reads again instead of
// keeping what it had.
type load func(q sqldb.Queryer) (*alert, error)

// change loads an alert, lets f change it, and commits alert, log and pages together. Then
// watchers get a hint. A change that leaves everything as it was writes nothing.
func (s *Service) change(ctx context.Context, read load, f func(c *change) error) (*alert, error) {
	for conflicts := 0; ; conflicts++ {
		a, err := s.changeOnce(ctx, read, f)
		if errors.Is(err, errChangedElsewhere) && conflicts < maxConflicts {
			continue
		}
		return a, err
	}
}

// changeOnce is one attempt of change. f may run again on a fresh copy, so it must not keep
// anything. errChangedElsewhere means that nothing was written and the alert has moved on.
func (s *Service) changeOnce(ctx context.Context, read load, f func(c *change) error) (*alert, error) {
	d, err := s.decide(ctx, read, f)
	if err != nil {
		return nil, err
	}
	if len(d.statements) == 0 {
		s.remember(d.alert) // as it was read: what is remembered may be older
		return d.alert, nil
	}
	err = s.db.Write(ctx, func(tx sqldb.Tx) error { return write(ctx, tx, d.alert.id, d.statements, d.ended) })
	if err != nil {
		return nil, err
	}
	s.written(d)
	s.hint(d.alert)
	return d.alert, nil
}

// decided is a change that is decided and not written yet; without statements nothing has changed.
type decided struct {
	alert      *alert
	statements []platform.Statement
	notices    bool   // somebody is to be told
	ended      string // id of the notice that ends with the change; "": none
}

// decide reads an alert and decides what f changes, before the transaction, of which there is one
// at a time in the whole host: what a schedule says may take long, and every call would wait for
// it. The transaction writes only if nobody else has written since.
func (s *Service) decide(ctx context.Context, read load, f func(c *change) error) (*decided, error) {
	a, err := read(s.db.Read())
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	// Time-outs run on the service's clock, schedules on the wall's: a clock that was set must
	// neither end a layer's time early nor ring the wrong person.
	c := &change{alert: a, file: s.file(), now: now, wall: clock.Wall(s.clock), at: now, reaches: s.reaches}
	if err := f(c); err != nil {
		return nil, err
	}
	if !c.dirty {
		return &decided{alert: a}, nil
	}
	// It also tells other processes that they should look (runForeignChanges). What is erased after
	// the end must not let the alert be kept for longer: of that they hear by a notice alone.
	if !c.afterwards {
		a.updatedAt = now
	}
	notices, err := s.notices(c)
	if err != nil {
		return nil, err
	}
	return &decided{alert: a, statements: c.statements(notices), notices: len(notices) > 0, ended: c.ended}, nil
}

// written runs after the commit of a change. With platform.InStore the engine calls it, after its
// own commit. It must not fail, as everything is on disk.
func (s *Service) written(d *decided) {
	s.noted(d.alert)
	s.remember(d.alert)
	if d.notices {
		s.wakeSenders()
	}
}

// remember keeps an alert for its next command. Where others change alerts as well, a copy is too
// old too often. A copy is used only to decide by; the statements still check the version.
func (s *Service) remember(a *alert) {
	if s.cfg.Alone {
		s.recent.put(a)
	}
}

// noted remembers what is in the database of an alert, and wakes the runner if the alert's time-out
// comes before its next look. looksAt of 0 means that the runner is reading just now and may have
// missed this alert.
func (s *Service) noted(a *alert) {
	s.seen.put(a.id, a.version)
	if next := s.looksAt.Load(); !a.deadline.IsZero() && (next == 0 || a.deadline.UnixMilli() < next) {
		wake(s.wakeRunner)
	}
}

// hint runs after a commit: before it, watchers would read the old row.
func (s *Service) hint(a *alert) {
	s.hub.send(platform.Hint{Scope: a.scope, AlertKey: a.key})
}

// wake never blocks: one waiting signal says as much as two.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
