package sqlstore

import "github.com/livecallrouting/livecall/host-sdk/store/sqldb"

// DB is the store's database, for tests that look at it.
func (s *Store) DB() *sqldb.DB { return s.db }
