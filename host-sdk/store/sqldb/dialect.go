package sqldb

import (
	"database/sql"
	"regexp"

	"github.com/pressly/goose/v3"
	gooselock "github.com/pressly/goose/v3/lock"
)

// Dialect is what differs between databases, so that a further database is one more value, with
// migration files of its own.
type Dialect struct {
	Name  string // sqlite or postgres; also the folder of a component's migration files
	goose goose.Dialect
	// SkipLocked ends a query of a transaction that chooses rows to change: on a database where several
	// write at a time it locks them, and leaves out those that another transaction has.
	SkipLocked string
	text       func(query string) string               // a query as this database wants it; nil: as it is
	view       sql.IsolationLevel                      // in which several queries see one state
	locker     func() (gooselock.SessionLocker, error) // of those who migrate; nil: the database has one for all writing
}

// SQLite is the dialect of SQLite 3.
var SQLite = Dialect{Name: "sqlite", goose: goose.DialectSQLite3}

// Postgres is the dialect of PostgreSQL 15 and newer.
var Postgres = Dialect{Name: "postgres", goose: goose.DialectPostgres, SkipLocked: " for update skip locked",
	text: postgresText, view: sql.LevelRepeatableRead,
	locker: func() (gooselock.SessionLocker, error) { return gooselock.NewPostgresSessionLocker() }}

// eachOf is a list of values that is one argument, an array in JSON: SQLite has no arrays.
var eachOf = regexp.MustCompile(`\bjson_each\((\$[0-9]+)\)`)

func postgresText(query string) string {
	return eachOf.ReplaceAllString(query, "json_array_elements_text(cast($1 as json))")
}
