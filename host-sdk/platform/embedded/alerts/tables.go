package alerts

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

//go:embed migrations
var migrations embed.FS

// component names our tables' version table.
const component = "embedded"

// Migrate brings our tables up to date, as New does. They have a version table of their own,
// because the database may be shared with the store. It may be called by several hosts at once.
func Migrate(ctx context.Context, db *sqldb.DB) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return integration.Errorf(integration.KindUnsupported, "migrate embedded: no tables for the database %s: %w", db.Dialect().Name, err)
	}
	return db.Migrate(ctx, component, files)
}

// alert is a row of embedded_alerts. What it holds of lists is small, so that one row is the whole
// alert but its log. version counts its changes, entries the lines of its log. It is the working
// form of a row; nothing outside this package sees it.
type alert struct {
	id          string
	scope       platform.Scope
	key         string
	version     int64
	status      integration.AlertStatus
	title       string
	spokenTitle string
	description string
	urgency     string
	fields      []storedField
	attachments []storedAttachment
	teams       []string
	layer       int
	round       int
	paged       []string
	rejected    []string
	acks        []storedAck
	deadline    time.Time // zero: none
	lastCommand int64
	entries     int64
	createdAt   time.Time
	updatedAt   time.Time
}

// The stored… types are the JSON of list columns. Their tags are a format on disk: a field may be
// added, never renamed.

type storedField struct {
	Label  string `json:"label"`
	Value  string `json:"value"`
	Format string `json:"format"`
}

// The sound itself is the store's; this is what pages need to name it.
type storedAttachment struct {
	Label       string `json:"label"`
	Ref         string `json:"ref"`
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Bytes       int64  `json:"bytes"`
	DurationMS  int64  `json:"duration_ms"`
	AtMS        int64  `json:"at_ms"`
}

// There is one at most in force; the list is what the contract has.
type storedAck struct {
	ID   string `json:"id"`
	User string `json:"user"`
	AtMS int64  `json:"at_ms"`
	// Command is the number of the command that made it; 0: a person did, or a release before this
	// field.
	Command int64 `json:"command,omitempty"`
}

// alertColumns are the columns in the order of scanAlert and of values.
const alertColumns = `id, tenant, integration, alert_key, version, status, title, spoken_title, description, urgency,
	fields, attachments, teams, layer, round, paged, rejected, acks, deadline, last_command, entries, created_at, updated_at`

type scanner interface{ Scan(dest ...any) error }

// scanAlert reads a row of alertColumns.
func scanAlert(row scanner) (*alert, error) {
	a := &alert{}
	var fields, attachments, teams, paged, rejected, acks string
	var deadline sql.NullInt64
	var created, updated int64
	err := row.Scan(&a.id, &a.scope.Tenant, &a.scope.Integration, &a.key, &a.version, &a.status, &a.title, &a.spokenTitle,
		&a.description, &a.urgency, &fields, &attachments, &teams, &a.layer, &a.round, &paged, &rejected, &acks, &deadline,
		&a.lastCommand, &a.entries, &created, &updated)
	if err != nil {
		return nil, err
	}
	// A damaged list is an error of this alert alone: the runner delays it and goes on with the
	// others.
	for _, column := range []struct {
		text string
		into any
	}{{fields, &a.fields}, {attachments, &a.attachments}, {teams, &a.teams}, {paged, &a.paged}, {rejected, &a.rejected}, {acks, &a.acks}} {
		if err := json.Unmarshal([]byte(column.text), column.into); err != nil {
			return nil, integration.Errorf(integration.KindInternal, "alert %s: a stored list is damaged: %w", a.id, err)
		}
	}
	// null stands for an alert that waits for nobody.
	if deadline.Valid {
		a.deadline = fromMS(deadline.Int64)
	}
	a.createdAt, a.updatedAt = fromMS(created), fromMS(updated)
	return a, nil
}

// values are the columns of the row in the order of alertColumns; rows counts on their places. An
// alert without a deadline has null, which no comparison finds due.
func (a *alert) values() []any {
	var deadline any
	if !a.deadline.IsZero() {
		deadline = a.deadline.UnixMilli()
	}
	return []any{a.id, a.scope.Tenant, a.scope.Integration, a.key, a.version, string(a.status), a.title, a.spokenTitle,
		a.description, a.urgency, toJSON(a.fields), toJSON(a.attachments), toJSON(a.teams), a.layer, a.round, toJSON(a.paged),
		toJSON(a.rejected), toJSON(a.acks), deadline, a.lastCommand, a.entries, a.createdAt.UnixMilli(), a.updatedAt.UnixMilli()}
}

// toJSON writes lists of plain values, which cannot fail. An empty list is [] and never null, so
// that every column can be read as a list.
func toJSON[T any](list []T) string {
	if len(list) == 0 {
		return "[]"
	}
	text, err := json.Marshal(list)
	if err != nil {
		return "[]"
	}
	return string(text)
}

