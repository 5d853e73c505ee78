package sqlstore

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/records"
)

// CallerCalls implements store.Forgetting. Sessions are looked at as well, as their records may
// have been deleted before.
func (s *Store) CallerCalls(ctx context.Context, number string, limit int) ([]store.Call, error) {
	calls, _, err := s.ListCalls(ctx, store.CallFilter{From: number, Limit: limit})
	if err != nil {
		return nil, err
	}
	known := map[store.CallRef]bool{}
	for _, c := range calls {
		known[store.CallRef{Integration: c.Integration, Key: c.Key}] = true
	}
	sessions, err := s.ListSessions(ctx, store.SessionFilter{From: number, Limit: limit})
	if err != nil {
		return nil, err
	}
	// Only what forgetting needs to know is filled in.
	for _, x := range sessions {
		if !known[store.CallRef{Integration: x.Integration, Key: x.Key}] && len(calls) < limit {
			calls = append(calls, store.Call{Integration: x.Integration, Key: x.Key, Live: x.Live, Alert: store.CallAlert{Key: x.AlertKey}, StartedAt: x.CreatedAt})
		}
	}
	return calls, nil
}

// ForgetCalls implements store.Forgetting. All or none: a live call among them is a conflict, and
// nothing is removed.
func (s *Store) ForgetCalls(ctx context.Context, calls []store.CallRef, d store.Deletion) (store.Forgotten, error) {
	var f store.Forgotten
	d.Cause = store.CauseForgotten
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		f = store.Forgotten{}
		if err := records.LockAll(ctx, tx, calls); err != nil {
			return err
		}
		for _, c := range calls {
			if err := forgetCall(ctx, tx, c, d, &f); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return store.Forgotten{}, err
	}
	return f, nil
}

// forgetCall removes one call that is locked. It adds to f what it has removed.
func forgetCall(ctx context.Context, tx sqldb.Tx, c store.CallRef, d store.Deletion, f *store.Forgotten) error {
	var live, recordings int
	err := tx.QueryRowContext(ctx, `select (select count(*) from sessions where integration = $1 and key = $2 and live = 1) + (select count(*) from calls where integration = $1 and key = $2 and live = 1),
		(select count(*) from call_recordings r where r.deleted_at = 0 and r.call = (select c.id `+records.OfCall+`))`, c.Integration, c.Key).Scan(&live, &recordings)
	if err != nil {
		return err
	}
	// By the session or the record: either may say so first.
	if live > 0 {
		return records.ErrLive()
	}
	// The whole session goes, so no lane has to move up.
	work, err := deleteOf(ctx, tx, "delete from outbox where integration = $1 and key = $2", c)
	if err != nil {
		return err
	}
	sessions, err := deleteOf(ctx, tx, "delete from sessions where integration = $1 and key = $2", c)
	if err != nil {
		return err
	}
	if _, err := deleteOf(ctx, tx, "delete from session_seen where integration = $1 and key = $2", c); err != nil {
		return err
	}
	f.Work, f.Sessions = f.Work+work, f.Sessions+sessions
	n, err := records.Remove(ctx, tx, d, "integration = $1 and key = $2", c.Integration, c.Key)
	if err != nil {
		return err
	}
	f.Calls, f.Recordings = f.Calls+n, f.Recordings+recordings
	// Remove has asked for the erasure otherwise.
	if n == 0 && sessions > 0 { // its record was deleted earlier
		return records.AddErasure(ctx, tx, store.Erasure{Integration: c.Integration, Key: c.Key, Whole: true}, d)
	}
	return nil
}

// deleteOf runs a statement that deletes what belongs to a call, and gives the number of rows.
func deleteOf(ctx context.Context, tx sqldb.Tx, text string, c store.CallRef) (int, error) {
	done, err := tx.ExecContext(ctx, text, c.Integration, c.Key)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}

// texts are the columns in which people and the software write freely. A new column of free text
// belongs here, or forgetting would leave the number in it.
var texts = []sqldb.Column{
	{Table: "call_notes", Name: "note", Key: "id"},
	{Table: "call_lines", Name: "message", Key: "id", Number: true},
	{Table: "call_fields", Name: "value", Key: "id", Number: true},
	{Table: "findings", Name: "message", Key: "integration"},
	{Table: "audit", Name: "about", Key: "id", Number: true},
	{Table: "audit", Name: "detail", Key: "id", Number: true},
	{Table: "audit", Name: "who", Key: "id", Number: true},
}

// ForgetText implements store.Forgetting. Each column is looked through outside of a transaction,
// and changed a few rows at a time.
func (s *Store) ForgetText(ctx context.Context, number, by string) (int, error) {
	return s.db.ReplaceNumber(ctx, number, by, texts...)
}

// Scrub implements store.Forgetting.
func (s *Store) Scrub(ctx context.Context) error { return s.db.Scrub(ctx) }
