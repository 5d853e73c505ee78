package sqldb

import "github.com/pressly/goose/v3"

// Dialect is what differs between databases, so that a further database is one more value, with
// migration files of its own.
type Dialect struct {
	Name  string // sqlite; also the folder of a component's migration files
	goose goose.Dialect
}

// SQLite is the dialect of SQLite 3.
var SQLite = Dialect{Name: "sqlite", goose: goose.DialectSQLite3}
