package records

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// unheard counts the recordings of a record that nobody has heard.
const unheard = `(select count(*) from call_recordings r where r.call = calls.id
	and r.deleted_at = 0 and not exists (select 1 from call_heard h where h.recording = r.id))`

// selectCall reads the columns of scanCall; a condition follows. The parts of a record are left
// out: lists do without them.
const selectCall = `select id, integration, integration_name, key, live, started_at, answered_at, updated_at, alert_key, alert_id, alert_url, alert_title, view, ` + unheard + `
	from calls where `

// callRow is a record with its number in the database. The number names it in the tables of its
// parts and in cursors.
type callRow struct {
	store.Call
	id int64
}

// scanCall reads a row of selectCall. 0 in answered_at is a call in which nobody was reached, or
// one of an older release.
func scanCall(scan func(...any) error) (callRow, error) {
	var c callRow
	var started, answered, updated int64
	var view []byte
	err := scan(&c.id, &c.Integration, &c.IntegrationName, &c.Key, &c.Live, &started, &answered, &updated, &c.Alert.Key, &c.Alert.ID, &c.Alert.URL, &c.Alert.Title, &view, &c.Unheard)
	if err != nil {
		return c, err
	}
	c.StartedAt, c.UpdatedAt = stored.At(started), stored.At(updated)
	if answered > 0 {
		c.AnsweredAt = stored.At(answered)
	}
	return c, stored.Decode(view, &c.View, "call "+c.Key)
}

// whole reads the records that a condition selects with their parts, in one view of the database.
// The view is one moment of the database: parts that are deleted meanwhile are all there, or none.
func (r *Records) whole(ctx context.Context, where string, args ...any) ([]store.Call, error) {
	var calls []store.Call
	err := r.read.View(ctx, func(q sqldb.Queryer) error {
		rows, err := stored.Many(ctx, q, "read calls", scanCall, selectCall+where, args...)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := readParts(ctx, q, &row); err != nil {
				return err
			}
			calls = append(calls, row.Call)
		}
		return nil
	})
	return calls, err
}

// noCall is the error for a call that has no record.
func noCall(key string) error {
	return integration.Errorf(integration.KindNotFound, "there is no record of a call %q", key)
}

// Call implements store.Calls.
func (r *Records) Call(ctx context.Context, integrationID, key string) (store.Call, error) {
	return first(key)(r.whole(ctx, "integration = $1 and key = $2", integrationID, key))
}

// CallByAlert implements store.Calls. It uses the index calls_alert, which a query can that leaves
// empty keys out, as the index does.
func (r *Records) CallByAlert(ctx context.Context, integrationID, alertKey string) (store.Call, error) {
	// An alert has one call, rarely two: "+ 0" keeps the planner from walking all calls in their
	// order.
	return first(alertKey)(r.whole(ctx, "integration = $1 and alert_key = $2 and alert_key <> '' order by id + 0 desc limit 1", integrationID, alertKey))
}

// first returns the only record of a list; without one the error is not_found, naming key.
func first(key string) func([]store.Call, error) (store.Call, error) {
	return func(list []store.Call, err error) (store.Call, error) {
		switch {
		case err != nil:
			return store.Call{}, err
		case len(list) == 0:
			return store.Call{}, noCall(key)
		}
		return list[0], nil
	}
}

// CallsByKey implements store.Calls. "+ 0" hides the order from the planner: sorting the few rows
// of one key costs nothing, walking all calls in their order does.
func (r *Records) CallsByKey(ctx context.Context, key string) ([]store.Call, error) {
	return r.whole(ctx, "key = $1 order by id + 0 desc", key)
}

// RecordingCalls implements store.Calls. The same recording may be in several calls, as equal
// contents are stored once.
func (r *Records) RecordingCalls(ctx context.Context, ref string) ([]store.Call, error) {
	return r.whole(ctx, "id in (select r.call from call_recordings r where r.ref = $1) order by id + 0 desc", ref)
}

