package records

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// OfCall finds the record of a session ($1, $2): the parts of a record name it by its number.
const OfCall = "from calls c where c.integration = $1 and c.key = $2"

// The statements that write a record. Each part is selected from its record, so that nothing is
// written for a call that has none. Selected arguments are text unless they are cast.
const (
	// insertCall writes the record of a call, or what has changed of it since another commit wrote
	// it.
	insertCall = `insert into calls (integration, integration_name, key, live, started_at, ended_at, updated_at, caller, team, ended,
		alert_key, alert_id, alert_url, alert_title, view, answered_at)
		values ($1, $10, $2, $3, $5, $4, $5, $6, $7, $8, $12, $13, $14, $15, $9, case when cast($11 as bigint) > 0 then cast($11 as bigint) else 0 end)
		on conflict (integration, key) do update set ` + callView + `,
		alert_key = case when $12 <> '' then $12 else calls.alert_key end, alert_id = case when $13 <> '' then $13 else calls.alert_id end,
		alert_url = case when $14 <> '' then $14 else calls.alert_url end, alert_title = case when $15 <> '' then $15 else calls.alert_title end`
	// updateCallRuns is what [update] tries before updateCallView.
	updateCallRuns = `update calls set ` + callRuns + ` where integration = $1 and key = $2 and live = $3 and ended_at = $4 and caller = $6 and ended = $8`
	updateCallView = `update calls set ` + callView + ` where integration = $1 and key = $2`
	callView       = `live = $3, ended_at = $4, caller = $6, ended = $8, ` + callRuns
	callRuns       = `updated_at = $5, team = $7, view = $9,
		integration_name = case when $10 <> '' then $10 else calls.integration_name end,
		answered_at = case when cast($11 as bigint) < 0 or cast($11 as bigint) > 0 and calls.answered_at > 0 then calls.answered_at else cast($11 as bigint) end`
	updateCallAlert = `update calls set updated_at = $3,
		alert_key = case when $4 <> '' then $4 else alert_key end, alert_id = case when $5 <> '' then $5 else alert_id end,
		alert_url = case when $6 <> '' then $6 else alert_url end, alert_title = case when $7 <> '' then $7 else alert_title end
		where integration = $1 and key = $2`
	insertRecording = `insert into call_recordings (call, ref, label, name, content_type, bytes, duration, at)
		select c.id, $3, $4, $5, $6, cast($7 as bigint), cast($8 as bigint), cast($9 as bigint) ` + OfCall + ` on conflict (call, ref) do nothing`
	// updateHeard takes a recording out of the index of those that nobody has heard.
	updateHeard = `update call_recordings set unheard = 0 where ref = $3 and call = (select c.id ` + OfCall + `)`
	insertHeard = `insert into call_heard (recording, actor, at) select r.id, $4, cast($5 as bigint) from call_recordings r
		where r.ref = $3 and r.call = (select c.id ` + OfCall + `) on conflict (recording, actor) do nothing`
)

// Story lines and fields are written several at a time, each statement for so many of them.
var (
	insertLines = severalParts("insert into call_lines (call, command, at, actor, message) select c.id, p.command, p.at, p.actor, p.message from (",
		"cast($ as bigint) as command, cast($ as bigint) as at, cast($ as text) as actor, cast($ as text) as message",
		") p, calls c where c.integration = $1 and c.key = $2 on conflict (call, command) where command <> 0 do nothing")
	insertFields = severalParts("insert into call_fields (call, label, value, format) select c.id, p.label, p.value, p.format from (",
		"cast($ as text) as label, cast($ as text) as value, cast($ as text) as format",
		") p, calls c where c.integration = $1 and c.key = $2 on conflict (call, label) do update set value = excluded.value, format = excluded.format")
)

// maxParts bounds how many parts one statement writes, and so how many texts there are.
const maxParts = 8

// severalParts makes the texts that write 1, 2, … maxParts parts. Each $ of a part stands for the
// next argument after those that name the session.
func severalParts(before, part, after string) (texts [maxParts]string) {
	var list []string
	next := 3
	for i := range texts {
		pieces := strings.Split(part, "$")
		text := pieces[0]
		for _, piece := range pieces[1:] {
			text += "$" + strconv.Itoa(next) + piece
			next++
		}
		list = append(list, "select "+text)
		texts[i] = before + strings.Join(list, " union all ") + after
	}
	return texts
}

// statement is one that was decided before the transaction. Nothing but its arguments is decided
// from data; the texts are constants.
type statement struct {
	text string
	args []any
	few  string // see [update]; "": none
}

