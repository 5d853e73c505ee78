// Package alerts is the alerts of the embedded platform: rows in SQL tables, a life cycle that
// pages the people on call layer after layer, and hints for watchers. It asks the switchboard
// file whom to page and never changes it.
//
//	alerts.go     Service and its settings
//	tables.go     alert rows in and out of SQL
//	change.go     one change of one alert: load, change, write its log, commit, hint
//	lifecycle.go  route, acknowledge, reopen, escalate, reject, resolve
//	policy.go     escalation as a pure function: whom to page next
//	wording.go    lines of an alert's log in plain English
//	commands.go   alert commands of the contract
//	browser.go    platform.AlertBrowser
//	runner.go     time-outs, durable over restarts
//	hints.go      hints to watchers
//	recent.go     alerts as they were written last, for the next command
//	notice.go     who is told of a change, and by which of their ways
//	notify.go     notices are claimed, handed to a hook, tried again and ended
//	unreached.go  who could not be told, as findings
//	list.go       lists of alerts
//	erase.go      platform.Eraser
//
// It is one package because whatever decides, pages, lists or deletes reads the whole row of an
// alert, and a change commits the row, the lines of its log and its notices together. Notices apart
// would need changes, the log and the loops handed in, and hand back rows for the same commit.
package alerts

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/sharedread"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Config makes a Service. All fields without a note are needed.
type Config struct {
	// The file in force; it may change from one call to the next.
	File     func() *switchboardfile.File
	DB       *sqldb.DB
	Clock    clock.Clock
	Logger   *slog.Logger
	AlertURL func(id string) string // page of an alert; nil: none
	// Host names this process among those that share the database, so that others can give back
	// what it was sending when it died; see [FreeNotices]. "": what it was sending waits for a
	// minute then.
	Host string
	// Alone says that no other process changes alerts of this database: nobody looks for such
	// changes.
	Alone bool
	// Tell hands a notice to the other processes, for their [Service.Heard]. It must not wait; the
	// notice may be lost. nil: there are none.
	Tell func(notice string)
	// Notify mails a page to its person; nil: nobody is mailed. It is called at least once for each
	// person of each layer reached who has an e-mail address, for several at a time, by one process
	// and within a minute, as long as the alert is open; after an error again, with growing pauses,
	// for a quarter of an hour. Errors of a final kind other than unauthorized end the page at
	// once.
	Notify func(ctx context.Context, page Page) error
	// Send notifies an address of a person, as Notify does, or of a team's channel, which is tried
	// for an hour whatever becomes of the alert; nil: addresses are not used. Errors must hold
	// nothing of the address but what it prints.
	Send func(ctx context.Context, to notify.Address, page Page) error
}

// Service keeps alerts and escalates them. Several processes may share one database: a change is
// written only if nobody else was faster (change.go), and a page is claimed before it is sent
// (notify.go). Nothing that matters is in memory alone: what is remembered here only spares
// readings, and a restart goes on from the rows.
type Service struct {
	cfg   Config
	file  func() *switchboardfile.File
	db    *sqldb.DB
	clock clock.Clock
	log   *slog.Logger
	hub   *hub
	// Which version was hinted at, alerts as they were last written, lists being read.
	seen   versions
	recent *recent
	lists  sharedread.Group[alertList]

	unreached unreached

	// Set by HintAll, taken by the runner.
	fileChanged atomic.Bool // since layers were looked at

	wakeRunner chan struct{} // there may be an earlier time-out, or another file
	// When the runner looks at time-outs next, in milliseconds; 0: it is at it.
	looksAt    atomic.Int64
	wakeMails  chan struct{} // there are new notices, for each of the two loops that send them
	wakeOthers chan struct{}
}

// New brings the tables up to date. Alerts can be read and changed at once; [Service.Run] makes
// them escalate.
func New(ctx context.Context, cfg Config) (*Service, error) {
	if err := Migrate(ctx, cfg.DB); err != nil {
		return nil, err
	}
	s := &Service{
		cfg: cfg, file: cfg.File, db: cfg.DB, clock: cfg.Clock, log: cfg.Logger, hub: newHub(),
		seen: versions{byID: map[string]int64{}}, recent: newRecent(), wakeRunner: make(chan struct{}, 1), wakeMails: make(chan struct{}, 1), wakeOthers: make(chan struct{}, 1),
	}
	return s, s.loadUnreached(ctx)
}

// Alert reads the snapshot of the alert of a key; none: not_found.
func (s *Service) Alert(ctx context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	now := s.clock.Now() // before the read: the snapshot is at least as new
	a, err := alertByKey(ctx, s.db.Read(), scope, key)
	if err != nil {
		return integration.AlertSnapshot{}, err
	}
	return s.snapshot(a, now), nil
}

// Health is nil when alerts can be read.
func (s *Service) Health(ctx context.Context) error {
	// A statement that reads the table but no row: cheap, and it fails if the table cannot be read.
	var n int
	err := s.db.Read().QueryRowContext(ctx, "select count(*) from embedded_alerts where id = $1", "").Scan(&n)
	return sqldb.Error("read alerts", err)
}
