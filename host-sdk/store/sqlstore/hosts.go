package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/sharing"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/outbox"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

var _ store.Hosts = (*Store)(nil)

// SaveHost implements store.Hosts. What is known of a host is one value: hosts of other releases
// may know more of themselves. seen_at has a column of its own, as it is compared with the
// database's clock.
func (s *Store) SaveHost(ctx context.Context, h store.Host) error {
	about, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "insert into hosts (id, about, seen_at) values ($1, $2, $3) on conflict (id) do update set about = excluded.about, seen_at = excluded.seen_at",
			h.ID, about, stored.Ms(h.SeenAt))
		return err
	})
}

// ListHosts implements store.Hosts.
func (s *Store) ListHosts(ctx context.Context) ([]store.Host, error) { return listHosts(ctx, s.read) }

// HostsIn lists the hosts of a database of PostgreSQL as it is, whatever program has made its
// tables, and changes nothing. There are none where no host has run. Tables are not brought up to
// date under hosts of an older release.
func HostsIn(ctx context.Context, db *sqldb.DB) ([]store.Host, error) {
	var there bool
	if err := db.Read().QueryRowContext(ctx, "select to_regclass('hosts') is not null").Scan(&there); err != nil || !there {
		return nil, sqldb.Error("list hosts", err)
	}
	return listHosts(ctx, db.Read())
}

// listHosts reads all hosts, also those that have died, sorted by machine.
func listHosts(ctx context.Context, q sqldb.Queryer) ([]store.Host, error) {
	rows, err := q.QueryContext(ctx, "select id, about, seen_at from hosts")
	if err != nil {
		return nil, sqldb.Error("list hosts", err)
	}
	defer func() { _ = rows.Close() }()
	var out []store.Host
	for rows.Next() {
		var id string
		var about []byte
		var seen int64
		if err := rows.Scan(&id, &about, &seen); err != nil {
			return nil, sqldb.Error("list hosts", err)
		}
		var h store.Host
		if err := json.Unmarshal(about, &h); err != nil {
			return nil, sqldb.Error("list hosts: host "+id, err)
		}
		// The columns count, whatever the value says.
		h.ID, h.SeenAt = id, stored.At(seen)
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b store.Host) int {
		return cmp.Or(cmp.Compare(a.Machine, b.Machine), cmp.Compare(a.ID, b.ID))
	})
	return out, sqldb.Error("list hosts", rows.Err())
}

// HostsWithoutLock implements store.Hosts.
func (s *Store) HostsWithoutLock(ctx context.Context, ids []string) ([]string, error) {
	return sharing.HostsWithoutLock(ctx, s.db, ids)
}

// AlsoFree has a statement run in the transaction of each FreeHost, which gives back what a host
// ($1) had claimed in another table of the database. It must be called before the first FreeHost.
func (s *Store) AlsoFree(statement string) { s.alsoFree = append(s.alsoFree, statement) }

// FreeHost implements store.Hosts. It gives back all that a dead host had claimed, in one
// transaction, and removes the host. dead is false where it lives, or another host was faster.
func (s *Store) FreeHost(ctx context.Context, id string) (items int64, dead bool, err error) {
	skip := s.db.Dialect().SkipLocked
	err = s.db.Write(ctx, func(tx sqldb.Tx) error {
		items, dead = 0, false
		// The lock lasts as long as the transaction: the host, if it lives after all, waits for it.
		if free, err := sharing.LockDeadHost(ctx, s.db, tx, id); err != nil || !free {
			return err
		}
		var about []byte
		var h store.Host
		// A host that lives may write its row at this moment, to say that it holds no lock.
		err := tx.QueryRowContext(ctx, "select about from hosts where id = $1"+skip, id).Scan(&about)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = json.Unmarshal(about, &h)
		}
		// A host that says it holds no lock works without: its leases end by themselves.
		if err != nil || !h.Lock {
			return err
		}
		if _, err := tx.ExecContext(ctx, "delete from hosts where id = $1", id); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, outbox.ReleaseLeases, id)
		if err != nil {
			return err
		}
		for _, statement := range s.alsoFree {
			if _, err := tx.ExecContext(ctx, statement, id); err != nil {
				return err
			}
		}
		dead = true
		items, err = done.RowsAffected()
		return err
	})
	return items, dead && err == nil, err
}

// RemoveHost implements store.Hosts. A host that ends in order calls it for itself.
func (s *Store) RemoveHost(ctx context.Context, id string) error {
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from hosts where id = $1", id)
		return err
	})
}
