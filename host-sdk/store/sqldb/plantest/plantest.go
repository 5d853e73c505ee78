// Package plantest holds that a database answers every statement of the tests by an index: a
// statement that looks through a whole table takes the longer, the more calls and alerts there have
// been.
package plantest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// small are indexes that may be looked through, with the reason.
var small = []struct{ index, reason string }{
	{"sessions_live", "it holds the calls in progress alone"},
	{"calls_live", "the same"},
	{"call_recordings_unheard", "it holds the recordings alone that nobody has heard"},
}

// allowed are statements that may look through a table, by a part of their text, with the reason.
var allowed = []struct{ text, reason string }{
	{"from integrations i join integration_options o on o.integration = i.id and o.revision = i.revision where i.deleted_at = 0 order by i.name", "all integrations are asked for: an installation has a few"},
	{"from sessions where 1 = 1 order by created_at desc, key desc limit $1", "the newest first, by an index, until the limit is reached"},
	{"from sessions where 1 = 1 and view <> '' order by created_at desc, key desc limit $1", "the same; only the one session that each integration has for itself has no view"},
	{"from calls where 1 = 1 order by started_at desc, id desc limit $1", "the same"},
	{"with chosen as ( select", "it looks through what it has chosen of calls by an index, which a test of the store holds"},
	{"from calls where 1 = 1 and (live + 0 = 0 or ended || '' <> '') order by started_at desc, id desc limit $1", "the same; few calls are in progress"},
	{"from calls where 1 = 1 and alert_key || '' <> '' order by started_at desc, id desc limit $1", "the same; most calls have an alert"},
	{"from calls where 1 = 1 and (live + 0 = 0 or ended || '' <> '') and alert_key || '' <> '' order by started_at desc, id desc limit $1", "the same"},
	{"from embedded_alerts order by created_at desc, id desc limit $1", "the newest first, by an index, until the limit is reached"},
	{"select id, integration, ready from outbox where head = 1 and (ready >", "the first that is due, by an index, until the limit is reached; it passes over what is due of integrations that have as many workers as they may"},
	{"select kind, phase, count(*), min(due) from outbox", "a scrape of the metrics; the outbox holds the work of calls in progress"},
	{"select code, severity, count(*) from findings", "a scrape of the metrics; an integration has a few findings"},
	{"update outbox set owner = '', lease = 0, ready = due where owner <> ''", "once at a start, and when a host has died; the outbox holds the work of calls in progress"},
	{"from logins where since > 0 and ends > $1 order by since desc", "the newest first, by an index, until the limit is reached"},
	{"from api_tokens order by name", "all tokens are asked for: an installation has a few"},
	{"from audit where 1 = 1 order by id desc limit $1", "the newest first, until the limit is reached"},
	{"select id, about, seen_at from hosts", "all hosts are asked for: an installation has a few"},
	{"from embedded_unreached", "once at a start; it holds the ways alone that the last notice did not reach"},
	{"from session_seen n", "twice a minute; it holds the calls of the last hour and those in progress, and an index would be written for each of them as often"},
	{"delete from session_seen where seen_at", "once an hour; it holds the calls of the last hour and those in progress"},
	{"like $1", "a caller is forgotten, by hand: free text is looked through, outside of transactions"},
	{"update findings set message = replace", "the same; an integration has a few findings"},
	{"delete from findings where", "once an hour; an integration has a few findings"},
	{"delete from integrations where deleted_at > 0", "once an hour; an installation has a few integrations"},
	{"delete from integration_options where", "once an hour; superseded options are kept for a day, or while a call pins them"},
}

// checked are the texts that were looked at: the tables are the same in every test. By dialect, as
// the plans differ.
var checked sync.Map

