package outbox

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// Outbox implements store.Outbox.
type Outbox struct {
	db   *sqldb.DB
	read *sqldb.Reader
}

var _ store.Outbox = (*Outbox)(nil)

// New reads through a reader of the database.
func New(db *sqldb.DB, read *sqldb.Reader) *Outbox { return &Outbox{db: db, read: read} }

// itemColumns are those that scanItem reads. The statements that claim return the same.
const itemColumns = "id, integration, key, kind, work, lane, name, generation, due, not_after, phase, attempt, owner, lease, body, result"

// scanItem reads itemColumns.
func scanItem(scan func(...any) error) (store.Item, error) {
	var it store.Item
	var due, notAfter, lease int64
	err := scan(&it.ID, &it.Integration, &it.Key, &it.Kind, &it.Work, &it.Lane, &it.Name, &it.Generation, &due, &notAfter, &it.Phase, &it.Attempt,
		&it.Owner, &lease, &it.Body, &it.Result)
	it.Due, it.NotAfter, it.Lease = stored.At(due), stored.At(notAfter), stored.At(lease)
	return it, err
}

// held selects an item ($1) while it is the owner's ($2) by the claim that counted the attempt
// ($3): a worker whose lease ran out must not touch what the same process has claimed again. A
// fresh result (attempt 0) is its owner's whatever attempt is named, as the owner knows the item
// from its claim.
const held = "id = $1 and owner = $2 and owner <> '' and (attempt = $3 or (phase = 'result' and attempt = 0))"

// StartItem implements store.Outbox. It is for work that waits for its turn after it was claimed;
// the lease is extended with it.
func (o *Outbox) StartItem(ctx context.Context, item store.Item) error {
	return o.db.Write(ctx, func(tx sqldb.Tx) error {
		done, err := tx.ExecContext(ctx, "update outbox set phase = 'started', lease = $4, ready = case when due > $4 then due else $4 end where "+held+" and phase <> 'result'",
			item.ID, item.Owner, item.Attempt, stored.Ms(item.Lease))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return errGone()
	})
}

// errGone is the error for an item that is no longer its worker's.
func errGone() error {
	return &integration.Error{Kind: integration.KindConflict, Code: store.CodeItemGone, Message: "the lease of the outbox item has been lost"}
}

// RetryItem implements store.Outbox. Losing the lease is no error here, nor in DeleteItem: whoever
// has the item now decides about it. The attempt has been counted by the claim.
func (o *Outbox) RetryItem(ctx context.Context, item store.Item, due time.Time) error {
	return o.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "update outbox set due = $4, ready = $4, owner = '', lease = 0 where "+held, item.ID, item.Owner, item.Attempt, stored.Ms(due))
		return err
	})
}

// FinishItem implements store.Outbox. The item leaves its lane at once (head = 1), so that the next
// command need not wait for the handler. Attempts begin anew: from now on they count those of the
// handler. The result is an event of its owner's, who hands it to the handler under the lease that
// it names.
func (o *Outbox) FinishItem(ctx context.Context, item store.Item, result []byte) error {
	return o.db.Write(ctx, func(tx sqldb.Tx) error {
		if err := tx.Lock(ctx, stored.SessionLock(item.Integration, item.Key)); err != nil {
			return err
		}
		var l Lane
		err := tx.QueryRowContext(ctx, `update outbox set phase = 'result', work = 'event', attempt = 0, result = $4, lease = $5, head = 1,
			ready = case when due > $5 then due else $5 end
			where `+held+` and phase <> 'result' returning integration, key, lane`,
			item.ID, item.Owner, item.Attempt, stored.Some(result), stored.Ms(item.Lease)).Scan(&l.Integration, &l.Key, &l.Name)
		// The work was done all the same, and perhaps by two: its owner now decides.
		if errors.Is(err, sql.ErrNoRows) {
			return errGone()
		}
		if err != nil || l.Name == "" {
			return err
		}
		return moveUp(ctx, tx, l)
	})
}

// DeleteItem implements store.Outbox. It ends an item that nobody is told of.
func (o *Outbox) DeleteItem(ctx context.Context, item store.Item) error {
	return o.db.Write(ctx, func(tx sqldb.Tx) error {
		if err := tx.Lock(ctx, stored.SessionLock(item.Integration, item.Key)); err != nil {
			return err
		}
		_, err := Remove(ctx, tx, held, item.ID, item.Owner, item.Attempt)
		return err
	})
}

// AddItem implements store.Outbox. It is for work without a commit, such as a webhook that is kept
// for later. The session need not exist.
func (o *Outbox) AddItem(ctx context.Context, item store.Item) error {
	if item.Integration == "" || item.Kind == "" {
		return integration.Errorf(integration.KindInvalid, "invalid outbox item: integration %q, kind %q", item.Integration, item.Kind)
	}
	return o.db.Write(ctx, func(tx sqldb.Tx) error {
		if err := tx.Lock(ctx, stored.SessionLock(item.Integration, item.Key)); err != nil {
			return err
		}
		item.Owner = "" // nobody has claimed it
		return insertItem(ctx, tx, &item)
	})
}

// ReleaseLeases gives back what an owner ($1) has leased; "" is any.
const ReleaseLeases = "update outbox set owner = '', lease = 0, ready = due where owner <> '' and (owner = $1 or $1 = '')"

// ReleaseLeases implements store.Outbox. A host that has the store for itself releases all at its
// start: nobody else can be at work.
func (o *Outbox) ReleaseLeases(ctx context.Context, owner string) error {
	return o.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, ReleaseLeases, owner)
		return err
	})
}

// OutboxStats implements store.Outbox. It looks through the whole table: it is for metrics, not for
// calls.
func (o *Outbox) OutboxStats(ctx context.Context) (map[store.ItemKind]map[store.ItemPhase]int, time.Time, error) {
	rows, err := o.read.QueryContext(ctx, "select kind, phase, count(*), min(due) from outbox group by kind, phase")
	if err != nil {
		return nil, time.Time{}, sqldb.Error("count the outbox", err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[store.ItemKind]map[store.ItemPhase]int{}
	var oldest time.Time
	for rows.Next() {
		var kind store.ItemKind
		var phase store.ItemPhase
		var n int
		var due int64
		if err := rows.Scan(&kind, &phase, &n, &due); err != nil {
			return nil, time.Time{}, sqldb.Error("count the outbox", err)
		}
		if counts[kind] == nil {
			counts[kind] = map[store.ItemPhase]int{}
		}
		counts[kind][phase] = n
		if t := stored.At(due); oldest.IsZero() || t.Before(oldest) {
			oldest = t
		}
	}
	return counts, oldest, sqldb.Error("count the outbox", rows.Err())
}

// OverdueItems implements store.Outbox. Only heads count: what waits behind another item of its
// lane is not late by itself. They say that workers do not keep up.
func (o *Outbox) OverdueItems(ctx context.Context, before time.Time) (map[store.ItemKind]int, error) {
	rows, err := o.read.QueryContext(ctx, "select kind, count(*) from outbox where head = 1 and ready <= $1 group by kind", before.UnixMilli())
	if err != nil {
		return nil, sqldb.Error("count overdue work", err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[store.ItemKind]int{}
	for rows.Next() {
		var kind store.ItemKind
		var n int
		if err := rows.Scan(&kind, &n); err != nil {
			return nil, sqldb.Error("count overdue work", err)
		}
		counts[kind] = n
	}
	return counts, sqldb.Error("count overdue work", rows.Err())
}
