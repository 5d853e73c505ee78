package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Lanes are kept by a flag, so that a claim finds what it may take by an index, however long a lane
// is. The first item of a lane that is not in PhaseResult has head = 1, those behind it have 0;
// items without a lane, and results, always have 1. Whatever removes the head (removeItems,
// FinishItem) moves the next one up in the same transaction. Each transaction that adds to a lane
// or moves up has locked the lane's session (see sessionLock): of two at a time, each would see the
// lane without what the other does.

// insertItem adds a waiting or held item at the end of its lane. One with an owner that is the
// first of its lane is claimed and started, and gets its id. The caller has locked the session of
// the lane.
func insertItem(ctx context.Context, tx sqldb.Tx, it *store.Item) error {
	head := int64(1)
	if it.Lane != "" {
		var first sql.NullInt64
		if err := tx.QueryRowContext(ctx, selectFirst, it.Integration, it.Key, it.Lane).Scan(&first); err != nil {
			return err
		}
		if first.Valid {
			head = 0
		}
	}
	phase := store.PhaseWaiting
	if it.Phase == store.PhaseHeld {
		phase = store.PhaseHeld
	}
	args := []any{it.Integration, it.Key, string(it.Kind), it.Lane, it.Name, it.Generation, ms(it.Due), ms(it.NotAfter), head, some(it.Body), []byte{}, string(workOf(*it))}
	// An item that must wait for others is claimed by a worker later.
	if it.Owner == "" || head == 0 || phase == store.PhaseHeld {
		_, err := tx.ExecContext(ctx, insertWaiting, append(args, string(phase))...)
		return err
	}
	it.Phase, it.Attempt, it.Work = store.PhaseStarted, 1, workOf(*it)
	// Born leased: nobody else can claim it before its lease has ended.
	return tx.QueryRowContext(ctx, insertStarted, append(args, it.Owner, ms(it.Lease), max(ms(it.Due), ms(it.Lease)))...).Scan(&it.ID)
}

// The statements of insertItem.
const (
	insertWaiting = `insert into outbox (integration, key, kind, lane, name, generation, due, not_after, phase, attempt, owner, lease, ready, head, body, result, work)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $13, 0, '', 0, $7, $9, $10, $11, $12)`
	insertStarted = `insert into outbox (integration, key, kind, lane, name, generation, due, not_after, phase, attempt, owner, lease, ready, head, body, result, work)
		values ($1, $2, $3, $4, $5, $6, $7, $8, 'started', 1, $13, $14, $15, $9, $10, $11, $12) returning id`
)

// sessionLock names what a transaction locks that changes a session's row or its lanes. Every
// transaction that adds to, removes from or moves up a lane takes it first.
func sessionLock(integrationID, key string) string { return "session/" + integrationID + "/" + key }

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

// lane names a lane: lanes belong to a session, so two calls never wait for each other.
type lane struct{ integration, key, name string }

