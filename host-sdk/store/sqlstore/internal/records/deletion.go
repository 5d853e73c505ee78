package records

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// ErrLive is the error for what cannot be deleted yet. A conflict, whose text says what ends the
// call.
func ErrLive() error {
	return integration.Errorf(integration.KindConflict, "the call is still in progress, or its message is being delivered: delete it when it has ended; resolving its alert ends the delivery")
}

// DeleteCall implements store.Calls. A live call is a conflict, none is not_found.
func (r *Records) DeleteCall(ctx context.Context, integrationID, key string, d store.Deletion) error {
	return r.db.Write(ctx, func(tx sqldb.Tx) error {
		if _, err := lockEnded(ctx, tx, integrationID, key); err != nil {
			return err
		}
		_, err := Remove(ctx, tx, d, "integration = $1 and key = $2", integrationID, key)
		return err
	})
}

// lockEnded locks the record of a call that has ended, and returns its number. Commits of the call
// take the same lock, so it cannot come to life before the transaction ends.
func lockEnded(ctx context.Context, tx sqldb.Tx, integrationID, key string) (id int64, err error) {
	if err := tx.Lock(ctx, stored.SessionLock(integrationID, key)); err != nil {
		return 0, err
	}
	var live bool
	err = tx.QueryRowContext(ctx, "select id, live from calls where integration = $1 and key = $2", integrationID, key).Scan(&id, &live)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, noCall(key)
	case err != nil:
		return 0, err
	case live:
		return 0, ErrLive()
	}
	return id, nil
}

// DeleteRecording implements store.Calls. The row stays and says who has deleted it.
func (r *Records) DeleteRecording(ctx context.Context, integrationID, key, ref string, d store.Deletion, line store.StoryLine) error {
	return r.db.Write(ctx, func(tx sqldb.Tx) error {
		id, err := lockEnded(ctx, tx, integrationID, key)
		if err != nil {
			return err
		}
		n, err := deleteRecordings(ctx, tx, store.CallRef{Integration: integrationID, Key: key}, id, ref, d, line)
		if err == nil && n == 0 {
			return integration.Errorf(integration.KindNotFound, "this call has no such recording, or it was deleted before")
		}
		return err
	})
}

// deleteRecordings deletes the recordings of a record that is locked, or the one of a medium (ref
// not ""), and says how many. Others may have the same medium: it goes with the last of them. The
// transcription, a line of the story and the erasure at the telephone service are part of the same
// transaction.
func deleteRecordings(ctx context.Context, tx sqldb.Tx, call store.CallRef, id int64, ref string, d store.Deletion, line store.StoryLine) (int, error) {
	// 0 would read as not deleted.
	where, args := "call = $1 and deleted_at = 0", []any{id, max(1, stored.Ms(d.At)), d.By}
	if ref != "" {
		where, args = where+" and ref = $4", append(args, ref)
	}
	media, err := stored.Many(ctx, tx, "delete recordings", scanDeleted,
		"update call_recordings set deleted_at = $2, deleted_by = $3, unheard = 0 where "+where+" returning ref, name, content_type, bytes, duration", args...)
	if err != nil || len(media) == 0 {
		return 0, err
	}
	if err := removeMedia(ctx, tx, media); err != nil {
		return 0, err
	}
	// Which recording a transcription is of, nobody has noted: it goes with the first.
	if _, err := tx.ExecContext(ctx, "delete from call_fields where call = $1 and label = $2", id, integration.LabelTranscription); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, insertLines[0], call.Integration, call.Key, 0, stored.Ms(line.At), line.Actor, line.Text)
	if err != nil {
		return 0, err
	}
	return len(media), AddErasure(ctx, tx, store.Erasure{Integration: call.Integration, Key: call.Key, Media: media}, d)
}

// scanDeleted reads what the erasure says of a recording.
func scanDeleted(scan func(...any) error) (m integration.MediaRef, err error) {
	var duration int64
	err = scan(&m.Ref, &m.Name, &m.ContentType, &m.Bytes, &duration)
	m.Duration = time.Duration(duration) * time.Millisecond
	return m, err
}