// Statements encodes what a commit adds to the record of its call. nil: the commit adds
// nothing. It runs before the transaction, which must be short.
func Statements(c store.Commit) ([]statement, error) {
	u := c.Call
	if u == nil {
		return nil, nil
	}
	var list []statement
	add := func(text string, args ...any) {
		list = append(list, statement{text: text, args: append([]any{c.Integration, c.Key}, args...)})
	}
	if v := u.View; v != nil {
		view, err := stored.Encode(v)
		if err != nil {
			return nil, err
		}
		// 0 while it is live: the index of ended calls leaves those out.
		ended := int64(0)
		if !u.Live {
			ended = stored.Ms(c.Now)
			if !v.EndedAt.IsZero() {
				ended = stored.Ms(v.EndedAt)
			}
		}
		args := []any{stored.Bit(u.Live), ended, stored.Ms(c.Now), v.From, v.Team, v.Ended, view, u.IntegrationName, answered(v, stored.Ms(c.Now))}
		// The engine knows whether it has written a record before; where another commit was faster,
		// the insert updates.
		if u.New {
			add(insertCall, append(args, u.Alert.Key, u.Alert.ID, u.Alert.URL, u.Alert.Title)...)
		} else {
			add(updateCallView, args...)
			list[len(list)-1].few = updateCallRuns
		}
	}
	// An insert has written it already.
	if u.Alert != (store.CallAlert{}) && (u.View == nil || !u.New) {
		add(updateCallAlert, stored.Ms(c.Now), u.Alert.Key, u.Alert.ID, u.Alert.URL, u.Alert.Title)
	}
	for fields := range slices.Chunk(fieldRows(u.Fields), maxParts) {
		var args []any
		for _, f := range fields {
			args = append(args, f[0], f[1], f[2])
		}
		add(insertFields[len(fields)-1], args...)
	}
	// A line's command is unique in its call, so a commit that is made twice adds it once.
	for lines := range slices.Chunk(u.Story, maxParts) {
		var args []any
		for _, l := range lines {
			args = append(args, l.Command, stored.Ms(l.At), l.Actor, l.Text)
		}
		add(insertLines[len(lines)-1], args...)
	}
	for _, r := range u.Recordings {
		add(insertRecording, r.Media.Ref, r.Label, r.Media.Name, r.Media.ContentType, r.Media.Bytes, r.Media.Duration.Milliseconds(), stored.Ms(r.At))
	}
	for _, h := range u.Heard {
		add(updateHeard, h.Ref)
		add(insertHeard, h.Ref, h.By, stored.Ms(h.At))
	}
	return list, nil
}

// answered is what a view says of when the caller reached a person, as updateCallView takes it: now
// for a conversation, of which the first commit counts; -1 after one, which changes nothing; 0
// without one. A conversation that proves to have been none is forgotten: its line neither talks
// nor has talked. The time is the commit's, in milliseconds: views do not say when somebody was
// reached.
func answered(v *integration.CallView, now int64) int64 {
	at := int64(0)
	for _, l := range v.Legs {
		switch {
		case l.Role != integration.RoleResponder:
		case l.Reason == integration.LegTalked:
			return -1
		case l.State == integration.LegTalking:
			at = now
		}
	}
	return at
}

// fieldRows are fields as insertFields takes them: label, value and format of each. Of several with
// one label the last one counts, in the place of the first: a statement may write a row once. The
// character 0 is replaced as everywhere in texts of PostgreSQL, which may make one label of two.
func fieldRows(fields []integration.AlertField) (rows [][3]string) {
	at := map[string]int{}
	for _, f := range fields {
		row := [3]string{f.Label, f.Value, string(f.Format)}
		for i := range row {
			row[i] = strings.ReplaceAll(row[i], "\x00", "\uFFFD")
		}
		if i, known := at[row[0]]; known {
			rows[i] = row
			continue
		}
		at[row[0]] = len(rows)
		rows = append(rows, row)
	}
	return rows
}

// Run runs statements one after the other, until one fails. d decides whether the statement in
// few is worth trying.
func Run(ctx context.Context, tx sqldb.Tx, d sqldb.Dialect, list []statement) error {
	for _, s := range list {
		var err error
		if s.few != "" {
			_, err = stored.Update(ctx, tx, d, s.few, s.text, s.args...)
		} else {
			_, err = tx.ExecContext(ctx, s.text, s.args...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