// removeItems deletes the items that where selects, moves the next item of their lanes up, and
// returns how many were deleted. The sessions of these lanes are locked by the caller.
func removeItems(ctx context.Context, tx sqldb.Tx, where string, args ...any) (int, error) {
	rows, err := tx.QueryContext(ctx, "delete from outbox where "+where+" returning integration, key, lane, head, phase", args...)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }() // after an error; the last row closes them too
	n, lanes := 0, map[lane]bool{}
	for rows.Next() {
		var l lane
		var head bool
		var phase store.ItemPhase
		if err := rows.Scan(&l.integration, &l.key, &l.name, &head, &phase); err != nil {
			return 0, err
		}
		n++
		// A result has left its lane already.
		if l.name != "" && head && phase != store.PhaseResult {
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
func moveUp(ctx context.Context, tx sqldb.Tx, l lane) error {
	_, err := tx.ExecContext(ctx, "update outbox set head = 1 where id = ("+selectFirst+")", l.integration, l.key, l.name)
	return err
}

// heldItems selects what is held in a lane, by the index of lanes.
const heldItems = "integration = $1 and key = $2 and lane = $3 and lane <> '' and phase <> 'result' and phase = 'held'"

// releaseLane lets what is held in a lane wait for its turn. It is due now, whatever it said
// before.
func releaseLane(ctx context.Context, tx sqldb.Tx, l lane, now time.Time) error {
	_, err := tx.ExecContext(ctx, "update outbox set phase = 'waiting', due = $4, ready = $4 where "+heldItems, l.integration, l.key, l.name, ms(now))
	return err
}

// itemColumns are those that scanItem reads. The statements that claim return the same.
const itemColumns = "id, integration, key, kind, work, lane, name, generation, due, not_after, phase, attempt, owner, lease, body, result"

// scanItem reads itemColumns.
func scanItem(scan func(...any) error) (store.Item, error) {
	var it store.Item
	var due, notAfter, lease int64
	err := scan(&it.ID, &it.Integration, &it.Key, &it.Kind, &it.Work, &it.Lane, &it.Name, &it.Generation, &due, &notAfter, &it.Phase, &it.Attempt,
		&it.Owner, &lease, &it.Body, &it.Result)
	it.Due, it.NotAfter, it.Lease = at(due), at(notAfter), at(lease)
	return it, err
}

// defaultClaim is how many items a claim without a limit returns: enough for all workers of a host,
// and few enough for one short transaction.
const defaultClaim = 100

// The statements of a claim. A column "ready" holds the moment at which an item can be claimed: its
// due time, or the end of its lease if that is later. One index on it serves both. Integrations
// that have as many items out as they may are excluded by a JSON list, so the text of the
// statement, and with it the prepared statement, stays the same.
const (
	selectReady = "select id, integration, ready from outbox where head = 1 and integration not in (select value from json_each($1)) order by ready, id limit $2"
	// selectWork is selectReady for one kind of work; each has an index of its own.
	selectWork = "select id, integration, ready from outbox where head = 1 and work = $3 and integration not in (select value from json_each($1)) order by ready, id limit $2"
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
	selectKnown = "select max(generation) from outbox where integration = $1 and key = $2 and name = $3 and kind in ('task', 'timer')"
	// selectFirst is the first item of a lane. Naming lane and phase as the index does lets it be
	// used.
	selectFirst = "select min(id) from outbox where integration = $1 and key = $2 and lane = $3 and lane <> '' and phase <> 'result'"
)

// Claim implements store.Outbox. While nothing is due it only reads: an idle host polls, and a
// write would sync the disk each time. The time is when the next item can be claimed, zero if there
// is none; the caller sleeps until then, or until it is woken.
func (s *Store) Claim(ctx context.Context, c store.Claim) ([]store.Item, time.Time, error) {
	if c.Owner == "" {
		return nil, time.Time{}, integration.Errorf(integration.KindInvalid, "invalid claim: the owner is empty")
	}
	waiting := wantsOf(c)
	due, err := nextReady(ctx, s.read, waiting, c.Now)
	if err != nil || len(due) == 0 {
		return nil, earliest(waiting), sqldb.Error("claim", err)
	}
	var items []store.Item
	var wants []*want
	skip := s.db.Dialect().SkipLocked
	// The wants are made anew, as the function may run twice.
	err = s.db.Write(ctx, func(tx sqldb.Tx) (err error) {
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

// earliest is when the first item that the wants may take can be claimed; zero if there is none.
func earliest(wants []*want) (next time.Time) {
	for _, w := range wants {
		if w.next == 0 {
			continue
		}
		if t := at(w.next); next.IsZero() || t.Before(next) {
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
func (s *Store) ClaimLane(ctx context.Context, item store.Item, now time.Time, limit int) ([]store.Item, error) {
	if item.Lane == "" || limit <= 0 {
		return nil, nil
	}
	// Most lanes are empty behind their first item, which a read tells without a write.
	if ids, err := behind(ctx, s.read, item, now, limit); err != nil || len(ids) == 0 {
		return nil, sqldb.Error("claim a lane", err)
	}
	var items []store.Item
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		items = nil
		if err := tx.Lock(ctx, sessionLock(item.Integration, item.Key)); err != nil {
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
		list, err := encode(ids)
		if err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, claimBehind, item.Owner, ms(item.Lease), list)
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
		if gap = gap || ready > ms(now); !gap {
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

// query is the statement that finds the first items that the want may take, at most limit, with its
// arguments. The list of full integrations is an argument in JSON: see selectReady.
func (w *want) query(limit int) (text string, args []any, err error) {
	full, err := encode(slices.Collect(maps.Keys(w.full)))
	// The list would be null, of which json_each makes one NULL: no row is "not in" that.
	if len(w.full) == 0 {
		full = "[]"
	}
	if w.Work == "" {
		return selectReady, []any{full, limit}, err
	}
	return selectWork, []any{full, limit, string(w.Work)}, err
}

// first reads the first items that the want may take, at most limit. skip ends the query: see
// sqldb.Dialect.SkipLocked. They come in the order in which they became ready.
func (w *want) first(ctx context.Context, q sqldb.Queryer, limit int, skip string) ([]candidate, error) {
	query, args, err := w.query(limit)
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
		found, err := w.first(ctx, tx, limit, skip)
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
			case w.full[f.integration]:
				passed = true
			case f.ready > ms(c.Now) || len(ids) == room:
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
	list, err := encode(ids)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, claimItems, c.Owner, ms(c.Now.Add(c.Lease)), list, ms(c.Now))
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
		query, of, err := w.query(1)
		if err != nil {
			return nil, err
		}
		n := len(args)
		// A limit of its own would be an argument that the text does not name.
		of = slices.Delete(of, 1, 2)
		query = strings.NewReplacer("$1", fmt.Sprint("$", n+1), "$2", "1", "$3", fmt.Sprint("$", n+2)).Replace(query)
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
		if ready <= ms(now) {
			due = append(due, i)
		}
	}
	slices.Sort(due) // the most urgent first
	return due, rows.Err()
}

// held selects an item ($1) while it is the owner's ($2) by the claim that counted the attempt
// ($3): a worker whose lease ran out must not touch what the same process has claimed again. A
// fresh result (attempt 0) is its owner's whatever attempt is named, as the owner knows the item
// from its claim.
const held = "id = $1 and owner = $2 and owner <> '' and (attempt = $3 or (phase = 'result' and attempt = 0))"

// StartItem implements store.Outbox. It is for work that waits for its turn after it was claimed;
// the lease is extended with it.
func (s *Store) StartItem(ctx context.Context, item store.Item) error {
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		done, err := tx.ExecContext(ctx, "update outbox set phase = 'started', lease = $4, ready = case when due > $4 then due else $4 end where "+held+" and phase <> 'result'",
			item.ID, item.Owner, item.Attempt, ms(item.Lease))
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
func (s *Store) RetryItem(ctx context.Context, item store.Item, due time.Time) error {
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "update outbox set due = $4, ready = $4, owner = '', lease = 0 where "+held, item.ID, item.Owner, item.Attempt, ms(due))
		return err
	})
}

// FinishItem implements store.Outbox. The item leaves its lane at once (head = 1), so that the next
// command need not wait for the handler. Attempts begin anew: from now on they count those of the
// handler. The result is an event of its owner's, who hands it to the handler under the lease that
// it names.
func (s *Store) FinishItem(ctx context.Context, item store.Item, result []byte) error {
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		if err := tx.Lock(ctx, sessionLock(item.Integration, item.Key)); err != nil {
			return err
		}
		var l lane
		err := tx.QueryRowContext(ctx, `update outbox set phase = 'result', work = 'event', attempt = 0, result = $4, lease = $5, head = 1,
			ready = case when due > $5 then due else $5 end
			where `+held+` and phase <> 'result' returning integration, key, lane`,
			item.ID, item.Owner, item.Attempt, some(result), ms(item.Lease)).Scan(&l.integration, &l.key, &l.name)
		// The work was done all the same, and perhaps by two: its owner now decides.
		if errors.Is(err, sql.ErrNoRows) {
			return errGone()
		}
		if err != nil || l.name == "" {
			return err
		}
		return moveUp(ctx, tx, l)
	})
}

// DeleteItem implements store.Outbox. It ends an item that nobody is told of.
func (s *Store) DeleteItem(ctx context.Context, item store.Item) error {
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		if err := tx.Lock(ctx, sessionLock(item.Integration, item.Key)); err != nil {
			return err
		}
		_, err := removeItems(ctx, tx, held, item.ID, item.Owner, item.Attempt)
		return err
	})
}

// AddItem implements store.Outbox. It is for work without a commit, such as a webhook that is kept
// for later. The session need not exist.
func (s *Store) AddItem(ctx context.Context, item store.Item) error {
	if item.Integration == "" || item.Kind == "" {
		return integration.Errorf(integration.KindInvalid, "invalid outbox item: integration %q, kind %q", item.Integration, item.Kind)
	}
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		if err := tx.Lock(ctx, sessionLock(item.Integration, item.Key)); err != nil {
			return err
		}
		item.Owner = "" // nobody has claimed it
		return insertItem(ctx, tx, &item)
	})
}