// removeMedia removes media that no recording has any more. Public media are prompts, which
// somebody may have stored with the same content. "+ 0" keeps the planner at the index of the
// reference.
func removeMedia(ctx context.Context, tx sqldb.Tx, media []integration.MediaRef) error {
	for _, m := range media {
		_, err := tx.ExecContext(ctx, `delete from media where ref = $1 and public = 0
			and not exists (select 1 from call_recordings r where r.ref = media.ref and r.deleted_at + 0 = 0)`, m.Ref)
		if err != nil {
			return err
		}
	}
	return nil
}

// Remove removes the records that a condition selects, which are locked, with all their parts
// and media, and returns how many. Whole rows are removed in one statement; who selects them has
// locked them.
func Remove(ctx context.Context, tx sqldb.Tx, d store.Deletion, where string, args ...any) (int, error) {
	type row struct {
		store.CallRef
		id int64
	}
	rows, err := stored.Many(ctx, tx, "delete calls", func(scan func(...any) error) (r row, err error) {
		return r, scan(&r.id, &r.Integration, &r.Key)
	}, "delete from calls where "+where+" returning id, integration, key", args...)
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		if err := removeParts(ctx, tx, r.CallRef, r.id, d); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}

// removeParts removes all parts of a record, and asks for its recordings to be deleted elsewhere. A
// forgotten call is deleted there whole, also without recordings.
func removeParts(ctx context.Context, tx sqldb.Tx, call store.CallRef, id int64, d store.Deletion) error {
	media, err := stored.Many(ctx, tx, "delete recordings", scanDeleted, "select ref, name, content_type, bytes, duration from call_recordings where call = $1 and deleted_at = 0", id)
	if err != nil {
		return err
	}
	// Who has heard comes first: those rows name the recordings.
	for _, text := range []string{
		"delete from call_heard where recording in (select id from call_recordings where call = $1)",
		"delete from call_recordings where call = $1", "delete from call_lines where call = $1",
		"delete from call_fields where call = $1", "delete from call_notes where call = $1",
	} {
		if _, err := tx.ExecContext(ctx, text, id); err != nil {
			return err
		}
	}
	if err := removeMedia(ctx, tx, media); err != nil {
		return err
	}
	forgotten := d.Cause == store.CauseForgotten
	if len(media) == 0 && !forgotten {
		return nil
	}
	return AddErasure(ctx, tx, store.Erasure{Integration: call.Integration, Key: call.Key, Whole: forgotten}, d)
}

