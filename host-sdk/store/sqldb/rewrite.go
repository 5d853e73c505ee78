package sqldb

import "context"

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

// Rewrite replaces texts that match one of two patterns of like by what change makes of them, and
// says how many. What it looks for stands in no index: rows are found by reading outside of any
// transaction, and changed by their key as far as they still are what was read. A row that was
// changed meanwhile keeps its text: forgetting again finds it. What was replaced before an error is
// counted.
func (db *DB) Rewrite(ctx context.Context, c Column, patterns [2]string, change func(text string) (string, int)) (int, error) {
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
			// The pattern finds more than what is meant; change decides.
			if r.text, n = change(r.old); n > 0 {
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
