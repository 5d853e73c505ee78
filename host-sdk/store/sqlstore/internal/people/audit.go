package people

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// maxAuditList bounds a list of audit lines.
const maxAuditList = 1000

// AddAudit implements store.Audits. Texts are cut to one line of at most maxWords characters, as
// some come from a browser.
func (p *People) AddAudit(ctx context.Context, l store.AuditLine) error {
	cut := func(text string) string { return oneline.Clean(text, maxWords) }
	return stored.Run(ctx, p.db, "insert into audit (at, who, action, about, detail, remote) values ($1, $2, $3, $4, $5, $6)",
		stored.Ms(l.At), cut(l.Who), cut(l.Action), cut(l.About), cut(l.Detail), cut(l.Remote))
}

// ListAudit implements store.Audits. The newest come first, by the id, which counts; each column
// that narrows has an index with it. The string is the cursor of the next page.
func (p *People) ListAudit(ctx context.Context, f store.AuditFilter) ([]store.AuditLine, string, error) {
	limit := f.Limit
	if limit < 1 || limit > maxAuditList {
		limit = maxAuditList
	}
	where, args := []string{"1 = 1"}, []any{limit + 1} // one more says whether there are others
	for _, c := range []struct{ column, value string }{{"who", f.Who}, {"action", f.Action}, {"about", f.About}} {
		if c.value != "" {
			args = append(args, c.value)
			where = append(where, fmt.Sprintf("%s = $%d", c.column, len(args)))
		}
	}
	// The cursor is the id of the last line that was shown, so lines that are added meanwhile move
	// nothing.
	if f.After != "" {
		after, err := strconv.ParseInt(f.After, 36, 64)
		if err != nil {
			return nil, "", integration.Errorf(integration.KindInvalid, "the cursor %.40q is not one that a list of audit lines returned", f.After)
		}
		args = append(args, after)
		where = append(where, fmt.Sprintf("id < $%d", len(args)))
	}
	lines, err := stored.Many(ctx, p.read, "list audit", func(scan func(...any) error) (l store.AuditLine, err error) {
		var when int64
		err = scan(&l.ID, &when, &l.Who, &l.Action, &l.About, &l.Detail, &l.Remote)
		l.At = stored.At(when)
		return l, err
	}, "select id, at, who, action, about, detail, remote from audit where "+strings.Join(where, " and ")+" order by id desc limit $1", args...)
	if err != nil || len(lines) <= limit {
		return lines, "", err
	}
	lines = lines[:limit]
	return lines, strconv.FormatInt(lines[limit-1].ID, 36), nil
}

// ExpireAudit implements store.Audits. It works in short batches, between which calls commit. The
// oldest go first, by the index audit_at. It says how many went, after an error too.
func (p *People) ExpireAudit(ctx context.Context, before time.Time) (int, error) {
	for total := 0; ; {
		var n int64
		err := p.db.Write(ctx, func(tx sqldb.Tx) error {
			done, err := tx.ExecContext(ctx, "delete from audit where id in (select id from audit where at < $1 order by at limit $2)", stored.Ms(before), stored.ExpireBatch)
			if err == nil {
				n, err = done.RowsAffected()
			}
			return err
		})
		if total += int(n); err != nil || n < stored.ExpireBatch {
			return total, err
		}
	}
}
