package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/textmatch"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

const (
	defaultList = 100
	// maxList bounds ListAlerts whatever is asked for: each alert comes with its whole log.
	maxList = 1000
	// searched is how many alerts one search looks through: a second of reading at most, however
	// many there are. The rest is searched with the cursor.
	searched = 10_000
)

// alertList is one page of a list. It is shared by all who wait for the same reading, so nobody may
// change it.
type alertList struct {
	alerts []platform.AlertRecord
	next   string
}

// ListAlerts implements platform.AlertBrowser. People who ask for the same list at the same time
// share one reading of it. The cursor is empty on the last page. An alert that changes meanwhile
// stays in its place, as the order is that of creation.
func (s *Service) ListAlerts(ctx context.Context, f platform.AlertFilter) ([]platform.AlertRecord, string, error) {
	if f.Limit <= 0 {
		f.Limit = defaultList
	}
	f.Limit = min(f.Limit, maxList)
	q, err := listQuery(f)
	if err != nil {
		return nil, "", err
	}
	// Statement and arguments are the key: only who asks for the very same list shares it.
	// One more than asked for says whether there are more.
	text, args := q.page(alertColumns, f.Limit+1)
	list, err := s.lists.Do(ctx, f.Text+"\x00"+text+fmt.Sprint(args), func(ctx context.Context) (list alertList, err error) {
		list.alerts, err = s.records(ctx, s.db.Pages(), func(on sqldb.Queryer) (found []*alert, err error) {
			if f.Text != "" {
				found, list.next, err = search(ctx, on, q, f)
				return found, err
			}
			if found, err = queryAlerts(ctx, on, text, args...); len(found) > f.Limit {
				found = found[:f.Limit]
				list.next = cursorOf(found[f.Limit-1])
			}
			return found, err
		})
		return list, err
	})
	return list.alerts, list.next, err
}

// alertQuery is what selects the alerts of a filter. Values are arguments and never part of the
// text.
type alertQuery struct {
	from, order string
	where       []string
	args        []any
}

// page is the statement for so many rows, with its arguments. slices.Clip keeps two statements of
// one query from sharing the place of their limits.
func (q alertQuery) page(columns string, limit int) (string, []any) {
	text := "select " + columns + " from " + q.from
	if len(q.where) > 0 {
		text += " where " + strings.Join(q.where, " and ")
	}
	args := append(slices.Clip(q.args), limit)
	return fmt.Sprintf("%s order by %s limit $%d", text, q.order, len(args)), args
}

// and adds a condition; ? stands for the value.
func (q *alertQuery) and(condition string, value any) {
	q.args = append(q.args, value)
	q.where = append(q.where, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(q.args))))
}

// listQuery makes the query of a filter. The alerts of a team are walked in the team's own order,
// but few alerts are not resolved: of another status, each is asked whether it is the team's.
func listQuery(f platform.AlertFilter) (alertQuery, error) {
	q := alertQuery{from: "embedded_alerts", order: "created_at desc, id desc"}
	at, id := "created_at", "id"
	switch {
	case f.Team == "":
	case f.Status == "" || f.Status == integration.AlertResolved:
		// A cross join keeps the order in which the tables are read.
		q = alertQuery{from: "embedded_alert_teams cross join embedded_alerts", order: "at desc, alert_id desc", where: []string{"id = alert_id"}}
		at, id = "at", "alert_id"
		// The table's primary key is in the list's order, so a page of it is read off.
		q.and("team = ?", f.Team)
	default:
		q.and("exists (select 1 from embedded_alert_teams t where t.team = ? and t.at = created_at and t.alert_id = id)", f.Team)
	}
	if f.Status != "" {
		q.and("status = ?", string(f.Status))
	}
	if f.Integration != "" {
		q.and("integration = ?", f.Integration)
	}
	if !f.From.IsZero() {
		q.and(at+" >= ?", f.From.UnixMilli())
	}
	if !f.Until.IsZero() {
		q.and(at+" < ?", f.Until.UnixMilli())
	}
	if f.After != "" {
		made, last, err := parseCursor(f.After)
		if err != nil {
			return q, err
		}
		q.args = append(q.args, made, last)
		q.where = append(q.where, fmt.Sprintf("(%s, %s) < ($%d, $%d)", at, id, len(q.args)-1, len(q.args)))
	}
	return q, nil
}

// search reads the alerts of a query that have a text, as many as asked for, and a cursor: of the
// last one that was looked at, unless all were. There is no index for text: rows are read newest
// first until enough were found or searched were looked at.
func search(ctx context.Context, on sqldb.Queryer, q alertQuery, f platform.AlertFilter) (found []*alert, next string, err error) {
	text, args := q.page("id, created_at, title, description, fields", searched)
	rows, err := on.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, "", sqldb.Error("search alerts", err)
	}
	defer func() { _ = rows.Close() }()
	words := textmatch.New(f.Text)
	ids := []string{}
	seen := 0
	for len(ids) < f.Limit && rows.Next() {
		var a alert
		var made int64
		var fields string
		if err := rows.Scan(&a.id, &made, &a.title, &a.description, &fields); err != nil {
			return nil, "", sqldb.Error("search alerts", err)
		}
		if err := json.Unmarshal([]byte(fields), &a.fields); err != nil {
			return nil, "", integration.Errorf(integration.KindInternal, "alert %s: a stored list is damaged: %w", a.id, err)
		}
		a.createdAt = fromMS(made)
		texts := []string{a.title, a.description}
		for _, field := range a.fields {
			texts = append(texts, field.Value)
		}
		if words.In(texts...) {
			ids = append(ids, a.id)
		}
		seen++
		next = cursorOf(&a)
	}
	// All were looked at.
	if len(ids) < f.Limit && seen < searched {
		next = ""
	}
	if err := rows.Err(); err != nil {
		return nil, "", sqldb.Error("search alerts", err)
	}
	if err := rows.Close(); err != nil { // before the connection is used again
		return nil, "", sqldb.Error("search alerts", err)
	}
	if len(ids) == 0 {
		return nil, next, nil
	}
	found, err = queryAlerts(ctx, on, "select "+alertColumns+" from embedded_alerts where id in (select value from json_each($1)) order by created_at desc, id desc", toJSON(ids))
	return found, next, err
}

// cursorOf names the place of an alert in all lists. Base 36 only makes it short; nobody but
// parseCursor may rely on its form.
func cursorOf(a *alert) string {
	return strconv.FormatInt(a.createdAt.UnixMilli(), 36) + "." + a.id
}

// parseCursor reads what cursorOf wrote.
func parseCursor(text string) (made int64, id string, err error) {
	at, id, _ := strings.Cut(text, ".")
	made, wrong := strconv.ParseInt(at, 36, 64)
	if wrong == nil {
		_, wrong = ulid.ParseStrict(id)
	}
	if wrong != nil {
		return 0, "", integration.Errorf(integration.KindInvalid, "the cursor %.40q is not one that a list of alerts returned", text)
	}
	return made, id, nil
}

// CountAlerts implements platform.AlertBrowser. The badge of each page asks for it, so it reads
// with the connections of pages.
func (s *Service) CountAlerts(ctx context.Context, statuses ...integration.AlertStatus) (n int, err error) {
	err = s.db.Pages().QueryRowContext(ctx, "select count(*) from embedded_alerts where status in (select value from json_each($1))", toJSON(statuses)).Scan(&n)
	return n, sqldb.Error("count alerts", err)
}
