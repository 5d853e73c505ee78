package records

import (
	"context"
	"encoding/json"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/textmatch"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// unheardCalls are the calls with a recording that nobody has heard. The index
// call_recordings_unheard holds few rows; a host of an older release leaves the flag as it was,
// hence the second condition.
const unheardCalls = `select r.call from call_recordings r where r.unheard = 1 and not exists (select 1 from call_heard h where h.recording = r.id)`

// A search reads so many calls at a time, and so many times: it is over within a second or so,
// however many calls there are. The rest is searched with the cursor.
const (
	searchBatch   = 500
	searchBatches = 10
)

// searchCalls reads the calls of a filter that have its text. There is no index of words: it reads
// the newest first, and stops with a cursor.
func (r *Records) searchCalls(ctx context.Context, f store.CallFilter) (list callList, err error) {
	words, limit := textmatch.New(f.Text), limitOf(f)
	f.Limit = searchBatch
	for range searchBatches {
		query, args, err := callQuery(f)
		if err != nil {
			return list, err
		}
		rows, err := stored.Many(ctx, r.read, "search calls", scanCall, query, args...)
		if err != nil {
			return list, err
		}
		more := len(rows) > searchBatch // one more was asked for
		rows = rows[:min(len(rows), searchBatch)]
		texts, err := textsOf(ctx, r.read, rows)
		if err != nil {
			return list, err
		}
		for i, row := range rows {
			// All words must be there, in any of the texts.
			if !words.In(texts[row.id]...) {
				continue
			}
			if list.calls = append(list.calls, row.Call); len(list.calls) < limit {
				continue
			}
			if more || i < len(rows)-1 {
				list.next = cursorOf(row)
			}
			return list, nil
		}
		if !more {
			return list, nil
		}
		f.After = cursorOf(rows[searchBatch-1])
	}
	// Fewer than asked for, and perhaps none: who asks goes on with the cursor.
	list.next = f.After
	return list, nil
}

// textsOf reads the texts of calls by which people find them, by the number of the record. Fields
// and notes of all of them are one query.
func textsOf(ctx context.Context, q sqldb.Queryer, rows []callRow) (map[int64][]string, error) {
	texts := make(map[int64][]string, len(rows))
	for _, c := range rows {
		v := c.View
		texts[c.id] = []string{v.From, v.To, v.TeamName, c.Alert.Title, c.IntegrationName}
		for _, l := range v.Legs {
			texts[c.id] = append(texts[c.id], l.Name, l.Phone)
		}
	}
	type text struct {
		call int64
		text string
	}
	list, err := stored.Many(ctx, q, "search calls", func(scan func(...any) error) (t text, err error) { return t, scan(&t.call, &t.text) },
		`select call, value from call_fields where call in (select cast(value as bigint) from json_each($1))
			union all select call, note from call_notes where call in (select cast(value as bigint) from json_each($1))`, numbersOf(rows))
	for _, t := range list {
		texts[t.call] = append(texts[t.call], t.text)
	}
	return texts, err
}

// numbersOf are the numbers of records, as one argument. One argument keeps the text of the
// statement the same, and so the prepared statement.
func numbersOf(rows []callRow) string {
	ids := make([]int64, len(rows))
	for i, c := range rows {
		ids[i] = c.id
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return "[]" // numbers can be encoded
	}
	return string(text)
}

// CallsByAlert implements store.Calls. It is for lists: only fields and recordings are read
// besides. Several calls of one alert come the newest first.
func (r *Records) CallsByAlert(ctx context.Context, integrationID string, alertKeys []string) ([]store.Call, error) {
	keys, err := json.Marshal(append([]string{}, alertKeys...))
	if err != nil {
		return nil, integration.Errorf(integration.KindInvalid, "keys of alerts: %w", err)
	}
	var calls []store.Call
	err = r.read.View(ctx, func(q sqldb.Queryer) error {
		calls = nil
		rows, err := stored.Many(ctx, q, "read calls of alerts", scanCall,
			selectCall+"integration = $1 and alert_key in (select value from json_each($2)) and alert_key <> '' order by id + 0 desc", integrationID, string(keys))
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.Fields, err = readFields(ctx, q, row.id); err != nil {
				return err
			}
			if row.Recordings, err = readRecordings(ctx, q, row.id); err != nil {
				return err
			}
			calls = append(calls, row.Call)
		}
		return nil
	})
	return calls, err
}
