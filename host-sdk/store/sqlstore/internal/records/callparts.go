package records

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// readParts reads what lists leave out. Each part is one query by the index of its table; see
// [Store.whole] for the view that they share.
func readParts(ctx context.Context, q sqldb.Queryer, c *callRow) (err error) {
	if c.Fields, err = readFields(ctx, q, c.id); err != nil {
		return err
	}
	c.Story, err = stored.Many(ctx, q, "read the story of a call", func(scan func(...any) error) (l store.StoryLine, err error) {
		var when int64
		err = scan(&l.Command, &when, &l.Actor, &l.Text)
		l.At = stored.At(when)
		return l, err
	}, "select command, at, actor, message from call_lines where call = $1 order by id", c.id)
	if err != nil {
		return err
	}
	c.Notes, err = stored.Many(ctx, q, "read the notes of a call", func(scan func(...any) error) (n store.Note, err error) {
		var when int64
		err = scan(&n.ID, &when, &n.By, &n.Text)
		n.At = stored.At(when)
		return n, err
	}, "select id, at, actor, note from call_notes where call = $1 order by id", c.id)
	if err != nil {
		return err
	}
	c.Recordings, err = readRecordings(ctx, q, c.id)
	return err
}

// readFields reads the fields of a record. They are in the order in which they were first written.
func readFields(ctx context.Context, q sqldb.Queryer, call int64) ([]integration.AlertField, error) {
	return stored.Many(ctx, q, "read the fields of a call", func(scan func(...any) error) (f integration.AlertField, err error) {
		return f, scan(&f.Label, &f.Value, &f.Format)
	}, "select label, value, format from call_fields where call = $1 order by id", call)
}

// readRecordings reads the recordings of a record, each with who has heard it: one row for each of
// them, and one without a person for a recording that nobody has. The rows of one recording follow
// each other, so it is complete when the next one begins.
func readRecordings(ctx context.Context, q sqldb.Queryer, call int64) ([]store.Recording, error) {
	rows, err := q.QueryContext(ctx, `select r.ref, r.label, r.name, r.content_type, r.bytes, r.duration, r.at, r.deleted_at, r.deleted_by, coalesce(h.actor, ''), coalesce(h.at, 0)
		from call_recordings r left join call_heard h on h.recording = r.id where r.call = $1 order by r.id, h.id`, call)
	if err != nil {
		return nil, sqldb.Error("read the recordings of a call", err)
	}
	defer func() { _ = rows.Close() }()
	var list []store.Recording
	for rows.Next() {
		var r store.Recording
		var h store.Heard
		var duration, when, deleted, heardAt int64
		err := rows.Scan(&r.Media.Ref, &r.Label, &r.Media.Name, &r.Media.ContentType, &r.Media.Bytes, &duration, &when, &deleted, &r.DeletedBy, &h.By, &heardAt)
		if err != nil {
			return nil, sqldb.Error("read the recordings of a call", err)
		}
		if n := len(list); n == 0 || list[n-1].Media.Ref != r.Media.Ref {
			r.Media.Duration, r.At = time.Duration(duration)*time.Millisecond, stored.At(when)
			// A recording that was deleted stays as a row, so that the page says who has deleted
			// it.
			if deleted > 0 {
				r.DeletedAt = stored.At(deleted)
			}
			list = append(list, r)
		}
		if heardAt != 0 {
			h.At = stored.At(heardAt)
			last := &list[len(list)-1]
			last.Heard = append(last.Heard, h)
		}
	}
	return list, sqldb.Error("read the recordings of a call", rows.Err())
}
