package goalert

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

//go:embed migrations
var migrations embed.FS

// Migrate brings the table up to date, as New does. One folder serves every database. Its tables
// live beside the store's and have a series of migrations of their own, named goalert.
func Migrate(ctx context.Context, db *sqldb.DB) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return integration.Errorf(integration.KindInternal, "migrate goalert: %w", err)
	}
	return db.Migrate(ctx, "goalert", files)
}

// record is what we remember of an alert. Its tags are a format on disk: a field may be added,
// never renamed.
type record struct {
	LastCommand int64 `json:"-"` // a column

	// As it was last read or written; both zero: there was none. By these save writes only what
	// nobody else has changed since.
	storedCommand int64
	stored        string
	fresh         bool // GoAlert's alert was made by a command that came together with this one

	// What comes before the route is held here: GoAlert knows no alert without a service. It stays
	// after the route, as a second alert may have to be made of it.
	Draft integration.AlertDraft `json:"draft"`
	Notes []string               `json:"notes,omitempty"`

	// Where the alert is, or was to go when GoAlert refused it.
	Team    string `json:"team,omitempty"`
	Service string `json:"service,omitempty"`
	Alert   int    `json:"alert,omitempty"` // GoAlert's number; 0: not routed yet
	// Refused says why GoAlert takes no alert, while there is none; "": it was not asked yet, or
	// has failed only since RefusedMS.
	Refused   string `json:"refused,omitempty"`
	RefusedMS int64  `json:"refused_ms,omitempty"`
	CreatedMS int64  `json:"created_ms,omitempty"` // when GoAlert took it
	// Generation counts the alerts that were made of this one: GoAlert can neither move an alert to
	// another service nor open one that is closed.
	Generation int `json:"generation,omitempty"`

	// Trying is the number of a command whose request may have been sent, TryingUser in whose name
	// it acknowledges, Position where the alert was in its policy at TriedMS.
	Trying     int64  `json:"trying,omitempty"`
	TryingUser string `json:"trying_user,omitempty"`
	Position   [2]int `json:"position,omitzero"` // repeat count, step
	TriedMS    int64  `json:"tried_ms,omitempty"`

	Ack ownAck `json:"ack,omitzero"`
}

// ownAck is our latest acknowledgement. GoAlert's log does not say in whose name it is.
type ownAck struct {
	Line    int    `json:"line"` // id of the line in the alert's log
	User    string `json:"user"`
	Command int64  `json:"command"`
}

// dedup is the key by which GoAlert knows the alert again within its service. The generation makes
// a second alert of one call another one for GoAlert. Nothing reads the key back.
func (r *record) dedup(h platform.Hint) string {
	return fmt.Sprintf("lcr:%s/%s/%s/%d", h.Scope.Tenant, h.Scope.Integration, h.AlertKey, r.Generation)
}

// load reads the record of an alert; nil if there is none. It reads outside a transaction: save
// notices if another host has written since.
func (p *Platform) load(ctx context.Context, h platform.Hint) (*record, error) {
	r, text := &record{}, ""
	err := p.cfg.DB.Read().QueryRowContext(ctx, `select last_command, record from goalert_alerts
		where tenant = $1 and integration = $2 and alert_key = $3`, h.Scope.Tenant, h.Scope.Integration, h.AlertKey).Scan(&r.LastCommand, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), r)
	}
	if err != nil {
		return nil, sqldb.Error("read the record of an alert", err)
	}
	r.storedCommand, r.stored = r.LastCommand, text
	return r, nil
}

// Statements that write a record where it is as it was read: a host that was frozen in the middle
// of a command goes on when another one has done that command, and those behind it.
const (
	insertRecord = `insert into goalert_alerts (tenant, integration, alert_key, last_command, record, updated_at)
		values ($1, $2, $3, $4, $5, $6) on conflict (tenant, integration, alert_key) do nothing`
	updateRecord = `update goalert_alerts set last_command = $4, record = $5, updated_at = $6
		where tenant = $1 and integration = $2 and alert_key = $3 and last_command = $7 and record = $8`
)

// save writes the record if it has changed, and returns when it is safe on disk. Where another host
// has changed it meanwhile it is a conflict, and nothing is written: the command is done anew.
// Comparing text with what was read is what makes it safe between hosts: a lock holds only within
// one.
func (p *Platform) save(ctx context.Context, h platform.Hint, r *record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return integration.Errorf(integration.KindInternal, "write the record of an alert: %w", err)
	}
	// Nothing new, such as after a command that was done before.
	if r.LastCommand == r.storedCommand && string(text) == r.stored {
		return nil
	}
	statement := insertRecord
	args := []any{h.Scope.Tenant, h.Scope.Integration, h.AlertKey, r.LastCommand, string(text), p.clock.Now().UnixMilli()}
	// A record that was read is updated; one that was not is inserted, unless another host has done
	// so.
	if r.stored != "" {
		statement, args = updateRecord, append(args, r.storedCommand, r.stored)
	}
	written := int64(0)
	err = p.cfg.DB.Write(ctx, func(tx sqldb.Tx) error {
		done, err := tx.ExecContext(ctx, statement, args...)
		if err != nil {
			return err
		}
		written, err = done.RowsAffected()
		return err
	})
	if err == nil && written == 0 {
		return integration.Errorf(integration.KindConflict, "alert %q was changed by another host meanwhile", h.AlertKey)
	}
	if err == nil {
		r.storedCommand, r.stored = r.LastCommand, string(text)
	}
	return err
}

// forgetAfter is longer than the session of any call is kept.
const forgetAfter = 90 * 24 * time.Hour

// forget removes the records of alerts that nothing was done to for long.
func (p *Platform) forget(ctx context.Context) error {
	before := p.clock.Now().Add(-forgetAfter).UnixMilli()
	return p.cfg.DB.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, `delete from goalert_alerts where updated_at < $1`, before)
		return err
	})
}

// locks lets one command of an alert run at a time. Locks go with their last user, so the map holds
// only alerts that a command is at work on.
type locks struct {
	mu   sync.Mutex
	held map[platform.Hint]*lock
}

// A channel and no mutex, as waiting must end with its context.
type lock struct {
	free  chan struct{} // holds a value while nobody has the lock
	users int
}

// lock waits for the alert; the error is that of a context which ended first.
func (l *locks) lock(ctx context.Context, h platform.Hint) (unlock func(), err error) {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[platform.Hint]*lock{}
	}
	// The value in the channel is the right to go on; whoever has the lock has taken it out.
	one := l.held[h]
	if one == nil {
		one = &lock{free: make(chan struct{}, 1)}
		one.free <- struct{}{}
		l.held[h] = one
	}
	one.users++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if one.users--; one.users == 0 {
			delete(l.held, h)
		}
	}
	select {
	case <-one.free:
		return func() { one.free <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, integration.Errorf(integration.KindDeadline, "an earlier command of the alert is still being carried out in GoAlert")
	}
}