// LookAtOld implements store.Retention. It marks those that it returns until when nobody else need
// look at them, so several hosts share the work, and one that dies holds it up for that time only.
// The condition live = 0 lets the index calls_ended_at be used.
func (r *Records) LookAtOld(ctx context.Context, q store.OldCalls) ([]store.Call, error) {
	where := "live = 0 and ended_at <= $1 and looked_until <= $2"
	if q.Recordings {
		// A recording is no younger than the end of its call, but for one that was fetched late.
		where += " and id in (select r.call from call_recordings r where r.deleted_at = 0 and r.at <= $1)"
	}
	var ids []int64
	skip := r.db.Dialect().SkipLocked
	err := r.db.Write(ctx, func(tx sqldb.Tx) (err error) {
		ids, err = stored.Many(ctx, tx, "find old calls", func(scan func(...any) error) (id int64, err error) { return id, scan(&id) },
			"update calls set looked_until = $3 where id in (select id from calls where "+where+" order by ended_at limit $4"+skip+") returning id",
			stored.Ms(q.Ended), stored.Ms(q.Now), stored.Ms(q.Until), limitOf(store.CallFilter{Limit: q.Limit}))
		return err
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	list, err := stored.Encode(ids)
	if err != nil {
		return nil, err
	}
	// Read after the transaction: it may be a large list, and commits would wait.
	rows, err := stored.Many(ctx, r.read, "read old calls", scanCall,
		selectCall+"id in (select cast(value as bigint) from json_each($1)) order by ended_at, id", list)
	calls := make([]store.Call, 0, len(rows))
	for _, r := range rows {
		calls = append(calls, r.Call)
	}
	return calls, err
}

// LockAll locks records in one step; see sqldb.Tx. In any other order two transactions could wait
// for each other.
func LockAll(ctx context.Context, tx sqldb.Tx, calls []store.CallRef) error {
	locks := make([]string, len(calls))
	for i, c := range calls {
		locks[i] = stored.SessionLock(c.Integration, c.Key)
	}
	return tx.Lock(ctx, locks...)
}

// expired is the condition of a record that may go: it is over since $1, and every recording was
// heard. The retention looked at them before: what has changed since is kept.
const expired = "live = 0 and ended_at <= $1 and integration = $2 and key = $3 and " + unheard + " = 0"

// ExpireCalls implements store.Retention. The caller gives a few at a time, as commits of these
// calls wait.
func (r *Records) ExpireCalls(ctx context.Context, calls []store.CallRef, before time.Time, d store.Deletion) (int, error) {
	removed := 0
	err := r.db.Write(ctx, func(tx sqldb.Tx) error {
		removed = 0
		if err := LockAll(ctx, tx, calls); err != nil {
			return err
		}
		for _, c := range calls {
			n, err := Remove(ctx, tx, d, expired, stored.Ms(before), c.Integration, c.Key)
			if err != nil {
				return err
			}
			removed += n
		}
		return nil
	})
	return removed, err
}

// ExpireRecordings implements store.Retention. It returns how many recordings were deleted; a
// record of which one is unheard keeps all.
func (r *Records) ExpireRecordings(ctx context.Context, calls []store.CallRef, before time.Time, d store.Deletion, line store.StoryLine) (int, error) {
	deleted := 0
	err := r.db.Write(ctx, func(tx sqldb.Tx) error {
		deleted = 0
		if err := LockAll(ctx, tx, calls); err != nil {
			return err
		}
		for _, c := range calls {
			ids, err := stored.Many(ctx, tx, "find expired recordings", func(scan func(...any) error) (id int64, err error) { return id, scan(&id) },
				"select id from calls where "+expired, stored.Ms(before), c.Integration, c.Key)
			if err != nil {
				return err
			}
			for _, id := range ids {
				n, err := deleteRecordings(ctx, tx, c, id, "", d, line)
				if err != nil {
					return err
				}
				deleted += n
			}
		}
		return nil
	})
	return deleted, err
}

// UnheardRecordings implements store.Retention. They are kept whatever their age, and people are
// reminded of them.
func (r *Records) UnheardRecordings(ctx context.Context, ended time.Time) ([]store.Unheard, error) {
	return stored.Many(ctx, r.read, "count unheard recordings", func(scan func(...any) error) (u store.Unheard, err error) {
		var oldest int64
		err = scan(&u.Integration, &u.Recordings, &oldest)
		u.Oldest = stored.At(oldest)
		return u, err
	}, `select c.integration, count(*), min(c.ended_at) from call_recordings r join calls c on c.id = r.call
		where r.deleted_at = 0 and r.at <= $1 and c.live = 0 and c.ended_at <= $1 and not exists (select 1 from call_heard h where h.recording = r.id)
		group by c.integration order by c.integration`, stored.Ms(ended))
}

// erasureColumns are those of scanErasure.
const erasureColumns = "id, integration, key, media, whole, cause, asked_at, due, attempt, owner, reason, given_up"

// scanErasure reads erasureColumns. No media is all recordings of the call.
func scanErasure(scan func(...any) error) (e store.Erasure, err error) {
	var media []byte
	var asked, due int64
	if err := scan(&e.ID, &e.Integration, &e.Key, &media, &e.Whole, &e.Cause, &asked, &due, &e.Attempt, &e.Owner, &e.Reason, &e.GivenUp); err != nil {
		return e, err
	}
	e.AskedAt, e.Due = stored.At(asked), stored.At(due)
	if len(media) > 0 {
		return e, stored.Decode(media, &e.Media, fmt.Sprintf("erasure %d", e.ID))
	}
	return e, nil
}

// AddErasure adds one within the transaction that deletes. So nothing is deleted here and forgotten
// there.
func AddErasure(ctx context.Context, tx sqldb.Tx, e store.Erasure, d store.Deletion) error {
	media := ""
	if e.Media != nil {
		var err error
		if media, err = stored.Encode(e.Media); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `insert into erasures (integration, key, media, whole, cause, asked_at, due, attempt, owner, reason, given_up)
		values ($1, $2, $3, $4, $5, $6, $6, 0, '', '', 0)`, e.Integration, e.Key, media, stored.Bit(e.Whole), d.Cause, stored.Ms(d.At))
	return err
}

// ClaimErasures implements store.Erasures. Claimed is due again when the lease ends. By the index
// erasures_due, which leaves out what was given up.
func (r *Records) ClaimErasures(ctx context.Context, owner string, now time.Time, lease time.Duration, limit int) ([]store.Erasure, error) {
	var list []store.Erasure
	skip := r.db.Dialect().SkipLocked
	err := r.db.Write(ctx, func(tx sqldb.Tx) (err error) {
		list, err = stored.Many(ctx, tx, "claim erasures", scanErasure,
			"update erasures set due = $2, owner = $3, attempt = attempt + 1 where id in (select id from erasures where given_up = 0 and due <= $1 order by due, id limit $4"+
				skip+") returning "+erasureColumns, stored.Ms(now), stored.Ms(now.Add(lease)), owner, limit)
		return err
	})
	return list, err
}

// mine is the condition that an erasure is still its owner's. A claim that ran out has another
// attempt.
const mine = " where id = $1 and owner = $2 and attempt = $3"

// FinishErasure implements store.Erasures. The line says that it is done; a record that is gone
// gets none, as insertLines selects it.
func (r *Records) FinishErasure(ctx context.Context, e store.Erasure, line store.StoryLine) error {
	return r.db.Write(ctx, func(tx sqldb.Tx) error {
		if err := tx.Lock(ctx, stored.SessionLock(e.Integration, e.Key)); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, "delete from erasures"+mine, e.ID, e.Owner, e.Attempt)
		if err != nil {
			return err
		}
		// Another host has it now, and will say so itself.
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, insertLines[0], e.Integration, e.Key, 0, stored.Ms(line.At), line.Actor, line.Text)
		return err
	})
}

