package outbox

import (
	"context"
	"database/sql"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// Lanes are kept by a flag, so that a claim finds what it may take by an index, however long a lane
// is. The first item of a lane that is not in PhaseResult has head = 1, those behind it have 0;
// items without a lane, and results, always have 1. Whatever removes the head (Remove, FinishItem)
// moves the next one up in the same transaction. Each transaction that adds to a lane or moves up
// has locked the lane's session (see stored.SessionLock): of two at a time, each would see the lane
// without what the other does.

// The statements of insertItem.
const (
	insertWaiting = `insert into outbox (integration, key, kind, lane, name, generation, due, not_after, phase, attempt, owner, lease, ready, head, body, result, work)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $13, 0, '', 0, $7, $9, $10, $11, $12)`
	insertStarted = `insert into outbox (integration, key, kind, lane, name, generation, due, not_after, phase, attempt, owner, lease, ready, head, body, result, work)
		values ($1, $2, $3, $4, $5, $6, $7, $8, 'started', 1, $13, $14, $15, $9, $10, $11, $12) returning id`
)

// What is known of the items of a name, and which is the first of a lane.
const (
	selectKnown = "select max(generation) from outbox where integration = $1 and key = $2 and name = $3 and kind in ('task', 'timer')"
	// selectFirst is the first item of a lane. Naming lane and phase as the index does lets it be
	// used.
	selectFirst = "select min(id) from outbox where integration = $1 and key = $2 and lane = $3 and lane <> '' and phase <> 'result'"
)

// insertItem adds a waiting or held item at the end of its lane. One with an owner that is the
// first of its lane is claimed and started, and gets its id. The caller has locked the session of
// the lane.
func insertItem(ctx context.Context, tx sqldb.Tx, it *store.Item) error {
	head := int64(1)
	if it.Lane != "" {
		others, err := Waits(ctx, tx, Lane{it.Integration, it.Key, it.Lane})
		if err != nil {
			return err
		}
		if others {
			head = 0
		}
	}
	phase := store.PhaseWaiting
	if it.Phase == store.PhaseHeld {
		phase = store.PhaseHeld
	}
	args := []any{it.Integration, it.Key, string(it.Kind), it.Lane, it.Name, it.Generation, stored.Ms(it.Due), stored.Ms(it.NotAfter), head, stored.Some(it.Body), []byte{}, string(workOf(*it))}
	// An item that must wait for others is claimed by a worker later.
	if it.Owner == "" || head == 0 || phase == store.PhaseHeld {
		_, err := tx.ExecContext(ctx, insertWaiting, append(args, string(phase))...)
		return err
	}
	it.Phase, it.Attempt, it.Work = store.PhaseStarted, 1, workOf(*it)
	// Born leased: nobody else can claim it before its lease has ended.
	return tx.QueryRowContext(ctx, insertStarted, append(args, it.Owner, stored.Ms(it.Lease), max(stored.Ms(it.Due), stored.Ms(it.Lease)))...).Scan(&it.ID)
}

// workOf is the work of an item that waits. It decides which workers take it.
func workOf(it store.Item) store.Work {
	if it.Work != "" {
		return it.Work
	}
	switch it.Kind {
	case store.ItemTask:
		return store.WorkTask
	case store.ItemCommand:
		return store.WorkCommand
	case store.ItemMail:
		return store.WorkMail
	case store.ItemWebhook:
		return store.WorkWebhook
	case store.ItemTimer:
	}
	return store.WorkEvent // a kind that is not known is handed to a worker as well, which drops it
}

// Put adds an item within a transaction. For tasks and timers it follows the generation rule of
// integration.Task: a generation that is not newer than the known one is ignored, and a newer one
// replaces those that have not started. A session lock is held, so the generation that is known
// stays what it is.
func Put(ctx context.Context, tx sqldb.Tx, it *store.Item) error {
	// Only what waits can be cancelled. Started work has perhaps been done already, and its result
	// is an event like any other.
	if it.Cancel {
		_, err := Remove(ctx, tx, "integration = $1 and key = $2 and name = $3 and generation <= $4 and phase = 'waiting' and kind in ('task', 'timer')",
			it.Integration, it.Key, it.Name, it.Generation)
		return err
	}
	// Commands and mails have no generations: each is done.
	if it.Kind != store.ItemTask && it.Kind != store.ItemTimer {
		return insertItem(ctx, tx, it)
	}
	var known sql.NullInt64
	err := tx.QueryRowContext(ctx, selectKnown, it.Integration, it.Key, it.Name).Scan(&known)
	if err != nil {
		return err
	}
	// One that has started stays, and its result will come; the handler ignores old ones.
	if known.Valid {
		if it.Generation <= known.Int64 {
			return nil
		}
		_, err := Remove(ctx, tx, "integration = $1 and key = $2 and name = $3 and phase = 'waiting' and kind in ('task', 'timer')", it.Integration, it.Key, it.Name)
		if err != nil {
			return err
		}
	}
	return insertItem(ctx, tx, it)
}

// Lane names a lane: lanes belong to a session, so two calls never wait for each other.
type Lane struct{ Integration, Key, Name string }

// Remove deletes the items that where selects, moves the next item of their lanes up, and
// returns how many were deleted. The sessions of these lanes are locked by the caller.
func Remove(ctx context.Context, tx sqldb.Tx, where string, args ...any) (int, error) {
	rows, err := tx.QueryContext(ctx, "delete from outbox where "+where+" returning integration, key, lane, head, phase", args...)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }() // after an error; the last row closes them too
	n, lanes := 0, map[Lane]bool{}
	for rows.Next() {
		var l Lane
		var head bool
		var phase store.ItemPhase
		if err := rows.Scan(&l.Integration, &l.Key, &l.Name, &head, &phase); err != nil {
			return 0, err
		}
		n++
		// A result has left its lane already.
		if l.Name != "" && head && phase != store.PhaseResult {
			lanes[l] = true
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for l := range lanes {
		if err := moveUp(ctx, tx, l); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// moveUp makes the first item of a lane its head. Where the lane is empty it changes nothing.
func moveUp(ctx context.Context, tx sqldb.Tx, l Lane) error {
	_, err := tx.ExecContext(ctx, "update outbox set head = 1 where id = ("+selectFirst+")", l.Integration, l.Key, l.Name)
	return err
}

// Waits says whether anything waits in a lane.
func Waits(ctx context.Context, tx sqldb.Tx, l Lane) (bool, error) {
	var first sql.NullInt64
	err := tx.QueryRowContext(ctx, selectFirst, l.Integration, l.Key, l.Name).Scan(&first)
	return first.Valid, err
}

// heldItems selects what is held in a lane, by the index of lanes.
const heldItems = "integration = $1 and key = $2 and lane = $3 and lane <> '' and phase <> 'result' and phase = 'held'"

// Release lets what is held in a lane wait for its turn. It is due now, whatever it said
// before.
func Release(ctx context.Context, tx sqldb.Tx, l Lane, now time.Time) error {
	_, err := tx.ExecContext(ctx, "update outbox set phase = 'waiting', due = $4, ready = $4 where "+heldItems, l.Integration, l.Key, l.Name, stored.Ms(now))
	return err
}

// Drop removes what is held in a lane.
func Drop(ctx context.Context, tx sqldb.Tx, l Lane) error {
	_, err := Remove(ctx, tx, heldItems, l.Integration, l.Key, l.Name)
	return err
}