// fromMS reads a time as it is stored: times are milliseconds since 1970 in every dialect.
func fromMS(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// alertWhere reads one alert; none is not_found, what naming it.
func alertWhere(ctx context.Context, q sqldb.Queryer, what, where string, args ...any) (*alert, error) {
	a, err := scanAlert(q.QueryRowContext(ctx, "select "+alertColumns+" from embedded_alerts where "+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, integration.Errorf(integration.KindNotFound, "%s: there is no such alert", what)
	}
	return a, sqldb.Error("read "+what, err)
}

// alertByKey reads the alert of a session, which knows it by the key that it chose. The unique
// index over the three makes a second alert of one call impossible.
func alertByKey(ctx context.Context, q sqldb.Queryer, scope platform.Scope, key string) (*alert, error) {
	return alertWhere(ctx, q, fmt.Sprintf("alert %q of integration %q", key, scope.Integration),
		"tenant = $1 and integration = $2 and alert_key = $3", scope.Tenant, scope.Integration, key)
}

// alertByID reads an alert by the platform's own id.
func alertByID(ctx context.Context, q sqldb.Queryer, id string) (*alert, error) {
	return alertWhere(ctx, q, fmt.Sprintf("alert %q", id), "id = $1", id)
}

// errChangedElsewhere says that somebody else changed or made the alert between our reading and
// writing it. It stays within this package: the change is done again.
var errChangedElsewhere = &integration.Error{Kind: integration.KindConflict, Message: "the alert was changed by somebody else at the same time", Code: "moved"}

// The statements that write a change.
var (
	// An insert that meets an existing key changes no row, which Must turns into
	// errChangedElsewhere; an update names the version that was read.
	insertAlert = "insert into embedded_alerts (" + alertColumns + ") values (" + marks(23) + ") on conflict (tenant, integration, alert_key) do nothing"
	updateAlert = `update embedded_alerts set version = $2, status = $3, fields = $4, attachments = $5, teams = $6,
		layer = $7, round = $8, paged = $9, rejected = $10, acks = $11, deadline = $12, last_command = $13, entries = $14, updated_at = $15
		where id = $1 and version = $16`
)

const (
	insertTeam   = "insert into embedded_alert_teams (team, at, alert_id) values ($1, $2, $3) on conflict do nothing"
	insertLog    = "insert into embedded_log (alert_id, n, at, actor, message) values ($1, $2, $3, $4, $5)"
	insertNotice = `insert into embedded_notices (id, alert_id, event, person, team, way, note, layer, round, at, due, ends, attempts, claimed_by)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, 0, '')`
	deleteNotice = "delete from embedded_notices where id = $1"
)

// marks is a list of n placeholders, from $1. Both dialects take placeholders with numbers.
func marks(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(list, ", ")
}

// statements encodes the change: the alert if nobody else has written it since it was read, its new
// lines, and whom to tell, so that a crash loses none. It counts the alert's version and the lines
// of its log up: the numbers of lines are theirs only if the alert's row is written, too. They only
// touch the transaction, so the engine can run them within its own (platform.InStore).
func (c *change) statements(notices []notice) []platform.Statement {
	a := c.alert
	first, was := a.entries, a.version
	a.entries, a.version = a.entries+int64(len(c.lines)), a.version+1
	list := make([]platform.Statement, 1, 1+len(c.lines)+len(notices))
	add := func(text string, args ...any) { list = append(list, platform.Statement{Text: text, Args: args}) }
	list[0] = platform.Statement{Text: insertAlert, Args: a.values(), Must: true}
	// What an alert is made of, such as its title, never changes by an update; the numbers are
	// places in alertColumns.
	if v := list[0].Args; was > 0 {
		list[0].Text = updateAlert
		list[0].Args = []any{a.id, a.version, string(a.status), v[10], v[11], v[12], a.layer, a.round, v[15], v[16], v[17], v[18], a.lastCommand, a.entries,
			a.updatedAt.UnixMilli(), was}
	}
	if c.rerouted {
		// Rows of teams that lost the alert stay: it was theirs, and is found in their lists.
		for _, team := range a.teams {
			add(insertTeam, team, a.createdAt.UnixMilli(), a.id)
		}
	}
	for i, l := range c.lines {
		add(insertLog, a.id, first+int64(i)+1, l.At.UnixMilli(), l.Actor, l.Message)
	}
	for _, n := range notices {
		add(insertNotice, n.values()...)
	}
	return list
}

// write writes a change. Somebody else has changed the alert since it was read:
// errChangedElsewhere. A notice that has ended already (ended is its id; "": none) ended with
// another change: errEnded. It stops at the first statement that must change a row and does not,
// and the caller's transaction is rolled back.
func write(ctx context.Context, tx sqldb.Tx, id string, statements []platform.Statement, ended string) error {
	for _, s := range statements {
		done, err := tx.ExecContext(ctx, s.Text, s.Args...)
		if err != nil {
			return sqldb.Error("change alert "+id, err)
		}
		if n, err := done.RowsAffected(); err != nil {
			return sqldb.Error("change alert "+id, err)
		} else if n == 0 && s.Must {
			return errChangedElsewhere
		}
	}
	if ended != "" {
		return endNotice(ctx, tx, ended)
	}
	return nil
}

// logsOf reads the logs of alerts, by alert id. An alert without lines is not in the map.
func logsOf(ctx context.Context, q sqldb.Queryer, alerts []*alert) (map[string][]platform.LogEntry, error) {
	out := map[string][]platform.LogEntry{}
	if len(alerts) == 0 {
		return out, nil
	}
	ids := make([]string, len(alerts))
	for i, a := range alerts {
		ids[i] = a.id
	}
	rows, err := q.QueryContext(ctx, "select alert_id, at, actor, message from embedded_log where alert_id in (select value from json_each($1)) order by alert_id, n", toJSON(ids))
	if err != nil {
		return nil, sqldb.Error("read alert logs", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		var at int64
		var l platform.LogEntry
		if err := rows.Scan(&id, &at, &l.Actor, &l.Message); err != nil {
			return nil, sqldb.Error("read alert logs", err)
		}
		l.At = fromMS(at)
		out[id] = append(out[id], l)
	}
	return out, sqldb.Error("read alert logs", rows.Err())
}