// FailErasure implements store.Erasures. Given up: it stays in the list for people, and is not
// claimed again.
func (r *Records) FailErasure(ctx context.Context, e store.Erasure, due time.Time, reason string, givenUp bool) error {
	return stored.Run(ctx, r.db, "update erasures set due = $4, reason = $5, given_up = $6"+mine, e.ID, e.Owner, e.Attempt, stored.Ms(due), reason, stored.Bit(givenUp))
}

// ListErasures implements store.Erasures. The condition on asked_at lets the index erasures_asked
// give the order.
func (r *Records) ListErasures(ctx context.Context, integrationID string, limit int) ([]store.Erasure, error) {
	query, args := " from erasures where asked_at >= 0 order by asked_at, id limit $1", []any{limit}
	if integrationID != "" {
		query, args = " from erasures where integration = $2 order by id limit $1", append(args, integrationID)
	}
	return stored.Many(ctx, r.read, "list erasures", scanErasure, "select "+erasureColumns+query, args...)
}

// ExpireErasures implements store.Erasures. One batch for each call of it; the caller comes again
// while there are more.
func (r *Records) ExpireErasures(ctx context.Context, before time.Time) (n int, err error) {
	err = r.db.Write(ctx, func(tx sqldb.Tx) error {
		done, err := tx.ExecContext(ctx, "delete from erasures where id in (select id from erasures where asked_at < $1 order by asked_at limit $2)", stored.Ms(before), stored.ExpireBatch)
		if err != nil {
			return err
		}
		deleted, err := done.RowsAffected()
		n = int(deleted)
		return err
	})
	return n, err
}
