package integrationtests

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// takesAway matches a statement of SQL after which a program that does not expect it would fail:
// tables that lose something, and columns that an older program does not fill. An index is no loss.
var takesAway = []*regexp.Regexp{
	regexp.MustCompile(`(?is)\bdrop\s+(table|column|view|constraint)\b`),
	regexp.MustCompile(`(?is)\brename\b`),
	regexp.MustCompile(`(?is)\balter\s+column\b`),
	regexp.MustCompile(`(?is)\badd\s+column\s+([^,;']|'[^']*')*\bunique\b`),
}

// addsColumn matches a new column's definition up to its end.
var addsColumn = regexp.MustCompile(`(?is)\badd\s+column\s+((?:[^;']|'[^']*')*)`)

// wrongOf says what a migration does that hosts of the previous release do not survive; "":
// nothing.
func wrongOf(migration string) string {
	up, _, _ := strings.Cut(migration, "-- +goose Down")
	up = regexp.MustCompile(`--[^\n]*`).ReplaceAllString(up, "")
	for _, statement := range strings.Split(up, ";") {
		for _, wrong := range takesAway {
			if found := wrong.FindString(statement); found != "" {
				return "it takes away or changes what is there: " + strings.TrimSpace(found)
			}
		}
		for _, column := range addsColumn.FindAllString(statement, -1) {
			lower := strings.ToLower(column)
			if strings.Contains(lower, "not null") && !strings.Contains(lower, "default") {
				return "a new column needs a default, or older hosts cannot insert rows: " + strings.TrimSpace(column)
			}
		}
	}
	return ""
}

// TestMigrationsOnlyAdd: while hosts are upgraded one after the other, those of the previous
// release work on tables that the new ones have changed already.
func TestMigrationsOnlyAdd(t *testing.T) {
	t.Parallel()
	seen := 0
	err := filepath.WalkDir("../host-sdk", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "migrations") || filepath.Ext(path) != ".sql" {
			return err
		}
		seen++
		text, err := os.ReadFile(path)
		if wrong := wrongOf(string(text)); wrong != "" {
			t.Errorf("%s: %s", path, wrong)
		}
		return err
	})
	if err != nil || seen < 10 {
		t.Errorf("%d migrations were read: %v", seen, err)
	}
	for sql, wrong := range map[string]bool{
		"alter table a add column b text not null default '; not null';": false, "alter table a add column b text;": false,
		"create table a (b text not null);": false, "drop index a;": false,
		"alter table a add column b text not null;": true, "alter table a rename to b;": true,
		"alter table a drop column b;": true, "drop table a;": true,
		"alter table a\n\talter column b set not null;": true, "alter table a add column b text unique;": true,
		"alter table a add column b text default 'x', add column c text": false,
	} {
		if got := wrongOf("-- +goose Up\n" + sql); (got != "") != wrong {
			t.Errorf("%s: %q, want wrong: %v", sql, got, wrong)
		}
	}
}

// wholeRows matches a statement that depends on which columns a table has.
var wholeRows = regexp.MustCompile(`(?i)select \*|select [a-z]+\.\*|insert into \w+ (values|select)`)

// TestStatementsNameTheirColumns: a column that a newer release has added changes nothing for an
// older one.
func TestStatementsNameTheirColumns(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("../host-sdk", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range wholeRows.FindAllString(string(text), -1) {
			t.Errorf("%s: %q depends on all columns of a table: name those that are meant", path, found)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