// releaseLeases gives back what an owner ($1) has leased; "" is any.
const releaseLeases = "update outbox set owner = '', lease = 0, ready = due where owner <> '' and (owner = $1 or $1 = '')"

// ReleaseLeases implements store.Outbox. A host that has the store for itself releases all at its
// start: nobody else can be at work.
func (s *Store) ReleaseLeases(ctx context.Context, owner string) error {
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, releaseLeases, owner)
		return err
	})
}

// OutboxStats implements store.Outbox. It looks through the whole table: it is for metrics, not for
// calls.
func (s *Store) OutboxStats(ctx context.Context) (map[store.ItemKind]map[store.ItemPhase]int, time.Time, error) {
	rows, err := s.read.QueryContext(ctx, "select kind, phase, count(*), min(due) from outbox group by kind, phase")
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
		if t := at(due); oldest.IsZero() || t.Before(oldest) {
			oldest = t
		}
	}
	return counts, oldest, sqldb.Error("count the outbox", rows.Err())
}

// OverdueItems implements store.Outbox. Only heads count: what waits behind another item of its
// lane is not late by itself. They say that workers do not keep up.
func (s *Store) OverdueItems(ctx context.Context, before time.Time) (map[store.ItemKind]int, error) {
	rows, err := s.read.QueryContext(ctx, "select kind, count(*) from outbox where head = 1 and ready <= $1 group by kind", before.UnixMilli())
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