// callList is a page of records.
type callList struct {
	calls []store.Call
	next  string
}

// ListCalls implements store.Calls. The string is the cursor of the next page; "" at the end.
func (r *Records) ListCalls(ctx context.Context, f store.CallFilter) ([]store.Call, string, error) {
	query, args, err := callQuery(f)
	if err != nil {
		return nil, "", err
	}
	read := func(ctx context.Context) (list callList, err error) {
		if f.Text != "" {
			return r.searchCalls(ctx, f)
		}
		rows, err := stored.Many(ctx, r.read, "list calls", scanCall, query, args...)
		if err != nil {
			return list, err
		}
		// One more than asked for says whether there are more.
		if limit := limitOf(f); len(rows) > limit {
			rows = rows[:limit]
			list.next = cursorOf(rows[limit-1])
		}
		for _, row := range rows {
			list.calls = append(list.calls, row.Call)
		}
		return list, nil
	}
	// Calls read for themselves, as with sessions.
	var list callList
	if r.lists == nil {
		list, err = read(ctx)
	} else {
		// The key is the query with all it asks for: only those who ask for the same share an
		// answer.
		list, err = r.lists.Do(ctx, f.Text+"\x00"+query+fmt.Sprint(args), read)
	}
	return list.calls, list.next, err
}

// limitOf is how many records a filter wants.
func limitOf(f store.CallFilter) int {
	if f.Limit <= 0 {
		return stored.DefaultList
	}
	return f.Limit
}

// callQuery is the query of a filter. Few calls are live, and few have a recording that nobody has
// heard: their indexes are used whatever else is asked for, as hiding the other columns keeps the
// planner from walking all that an integration has had. An empty text or a 0 that is added to a
// column changes nothing but that no index of it is used.
func callQuery(f store.CallFilter) (string, []any, error) {
	// One more than asked for is read, which says whether there are more.
	where, args := []string{"1 = 1"}, []any{limitOf(f) + 1}
	hide, number := "", ""
	switch {
	case f.Unheard:
		where, hide, number = append(where, "id in ("+unheardCalls+")"), " || ''", " + 0"
	case f.LiveOnly:
		hide = " || ''"
	}
	// live says that work is left; a call has ended for people once ended says how.
	if f.LiveOnly {
		where = append(where, "live = 1", "ended || '' = ''")
	}
	if f.OverOnly {
		where = append(where, "(live + 0 = 0 or ended || '' <> '')")
	}
	if f.Alerts {
		where = append(where, "alert_key || '' <> ''")
	}
	for _, c := range []struct{ column, value string }{{"integration", f.Integration}, {"team", f.Team}, {"caller", f.From}, {"ended", f.Ended}} {
		if c.value == "" {
			continue
		}
		args = append(args, c.value)
		where = append(where, fmt.Sprintf("%s%s = $%d", c.column, hide, len(args)))
		// The indexes of these columns leave empty values out, and are used only by a query that
		// says so, too.
		if c.column != "integration" {
			where = append(where, c.column+" <> ''") // as in the index
		}
	}
	for _, c := range []struct {
		condition string
		at        time.Time
	}{{">=", f.Since}, {"<", f.Until}} {
		if !c.at.IsZero() {
			args = append(args, stored.Ms(c.at))
			where = append(where, fmt.Sprintf("started_at%s %s $%d", number, c.condition, len(args)))
		}
	}
	if f.After != "" {
		started, id, err := parseCursor(f.After)
		if err != nil {
			return "", nil, err
		}
		args = append(args, started, id)
		// Compared as a pair, in the order of the list: calls that began in the same millisecond
		// are told apart by their number.
		where = append(where, fmt.Sprintf("(started_at%s, id%s) < ($%d, $%d)", number, number, len(args)-1, len(args)))
	}
	return selectCall + strings.Join(where, " and ") + " order by started_at" + number + " desc, id" + number + " desc limit $1", args, nil
}

