package records

import (
	"github.com/livecallrouting/livecall/host-sdk/internal/sharedread"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Records implements what a store does with records of calls.
type Records struct {
	db   *sqldb.DB
	read *sqldb.Reader
	// lists is nil where each reads for itself.
	lists *sharedread.Group[callList]
}

var (
	_ store.Calls     = (*Records)(nil)
	_ store.Erasures  = (*Records)(nil)
	_ store.Retention = (*Records)(nil)
)

// New reads through a reader of the database, for each who asks.
func New(db *sqldb.DB, read *sqldb.Reader) *Records { return &Records{db: db, read: read} }

// NewShared is New for people, who share a reading of the same list at the same time.
func NewShared(db *sqldb.DB, read *sqldb.Reader) *Records {
	return &Records{db: db, read: read, lists: &sharedread.Group[callList]{}}
}
