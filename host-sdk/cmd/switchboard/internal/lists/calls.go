package lists

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Filter is the query as the store takes it. The status is left out: it is one of alerts.
func (q Query) Filter() store.CallFilter {
	return store.CallFilter{Integration: q.Integration, Team: q.Team, From: q.From, Ended: q.Ended, Since: q.Since, Until: q.Until,
		LiveOnly: q.Live, Unheard: q.Unheard, Text: q.Text, After: q.Cursor, Limit: q.Limit}
}

// Calls reads a list of calls, the newest first, and a cursor for the next ones. What it is
// narrowed to and nobody knows is invalid where the list would be empty. It takes the store's
// filter, as callers narrow it further.
func (s Source) Calls(ctx context.Context, f store.CallFilter) ([]store.Call, string, error) {
	calls, next, err := s.Store.ListCalls(ctx, f)
	if err == nil && len(calls) == 0 && next == "" {
		err = s.Known(ctx, f)
	}
	return calls, next, err
}

// csvBatch is how many calls of an export are read at a time.
const csvBatch = 500

// csvHead are the columns of an export, called as in the API.
var csvHead = []string{"sid", "integration", "from", "caller_name", "to", "team", "started_at", "ended_at", "duration_seconds", "waited_seconds", "ended", "people", "unheard", "alert"}

// WriteCSV writes all calls of a query, the newest first, as they are read: a row each, in UTF-8
// with a byte order mark, without which spreadsheets take it for another encoding. flush is called
// after each batch; the error of a batch ends the file. It holds one batch in memory, and reads by
// cursor, so that a long export keeps no transaction open. now is for calls that are not over.
func (s Source) WriteCSV(ctx context.Context, w io.Writer, f store.CallFilter, now time.Time, flush func() error) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	rows := csv.NewWriter(w)
	rows.UseCRLF = true // RFC 4180
	if err := rows.Write(csvHead); err != nil {
		return err
	}
	for f.Limit = csvBatch; ; {
		calls, next, err := s.Store.ListCalls(ctx, f)
		if err != nil {
			return err
		}
		for _, c := range calls {
			if err := rows.Write(csvRow(c, now)); err != nil {
				return err
			}
		}
		// csv.Writer buffers; without it the batch would lie in there.
		rows.Flush()
		if err := rows.Error(); err != nil {
			return err
		}
		if err := flush(); err != nil {
			return err
		}
		if f.After = next; next == "" {
			return nil
		}
	}
}

// csvRow is the row of a call. What nobody knows is empty. The order is that of csvHead.
func csvRow(c store.Call, now time.Time) []string {
	v := c.View
	var people []string
	name := ""
	for _, l := range v.Legs {
		if l.Role == integration.RoleCaller {
			name = l.Name
		} else if l.Reason == integration.LegTalked || l.State == integration.LegTalking {
			people = append(people, l.Name)
		}
	}
	lasted, waited := "", ""
	if gone := Gone(v); !gone.IsZero() && !v.StartedAt.IsZero() {
		lasted = seconds(gone.Sub(v.StartedAt))
	}
	if d, known := Waited(&c, now); known {
		waited = seconds(d)
	}
	row := []string{c.Key, c.IntegrationName, v.From, name, v.To, v.TeamName, moment(v.StartedAt), moment(v.EndedAt), lasted, waited, v.Ended,
		strings.Join(people, ", "), strconv.Itoa(c.Unheard), c.Alert.URL}
	for i, cell := range row {
		row[i] = Cell(cell)
	}
	return row
}

// seconds is a length in whole seconds. Negative ones, from clocks that differ, are 0.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64(max(0, d).Round(time.Second)/time.Second), 10)
}

// moment is a time as in the API, or "".
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Cell is a text for a cell of a spreadsheet. What a spreadsheet would run as a formula begins with
// an apostrophe: '+12025550143 is shown as it is, and not as a sum. Names and notes are typed by
// anybody, and such a file is opened with a click.
func Cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

// sendTime is how long a client may take to take a batch of an export before it counts as gone. The
// export as a whole may take as long as it likes.
const sendTime = time.Minute

// ServeCSV answers with all calls of the request's query as CSV, while they are read. An error
// after the first batch ends the connection, so that nobody takes a part of the file for the whole.
// An error before it is returned, to be answered as any other.
func (s Source) ServeCSV(w http.ResponseWriter, r *http.Request, now time.Time) error {
	q, err := Read(r.URL.Query(), csvBatch)
	if err != nil {
		return err
	}
	first := q.Filter()
	// It is read once with a limit of 1, so that a wrong query is an answer and not an empty file.
	if first.Limit = 1; q.Text != "" { // which is looked through once
		first.Text = ""
	}
	if _, _, err := s.Calls(r.Context(), first); err != nil {
		return err
	}
	// Headers are set as late as possible: until then an error may have a status of its own.
	began := false
	var batch bytes.Buffer
	control := http.NewResponseController(w)
	err = s.WriteCSV(r.Context(), &batch, q.Filter(), now, func() error {
		if !began {
			began = true
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			w.Header().Set("Content-Disposition", `attachment; filename="calls-`+now.UTC().Format(time.DateOnly)+`.csv"`)
			w.Header().Set("Cache-Control", "no-store")
		}
		_ = control.SetWriteDeadline(time.Now().Add(sendTime)) // wall clock: a deadline of real I/O
		if _, err := batch.WriteTo(w); err != nil {
			return err
		}
		return control.Flush()
	})
	if err != nil && began {
		panic(http.ErrAbortHandler)
	}
	return err
}