// cursorOf names the place of a record in all lists. It is opaque to clients; base 36 keeps it
// short.
func cursorOf(c callRow) string {
	return strconv.FormatInt(stored.Ms(c.StartedAt), 36) + "." + strconv.FormatInt(c.id, 36)
}

// parseCursor reads what cursorOf wrote.
func parseCursor(text string) (started, id int64, err error) {
	a, b, _ := strings.Cut(text, ".")
	started, err1 := strconv.ParseInt(a, 36, 64)
	id, err2 := strconv.ParseInt(b, 36, 64)
	if err1 != nil || err2 != nil {
		return 0, 0, integration.Errorf(integration.KindInvalid, "the cursor %.40q is not one that a list of calls returned", text)
	}
	return started, id, nil
}

// AddNote implements store.Calls. What is wrong with the text is invalid; no record, not_found.
func (r *Records) AddNote(ctx context.Context, integrationID, key string, n store.Note) (store.Note, error) {
	if strings.TrimSpace(n.Text) == "" {
		return n, integration.Errorf(integration.KindInvalid, "the note is empty: write something")
	}
	if len(n.Text) > store.MaxNote {
		return n, integration.Errorf(integration.KindInvalid, "the note has %d bytes, at most %d can be stored", len(n.Text), store.MaxNote)
	}
	n.ID = ulid.Make().String()
	return n, r.changeOne(ctx, noCall(key), integrationID, key, statement{text: "insert into call_notes (id, call, at, actor, note) select $3, c.id, cast($4 as bigint), $5, $6 " + OfCall,
		args: []any{n.ID, stored.Ms(n.At), n.By, n.Text}})
}

// DeleteNote implements store.Calls. The call is part of the condition: the id of another call's
// note is not found.
func (r *Records) DeleteNote(ctx context.Context, integrationID, key, noteID string) error {
	return r.changeOne(ctx, integration.Errorf(integration.KindNotFound, "there is no such note on this call"), integrationID, key,
		statement{text: "delete from call_notes where id = $3 and call = (select c.id " + OfCall + ")", args: []any{noteID}})
}

// MarkHeard implements store.Calls. The update of the same value again makes the second time no
// different from the first. It takes the recording out of the index of unheard ones, too.
func (r *Records) MarkHeard(ctx context.Context, integrationID, key, ref string, h store.Heard) error {
	return r.changeOne(ctx, integration.Errorf(integration.KindNotFound, "this call has no such recording"), integrationID, key,
		statement{text: updateHeard, args: []any{ref}},
		statement{text: `insert into call_heard (recording, actor, at) select r.id, $4, cast($5 as bigint) from call_recordings r where r.ref = $3 and r.call = (select c.id ` + OfCall + `)
			on conflict (recording, actor) do update set at = call_heard.at`, args: []any{ref, h.By, stored.Ms(h.At)}})
}

// changeOne runs statements that each change one row of a call's record, whose integration and key
// are their first arguments; without a row the error is none. The record is locked: what is added
// while it is being deleted would stay for ever. Of the statements, one that changes nothing undoes
// those before it.
func (r *Records) changeOne(ctx context.Context, none error, integrationID, key string, list ...statement) error {
	return r.db.Write(ctx, func(tx sqldb.Tx) error {
		if err := tx.Lock(ctx, stored.SessionLock(integrationID, key)); err != nil {
			return err
		}
		for _, one := range list {
			result, err := tx.ExecContext(ctx, one.text, append([]any{integrationID, key}, one.args...)...)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil {
				return err
			} else if n == 0 {
				return none
			}
		}
		return nil
	})
}

// CountLiveCalls implements store.Calls. By the index calls_live, which holds the live ones alone.
func (r *Records) CountLiveCalls(ctx context.Context) (n int, err error) {
	err = r.read.QueryRowContext(ctx, "select count(*) from calls where live = 1 and ended || '' = ''").Scan(&n)
	return n, sqldb.Error("count live calls", err)
}
