package people

import (
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// People implements store.People.
type People struct {
	db   *sqldb.DB
	read *sqldb.Reader
}

var _ store.People = (*People)(nil)

// New reads through a reader of the database.
func New(db *sqldb.DB, read *sqldb.Reader) *People { return &People{db: db, read: read} }
