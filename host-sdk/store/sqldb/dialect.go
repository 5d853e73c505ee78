package sqldb

import "github.com/pressly/goose/v3"

// Dialect is what differs between databases. Statements are put together from it, so that a further
// database is one more value, with migration files of its own.
type Dialect struct {
	Name string // sqlite; also the folder of a component's migration files
	// SkipLocked ends a sub-select of rows to be claimed, so that two processes don't wait for each
	// other.
	SkipLocked string
	goose      goose.Dialect
}

// SQLite needs no SkipLocked: only one transaction writes at a time.
var SQLite = Dialect{Name: "sqlite", goose: goose.DialectSQLite3}
