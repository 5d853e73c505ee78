package sqlstore

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// keyLock is locked by all who seal something, and by who changes with which key that is done. One
// that is sealed with the old key while it is being changed could be lost with that key.
const keyLock = "secret key"

// Keys are the keys with which this store reads. The first is the one of the settings.
func (s *Store) Keys() seal.Ring { return s.keys }

// KeyInUse is the key with which values are sealed now; it waits for a change that is being
// written. A key that the store does not have is invalid and names the setting. Hosts ask when they
// start, before they say that they run.
func (s *Store) KeyInUse(ctx context.Context) (key seal.Key, err error) {
	err = s.sealing(ctx, func(used usedKey) error {
		key = used.Key
		return s.db.Write(ctx, func(tx sqldb.Tx) error { return lockKey(ctx, tx, used) })
	})
	return key, err
}

// usedKey is the key in use, with the value by which the database names it.
type usedKey struct {
	seal.Key
	check string
}

// readCheck reads which key is in use.
const readCheck = "select value from meta where name = 'key_check'"

// keyInUse is what the database names now. Where it names none yet, it is the first key of this
// store, from then on. Without this question a wrong key would be found out by a call, whose
// options cannot be opened. An error of the kind invalid names the setting to change.
func (s *Store) keyInUse(ctx context.Context) (used usedKey, err error) {
	err = s.read.QueryRowContext(ctx, readCheck).Scan(&used.check)
	if errors.Is(err, sql.ErrNoRows) {
		ours := s.keys[0].Check()
		err = s.db.Write(ctx, func(tx sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, "insert into meta (name, value) values ('key_check', $1) on conflict (name) do nothing", ours)
			if err != nil {
				return err
			}
			// Another process may have been first.
			return tx.QueryRowContext(ctx, readCheck).Scan(&used.check)
		})
	}
	if err != nil {
		return used, sqldb.Error("check the secret key", err)
	}
	used.Key, err = s.keys.MadeCheck(used.check)
	return used, err
}

// errKeyChanged ends a write for which another key than the one in use was taken.
var errKeyChanged = errors.New("another secret key is in use meanwhile")

// sealing runs a write that seals, with the key in use. try seals before its transaction, which
// begins with [lockKey]; a write that comes upon a change of the key is tried again. try may run
// more than once, and changes nothing outside of its transaction.
func (s *Store) sealing(ctx context.Context, try func(usedKey) error) error {
	for {
		used, err := s.keyInUse(ctx)
		if err != nil {
			return err
		}
		if err := try(used); !errors.Is(err, errKeyChanged) {
			return err
		}
	}
}

// lockKey holds off a change of the key until the transaction ends; errKeyChanged: there was one.
// It is the first statement of each transaction that writes something sealed.
func lockKey(ctx context.Context, tx sqldb.Tx, used usedKey) error {
	if err := tx.Lock(ctx, keyLock); err != nil {
		return err
	}
	var check string
	if err := tx.QueryRowContext(ctx, readCheck).Scan(&check); err != nil {
		return err
	}
	if check != used.check {
		return errKeyChanged
	}
	return nil
}

// resealBatch is how many values are read and sealed at a time: each commit is short, so that calls
// do not wait for it.
const resealBatch = 50

// KeyChange counts what [Store.ChangeKey] has done in one table so far. Both grow with each batch.
type KeyChange struct {
	Table    string
	Values   int64 // that it has looked at
	Resealed int64 // of them, those that another key had sealed
}

// ChangeKey makes to, one of the store's keys, the key in use, and seals with it whatever another
// of its keys has sealed, while hosts go on. Before anything is written with to, allow is given the
// rows of all hosts, those that have died too, and refuses unless each that runs can read with it:
// a host whose row comes later finds to in use (see [Store.KeyInUse]). progress is called after
// each batch.
//
// A change that was interrupted goes on when it is made again. At the end everything is read once
// more; what does not open with to is returned, in words, and is not changed: it is damaged, or of
// a key that the store does not have.
func (s *Store) ChangeKey(ctx context.Context, to seal.Key, allow func([]store.Host) error, progress func(KeyChange)) (left []string, err error) {
	if err := s.useKey(ctx, to, allow); err != nil {
		return nil, sqldb.Error("change the secret key", err)
	}
	for _, column := range sealedColumns {
		if err := s.reseal(ctx, column, to, progress); err != nil {
			return nil, sqldb.Error("seal "+column.table+" anew", err)
		}
	}
	return s.NotSealedWith(ctx, to)
}

// useKey makes a key the one in use, if allow says so of the hosts that there are when it is. It is
// where a change begins: from the commit on, everything new is sealed with to.
func (s *Store) useKey(ctx context.Context, to seal.Key, allow func([]store.Host) error) error {
	check := to.Check()
	return s.sealing(ctx, func(used usedKey) error {
		if used.ID() == to.ID() {
			return nil
		}
		hosts, err := s.ListHosts(ctx)
		if err != nil {
			return err
		}
		// Outside of the transaction, as it asks hosts over the network.
		if err := allow(hosts); err != nil {
			return err
		}
		var asked []string
		for _, h := range hosts {
			asked = append(asked, h.ID)
		}
		return s.db.Write(ctx, func(tx sqldb.Tx) error {
			if err := lockKey(ctx, tx, used); err != nil {
				return err
			}
			hosts, err := listHosts(ctx, tx)
			if err != nil {
				return err
			}
			// A host that came while the others were asked may not have the key.
			for _, h := range hosts {
				if !slices.Contains(asked, h.ID) {
					return errKeyChanged // a host has come: asked about it, too
				}
			}
			_, err = tx.ExecContext(ctx, "update meta set value = $1 where name = 'key_check'", check)
			return err
		})
	})
}