// Check fails the test for each statement run on the database that looks through a whole table and
// is not allowed to. Call it before the database is closed. Each text is looked at once for all
// tests of a package.
func Check(t testing.TB, db *sqldb.DB) {
	t.Helper()
	for _, text := range db.Statements() {
		verb, _, _ := strings.Cut(strings.TrimSpace(text), " ")
		switch verb {
		case "select", "with", "insert", "update", "delete":
		default:
			continue // of the transaction itself, or of a test
		}
		if _, known := checked.LoadOrStore(db.Dialect().Name+" "+text, true); known {
			continue
		}
		plan := Plan(t, db, text)
		for _, step := range plan {
			// What is read of a part of the statement is what that part finds, by steps of its own.
			name, scans := strings.CutPrefix(step, "SCAN ")
			if scans && !slices.Contains(plan, "CO-ROUTINE "+name) && !slices.Contains(plan, "MATERIALIZE "+name) && !bounded(text, step) {
				t.Errorf("this statement looks through a whole table (%s); give it an index, or allow it in plantest with a reason:\n%s", step, text)
			}
		}
	}
}

// bounded reports whether a step that looks through something does so for a good reason. text is
// compared without line breaks and repeated spaces.
func bounded(text, step string) bool {
	if strings.Contains(step, "VIRTUAL TABLE") || strings.Contains(step, "CONSTANT ROW") {
		return true // the values of an argument
	}
	for _, s := range small {
		// SQLite, PostgreSQL.
		if strings.HasSuffix(step, "INDEX "+s.index) || step == "SCAN "+s.index {
			return true
		}
	}
	plain := strings.Join(strings.Fields(text), " ")
	for _, a := range allowed {
		if strings.Contains(plain, a.text) {
			return true
		}
	}
	return false
}

// Plan is how the database runs a statement, step by step. It does not run it. A failure is the
// test's; the plan is then empty.
func Plan(t testing.TB, db *sqldb.DB, text string) []string {
	t.Helper()
	if db.Dialect().Name == sqldb.Postgres.Name {
		return serverPlan(t, db, text)
	}
	rows, err := db.Read().QueryContext(context.Background(), "explain query plan "+text, make([]any, arguments(text))...)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return nil
	}
	defer func() { _ = rows.Close() }()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Error(err)
		}
		plan = append(plan, step)
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
	return plan
}

// arguments is how many a statement has. They are $1, $2 and so on, without a gap.
func arguments(text string) (n int) {
	for strings.Contains(text, fmt.Sprint("$", n+1)) {
		n++
	}
	return n
}

// serverPlan is Plan on PostgreSQL: the plan for any arguments, in which a table is read as a whole
// only if no index can be used. Which one is used says nothing: the tables of a test are small. A
// table that is read as a whole is a step "SCAN table", as SQLite has it. A generic plan is for any
// arguments, as the server makes it for statements that are kept.
func serverPlan(t testing.TB, db *sqldb.DB, text string) (plan []string) {
	t.Helper()
	execute := "explain execute looked_at"
	if n := arguments(text); n > 0 {
		execute += "(null" + strings.Repeat(", null", n-1) + ")"
	}
	var lines []string
	// Nothing is written, nor could it be: a statement that writes is only looked at.
	err := db.Read().View(context.Background(), func(q sqldb.Queryer) (err error) {
		for _, s := range []string{"set local enable_seqscan = off", "set local plan_cache_mode = force_generic_plan", "prepare looked_at as " + text} {
			if _, err := explained(q, s); err != nil {
				return err
			}
		}
		if lines, err = explained(q, execute); err != nil {
			return err
		}
		_, err = explained(q, "deallocate looked_at") // the end of the transaction would leave it
		return err
	})
	if err != nil {
		t.Errorf("%s: %v", text, err)
	}
	return serverSteps(lines)
}

// explained runs a statement and returns its lines. It runs within the caller's view.
func explained(q sqldb.Queryer, statement string) (lines []string, err error) {
	rows, err := q.QueryContext(context.Background(), statement)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, rows.Err()
}

// serverSteps are the lines of a plan, of which those that read a whole table say so as SQLite
// does. Other lines stay as the server writes them.
func serverSteps(lines []string) []string {
	steps := slices.Clone(lines)
	for i, line := range lines {
		if _, what, found := strings.Cut(line, "Seq Scan on "); found {
			table, _, _ := strings.Cut(what, " ")
			steps[i] = "SCAN " + table
		}
	}
	return steps
}
