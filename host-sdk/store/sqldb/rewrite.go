package sqldb

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/phone"
)

// Column is a column of texts that people and the software write freely. All of it is SQL text of
// the program's, never of anybody else.
type Column struct {
	Table, Name string
	Key         string // of a row, or of a few
	Number      bool   // the key is a number
	Also        string // further assignments of the update, each after a comma
}

// rewriteBatch bounds how many rows one transaction changes: the commits of calls wait for it.
const rewriteBatch = 100

// ReplaceNumber replaces a telephone number in the texts of some columns, in whatever way it is
// written, and says in how many. What it looks for stands in no index: rows are found by reading
// outside of any transaction, and changed by their key as far as they still are what was read. A
// row that was changed meanwhile keeps its text: forgetting again finds it. What was replaced
// before an error is counted.
func (db *DB) ReplaceNumber(ctx context.Context, number, by string, in ...Column) (int, error) {
	total := 0
	for _, c := range in {
		n, err := db.replaceNumber(ctx, number, by, c)
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// replaceNumber is ReplaceNumber for one column.
func (db *DB) replaceNumber(ctx context.Context, number, by string, c Column) (int, error) {
	patterns := phone.Patterns(number)
	type row struct{ key, old, text string }
	var found []row
	err := func() error {
		rows, err := db.Pages().QueryContext(ctx, "select distinct cast("+c.Key+" as text), "+c.Name+" from "+c.Table+" where "+c.Name+" like $1 or "+c.Name+" like $2", patterns[0], patterns[1])
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var r row
			if err := rows.Scan(&r.key, &r.old); err != nil {
				return err
			}
			n := 0
			// The pattern finds more than what is meant.
			if r.text, n = phone.Replace(r.old, number, by); n > 0 {
				found = append(found, r)
			}
		}
		return rows.Err()
	}()
	if err != nil {
		return 0, Error("find a text", err)
	}
	key := "$2"
	if c.Number {
		key = "cast($2 as bigint)"
	}
	update, total := "update "+c.Table+" set "+c.Name+" = $1"+c.Also+" where "+c.Key+" = "+key+" and "+c.Name+" = $3", 0
	for len(found) > 0 {
		page := found[:min(len(found), rewriteBatch)]
		found = found[len(page):]
		err := db.Write(ctx, func(tx Tx) error {
			for _, r := range page {
				if _, err := tx.ExecContext(ctx, update, r.text, r.key, r.old); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, Error("replace a text", err)
		}
		total += len(page)
	}
	return total, nil
}
