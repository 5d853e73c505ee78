package outbox

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// The statements of a claim. A column "ready" holds the moment at which an item can be claimed: its
// due time, or the end of its lease if that is later. One index on it serves both. Integrations
// that have as many items out as they may are excluded by a JSON list, so the text of the
// statement, and with it the prepared statement, stays the same. They are not excluded from what is
// ready later: the first such item ends the search, and without it all timers of an integration
// with thousands of calls would be passed over, at each look.
const (
	selectReady = "select id, integration, ready from outbox where head = 1 and (ready > $3 or integration not in (select value from json_each($1))) order by ready, id limit $2"
	// selectWork is selectReady for one kind of work; each has an index of its own.
	selectWork = "select id, integration, ready from outbox where head = 1 and work = $4 and (ready > $3 or integration not in (select value from json_each($1))) order by ready, id limit $2"
	// Claiming counts as starting, except for a dial: it waits for its turn at the account's pace
	// and can be cancelled until StartItem.
	claimItems = `update outbox set owner = $1, lease = $2, ready = case when due > $2 then due else $2 end, attempt = attempt + 1,
		phase = case when phase = 'waiting' and work <> 'dial' then 'started' else phase end
		where id in (select cast(value as bigint) from json_each($3)) and head = 1 and ready <= $4
		returning ` + itemColumns
	// What is behind the first item was not tried, so no attempt is counted.
	claimBehind = `update outbox set owner = $1, lease = $2, ready = case when due > $2 then due else $2 end,
		phase = case when phase = 'waiting' then 'started' else phase end
		where id in (select cast(value as bigint) from json_each($3))
		returning ` + itemColumns
)

// defaultClaim is how many items a claim without a limit returns: enough for all workers of a host,
// and few enough for one short transaction.
const defaultClaim = 100

