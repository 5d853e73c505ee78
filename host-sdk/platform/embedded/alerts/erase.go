package alerts

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

var _ platform.Eraser = (*Service)(nil)

// EraseRecordings implements platform.Eraser. The alert goes on naming what was recorded, whose
// sound is the store's.
func (s *Service) EraseRecordings(ctx context.Context, scope platform.Scope, alertKey string, _ []string, line string) error {
	_, err := s.change(ctx, func(q sqldb.Queryer) (*alert, error) { return alertByKey(ctx, q, scope, alertKey) }, func(c *change) error {
		c.fields = slices.DeleteFunc(slices.Clone(c.fields), func(f storedField) bool { return f.Label == integration.LabelTranscription })
		c.addLog("", line)
		c.afterwards = isEnded(c.status)
		return nil
	})
	return err
}

func isEnded(s integration.AlertStatus) bool {
	return s == integration.AlertResolved || s == integration.AlertDropped
}

// ended are the statuses in which nobody has to do with an alert any more. They are words in SQL,
// as they are part of statements and never come from outside.
const ended = "status in ('resolved', 'dropped')"

// EraseAlert implements platform.Eraser. The condition is part of the statement: somebody may open
// the alert again between reading and deleting.
func (s *Service) EraseAlert(ctx context.Context, scope platform.Scope, alertKey string) error {
	a, err := alertByKey(ctx, s.db.Read(), scope, alertKey)
	if err != nil {
		return err
	}
	removed, err := s.remove(ctx, "id = $1 and "+ended, a.id)
	if err != nil || removed > 0 {
		return err
	}
	// Somebody else was faster, or it is not over.
	if a, err = alertByID(ctx, s.db.Read(), a.id); err != nil {
		return err
	}
	return errUnended(a.status)
}

// errUnended is the error for an alert that somebody has to do with.
func errUnended(status integration.AlertStatus) error {
	return integration.Errorf(integration.KindConflict, "the alert is %s: resolve it first", status)
}

// OldAlerts implements platform.Eraser, those that changed first before the others. After is the
// time and id of the last one: time alone would leave out alerts of the same millisecond, or list
// them twice.
func (s *Service) OldAlerts(ctx context.Context, before time.Time, after string, limit int) ([]platform.OldAlert, error) {
	since, id := int64(math.MinInt64), ""
	if after != "" {
		at, behind, _ := strings.Cut(after, "/")
		var err error
		if since, err = strconv.ParseInt(at, 10, 64); err != nil {
			return nil, integration.Errorf(integration.KindInvalid, "after %q: want that of an alert of the list before", after)
		}
		id = behind
	}
	rows, err := s.db.Read().QueryContext(ctx, "select id, tenant, integration, alert_key, updated_at from embedded_alerts where updated_at <= $1 and "+ended+
		" and (updated_at, id) > ($2, $3) order by updated_at, id limit $4", before.UnixMilli(), since, id, limit)
	if err != nil {
		return nil, sqldb.Error("list old alerts", err)
	}
	defer func() { _ = rows.Close() }()
	var list []platform.OldAlert
	for rows.Next() {
		var a platform.OldAlert
		var at int64
		if err := rows.Scan(&a.ID, &a.Scope.Tenant, &a.Scope.Integration, &a.Key, &at); err != nil {
			return nil, sqldb.Error("list old alerts", err)
		}
		a.After = strconv.FormatInt(at, 10) + "/" + a.ID
		list = append(list, a)
	}
	return list, sqldb.Error("list old alerts", rows.Err())
}

// ExpireAlerts implements platform.Eraser. An alert that has changed since it was listed is left
// alone, and so is one whose row another host is just writing (SkipLocked).
func (s *Service) ExpireAlerts(ctx context.Context, alerts []platform.OldAlert, before time.Time) (int, error) {
	ids := make([]string, len(alerts))
	for i, a := range alerts {
		ids[i] = a.ID
	}
	return s.remove(ctx, "id in (select id from embedded_alerts where id in (select value from json_each($1)) and updated_at <= $2 and "+ended+
		s.db.Dialect().SkipLocked+")", toJSON(ids), before.UnixMilli())
}

// remove deletes the alerts that a condition selects, with their logs and pages, in one
// transaction, and says how many.
func (s *Service) remove(ctx context.Context, where string, args ...any) (int, error) {
	var gone []*alert
	err := s.db.Write(ctx, func(tx sqldb.Tx) (err error) {
		gone, err = queryAlerts(ctx, tx, "delete from embedded_alerts where "+where+" returning "+alertColumns, args...)
		if err != nil {
			return err
		}
		for _, a := range gone {
			for _, table := range []string{"embedded_log", "embedded_pages", "embedded_notices", "embedded_alert_teams"} {
				text := "delete from " + table + " where alert_id = $1"
				if _, err := tx.ExecContext(ctx, text, a.id); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return 0, sqldb.Error("delete alerts", err)
	}
	for _, a := range gone {
		s.recent.forget(a.scope, a.key)
		s.noted(a)
		s.hint(a)
	}
	return len(gone), nil
}

// texts are the columns in which people and the software write freely. The version tells whoever is
// changing the alert meanwhile to read it anew.
var texts = []sqldb.Column{
	{Table: "embedded_alerts", Name: "title", Key: "id", Also: anew},
	{Table: "embedded_alerts", Name: "spoken_title", Key: "id", Also: anew},
	{Table: "embedded_alerts", Name: "description", Key: "id", Also: anew},
	{Table: "embedded_alerts", Name: "fields", Key: "id", Also: anew},
	{Table: "embedded_log", Name: "message", Key: "alert_id"},
	{Table: "embedded_notices", Name: "note", Key: "alert_id"},
}

const anew = ", version = version + 1"

// ForgetText implements platform.Eraser.
func (s *Service) ForgetText(ctx context.Context, number, by string) (int, error) {
	// Copies in memory still have the number. They are dropped at the end, when all rows are done.
	defer s.recent.clear()
	return s.db.ReplaceNumber(ctx, number, by, texts...)
}