// sealedColumn is a column whose values are sealed. Its rows are read in order of their id and
// number.
type sealedColumn struct {
	table, column string
	read          string // selects id, number and value of the rows after $1, $2, at most $3
	write         string // puts $1 in the place of $2 in the row $3, $4
	place         func(id string, number int64) seal.Place
}

// sealedColumns are all: a new one belongs here, or it would be lost with the key.
var sealedColumns = []sealedColumn{
	{
		table: "settings", column: "value",
		read:  "select name, 0, value from settings where name > $1 and $2 >= 0 order by name limit $3",
		write: "update settings set value = $1 where value = $2 and name = $3 and $4 >= 0",
		place: func(id string, _ int64) seal.Place { return settingPlace(id) },
	},
	{
		table: "integrations", column: "token_key",
		read:  "select id, 0, token_key from integrations where id > $1 and $2 >= 0 order by id limit $3",
		write: "update integrations set token_key = $1 where token_key = $2 and id = $3 and $4 >= 0",
		place: func(id string, _ int64) seal.Place { return tokenKeyPlace(id) },
	},
	{
		table: "integration_options", column: "options",
		read:  "select integration, revision, options from integration_options where integration > $1 or (integration = $1 and revision > $2) order by integration, revision limit $3",
		write: "update integration_options set options = $1 where options = $2 and integration = $3 and revision = $4",
		place: optionsPlace,
	},
}

// sealedValue is one value of a column.
type sealedValue struct {
	id     string
	number int64
	sealed []byte
}

// batch reads the values that follow one. It reads by the primary key, so that rows that are added
// meanwhile do not shift anything.
func (c sealedColumn) batch(ctx context.Context, q sqldb.Queryer, after sealedValue) (values []sealedValue, err error) {
	rows, err := q.QueryContext(ctx, c.read, after.id, after.number, int64(resealBatch))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var v sealedValue
		if err := rows.Scan(&v.id, &v.number, &v.sealed); err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, rows.Err()
}

// reseal seals the values of a column that another key has sealed. A value that does not open stays
// as it is. One that a host has written meanwhile stays too: it was sealed with the key in use. The
// old value is in the condition of the statement, so no newer one is overwritten.
func (s *Store) reseal(ctx context.Context, c sealedColumn, to seal.Key, progress func(KeyChange)) error {
	done := KeyChange{Table: c.table}
	var last sealedValue
	for {
		values, err := c.batch(ctx, s.read, last)
		if err != nil {
			return err
		}
		if len(values) == 0 {
			return nil
		}
		// Sealed before the transaction: it costs more than writing.
		anew := make([][]byte, len(values)) // nil: stays
		for i, v := range values {
			if seal.IDOf(v.sealed) == to.ID() {
				continue
			}
			plain, err := s.keys.Open(c.place(v.id, v.number), v.sealed)
			if err != nil {
				continue
			}
			if anew[i], err = to.Seal(c.place(v.id, v.number), plain); err != nil {
				return err
			}
		}
		var changed int64
		err = s.db.Write(ctx, func(tx sqldb.Tx) error {
			changed = 0
			for i, v := range values {
				if anew[i] == nil {
					continue
				}
				if _, err := tx.ExecContext(ctx, c.write, anew[i], v.sealed, v.id, v.number); err != nil {
					return err
				}
				changed++
			}
			return nil
		})
		if err != nil {
			return err
		}
		last = values[len(values)-1]
		done.Values, done.Resealed = done.Values+int64(len(values)), done.Resealed+changed
		progress(done)
	}
}

// NotSealedWith reads all sealed values and says of each that does not open with a key where it is,
// and why. It holds one batch in memory. None: the old key is needed for nothing any more.
func (s *Store) NotSealedWith(ctx context.Context, key seal.Key) (left []string, err error) {
	for _, c := range sealedColumns {
		var last sealedValue
		for {
			values, err := c.batch(ctx, s.read, last)
			if err != nil {
				return nil, sqldb.Error("read "+c.table, err)
			}
			if len(values) == 0 {
				break
			}
			for _, v := range values {
				at := c.place(v.id, v.number)
				if id := seal.IDOf(v.sealed); id != "" && id != key.ID() {
					left = append(left, at.String()+" is sealed with the key "+id)
				} else if _, err := key.Open(at, v.sealed); err != nil {
					left = append(left, at.String()+" is damaged")
				}
			}
			last = values[len(values)-1]
		}
	}
	return left, nil
}

// SealedWith says, of a database that nobody need have a key of, which key is in use, and the ids
// of all with which values are sealed. A database without tables of a store has none. It opens
// nothing: the id of its key stands in front of each sealed value.
func SealedWith(ctx context.Context, q sqldb.Queryer) (inUse string, ids []string, err error) {
	var check string
	if err := q.QueryRowContext(ctx, readCheck).Scan(&check); err != nil {
		return "", nil, sqldb.Error("read which secret key is in use", err)
	}
	sealed, err := base64.StdEncoding.DecodeString(check)
	if err != nil {
		return "", nil, sqldb.Error("read which secret key is in use", err)
	}
	for _, c := range sealedColumns {
		var last sealedValue
		for {
			values, err := c.batch(ctx, q, last)
			if err != nil {
				return "", nil, sqldb.Error("read "+c.table, err)
			}
			if len(values) == 0 {
				break
			}
			for _, v := range values {
				if id := seal.IDOf(v.sealed); !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
			last = values[len(values)-1]
		}
	}
	return seal.IDOf(sealed), ids, nil
}