// Claim implements store.Outbox. While nothing is due it only reads: an idle host polls, and a
// write would sync the disk each time. The time is when the next item can be claimed, zero if there
// is none; the caller sleeps until then, or until it is woken.
func (o *Outbox) Claim(ctx context.Context, c store.Claim) ([]store.Item, time.Time, error) {
	if c.Owner == "" {
		return nil, time.Time{}, integration.Errorf(integration.KindInvalid, "invalid claim: the owner is empty")
	}
	waiting := wantsOf(c)
	due, err := nextReady(ctx, o.read, waiting, c.Now)
	if err != nil || len(due) == 0 {
		return nil, earliest(waiting), sqldb.Error("claim", err)
	}
	var items []store.Item
	var wants []*want
	skip := o.db.Dialect().SkipLocked
	// The wants are made anew, as the function may run twice.
	err = o.db.Write(ctx, func(tx sqldb.Tx) (err error) {
		items, wants = nil, wantsOf(c)
		for i, w := range waiting {
			wants[i].next = w.next
		}
		for _, i := range due {
			if items, err = wants[i].claim(ctx, tx, c, skip, items); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	// The database returns them in no promised order.
	slices.SortFunc(items, func(a, b store.Item) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
	return items, earliest(wants), nil
}

// earliest is when the first item that the wants may take can be claimed, or the first of an
// integration that has as many as it may comes due; zero if there is none.
func earliest(wants []*want) (next time.Time) {
	for _, w := range wants {
		if w.next == 0 {
			continue
		}
		if t := stored.At(w.next); next.IsZero() || t.Before(next) {
			next = t
		}
	}
	return next
}

// selectBehind reads what may follow a claimed item in its lane.
const selectBehind = `select id, ready from outbox where integration = $1 and key = $2 and lane = $3 and lane <> '' and phase <> 'result' and id > $4 order by id limit $5`

// ClaimLane implements store.Outbox. Nobody else can claim what is behind a head, so it is read and
// leased in one transaction only to be sure of the head. The worker of an item's lane goes on with
// what follows, without another claim for each.
func (o *Outbox) ClaimLane(ctx context.Context, item store.Item, now time.Time, limit int) ([]store.Item, error) {
	if item.Lane == "" || limit <= 0 {
		return nil, nil
	}
	// Most lanes are empty behind their first item, which a read tells without a write.
	if ids, err := behind(ctx, o.read, item, now, limit); err != nil || len(ids) == 0 {
		return nil, sqldb.Error("claim a lane", err)
	}
	var items []store.Item
	err := o.db.Write(ctx, func(tx sqldb.Tx) error {
		items = nil
		if err := tx.Lock(ctx, stored.SessionLock(item.Integration, item.Key)); err != nil {
			return err
		}
		// Who has lost the head's lease may not touch what is behind it.
		var mine bool
		if err := tx.QueryRowContext(ctx, "select exists (select 1 from outbox where "+held+" and phase <> 'result')", item.ID, item.Owner, item.Attempt).Scan(&mine); err != nil || !mine {
			return err
		}
		ids, err := behind(ctx, tx, item, now, limit)
		if err != nil || len(ids) == 0 {
			return err
		}
		list, err := stored.Encode(ids)
		if err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, claimBehind, item.Owner, stored.Ms(item.Lease), list)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			it, err := scanItem(rows.Scan)
			if err != nil {
				return err
			}
			items = append(items, it)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(items, func(a, b store.Item) int { return cmp.Compare(a.ID, b.ID) })
	return items, nil
}

// behind returns the ids of what follows an item in its lane and is ready, without a gap. At the
// first one that is not ready yet it ends: the order of the lane comes first.
func behind(ctx context.Context, q sqldb.Queryer, item store.Item, now time.Time, limit int) ([]int64, error) {
	rows, err := q.QueryContext(ctx, selectBehind, item.Integration, item.Key, item.Lane, item.ID, limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var ids []int64
	gap := false
	for rows.Next() {
		var id, ready int64
		if err := rows.Scan(&id, &ready); err != nil {
			return nil, err
		}
		if gap = gap || ready > stored.Ms(now); !gap {
			ids = append(ids, id)
		}
	}
	return ids, rows.Err()
}

// want is a store.Want while it is being served. Its maps are its own: a claim does not change what
// its caller gave.
type want struct {
	store.Want
	busy map[string]int  // items by integration, those that were just claimed included
	full map[string]bool // the integrations that have as many as they may
	next int64           // when the first item that is still to be claimed can be; 0: there is none
}

// wantsOf are the wants of a claim that ask for anything. A claim without a list wants any kind of
// work. One with a limit of 0 has no free worker.
func wantsOf(c store.Claim) []*want {
	asked := c.Wants
	if asked == nil {
		asked = []store.Want{{Limit: cmp.Or(max(c.Limit, 0), defaultClaim)}}
	}
	var wants []*want
	for _, a := range asked {
		if a.Limit <= 0 {
			continue
		}
		w := &want{Want: a, busy: map[string]int{}, full: map[string]bool{}}
		for id, n := range a.Busy {
			w.add(id, n)
		}
		wants = append(wants, w)
	}
	return wants
}

// add counts items of an integration. PerIntegration 0 is no limit.
func (w *want) add(id string, n int) {
	w.busy[id] += n
	if w.PerIntegration > 0 && w.busy[id] >= w.PerIntegration {
		w.full[id] = true
	}
}

// candidate is an item that can be claimed now or later. ready is in milliseconds.
type candidate struct {
	id          int64
	integration string
	ready       int64
}

// query is the statement that finds the first items that the want may take at now, at most limit,
// and behind them what can be claimed later, with its arguments. The list of full integrations is
// an argument in JSON: see selectReady.
func (w *want) query(now time.Time, limit int) (text string, args []any, err error) {
	full, err := stored.Encode(slices.Collect(maps.Keys(w.full)))
	// The list would be null, of which json_each makes one NULL: no row is "not in" that.
	if len(w.full) == 0 {
		full = "[]"
	}
	if w.Work == "" {
		return selectReady, []any{full, limit, stored.Ms(now)}, err
	}
	return selectWork, []any{full, limit, stored.Ms(now), string(w.Work)}, err
}

// first reads the first items that query finds, up to the first that is ready later than now. skip
// ends the query: see sqldb.Dialect.SkipLocked. They come in the order in which they became ready.
func (w *want) first(ctx context.Context, q sqldb.Queryer, now time.Time, limit int, skip string) ([]candidate, error) {
	query, args, err := w.query(now, limit)
	if err != nil {
		return nil, err
	}
	rows, err := q.QueryContext(ctx, query+skip, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []candidate
	for rows.Next() {
		var c candidate
		if err := rows.Scan(&c.id, &c.integration, &c.ready); err != nil {
			return nil, err
		}
		list = append(list, c)
		if c.ready > stored.Ms(now) { // SQLite finds the next one when it is asked for
			break
		}
	}
	return list, rows.Err()
}

// claim leases the items that are ready, up to the limits, adds them to items, and notes when the
// next can be claimed. It looks again when all that it found belongs to integrations that have as
// many as they may: behind their items may be those of others. It runs within the transaction of
// Claim; what it returns is leased to c.Owner.
func (w *want) claim(ctx context.Context, tx sqldb.Tx, c store.Claim, skip string, items []store.Item) ([]store.Item, error) {
	// Each round either ends or fills up another integration, so there are at most as many rounds
	// as integrations.
	for room, again := w.Limit, true; again; {
		// The one behind those that are claimed, in the rounds before too, is the next.
		limit := w.Limit + 1
		found, err := w.first(ctx, tx, c.Now, limit, skip)
		if err != nil {
			return nil, err
		}
		var ids []int64
		passed := false
		// Only the last round says what comes next.
		w.next = 0
		for _, f := range found {
			switch {
			// Claimed in a round before; the statement still finds it.
			case slices.ContainsFunc(items, func(it store.Item) bool { return it.ID == f.id }):
			case f.ready <= stored.Ms(c.Now) && w.full[f.integration]:
				passed = true
			case f.ready > stored.Ms(c.Now) || len(ids) == room:
				if w.next == 0 {
					w.next = max(1, f.ready) // 0 would read as "nothing waits"
				}
			default:
				ids = append(ids, f.id)
				w.add(f.integration, 1)
			}
		}
		if items, err = claimIDs(ctx, tx, c, ids, items); err != nil {
			return nil, err
		}
		room -= len(ids)
		again = passed && w.next == 0 && len(found) == limit
	}
	return items, nil
}

// claimIDs leases items and adds them to items. The condition is in the statement again: of what
// another host has claimed since it was read, nothing comes back.
func claimIDs(ctx context.Context, tx sqldb.Tx, c store.Claim, ids []int64, items []store.Item) ([]store.Item, error) {
	if len(ids) == 0 {
		return items, nil
	}
	list, err := stored.Encode(ids)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, claimItems, c.Owner, stored.Ms(c.Now.Add(c.Lease)), list, stored.Ms(c.Now))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		it, err := scanItem(rows.Scan)
		if err != nil {
			return nil, err
		}
		items = append(items, it)
	}
	return items, rows.Err()
}

// nextReady notes for each want when the first item that it may take can be claimed. due are the
// wants, by their place in the list, for which one can be claimed now. All wants are one statement:
// a host looks after each item that it has worked, and the way to a server costs more than the
// query. Its limit stands in its text: SQLite prepares a statement anew when a parameter that is a
// limit becomes, or was, 0 or 1, and that costs more than the query, too. It only reads, and its
// answer is a hint: Claim looks again within its transaction.
func nextReady(ctx context.Context, q sqldb.Queryer, wants []*want, now time.Time) (due []int, err error) {
	if len(wants) == 0 {
		return nil, nil
	}
	var parts []string
	var args []any
	for i, w := range wants {
		query, of, err := w.query(now, 1)
		if err != nil {
			return nil, err
		}
		n := len(args)
		// A limit of its own would be an argument that the text does not name.
		of = slices.Delete(of, 1, 2)
		query = strings.NewReplacer("$1", fmt.Sprint("$", n+1), "$2", "1", "$3", fmt.Sprint("$", n+2), "$4", fmt.Sprint("$", n+3)).Replace(query)
		parts, args = append(parts, fmt.Sprintf("select %d as want, ready from (%s) w%[1]d", i, query)), append(args, of...)
	}
	rows, err := q.QueryContext(ctx, strings.Join(parts, " union all "), args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var i int
		var ready int64
		if err := rows.Scan(&i, &ready); err != nil {
			return nil, err
		}
		wants[i].next = max(1, ready) // 0 would read as "nothing waits"
		if ready <= stored.Ms(now) {
			due = append(due, i)
		}
	}
	slices.Sort(due) // the most urgent first
	return due, rows.Err()
}
