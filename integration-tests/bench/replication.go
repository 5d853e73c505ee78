package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing/fstest"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// writersOfReplication is how many commit at a time.
const writersOfReplication = 4

var keptTable = fstest.MapFS{"00001_kept.sql": {Data: []byte("-- +goose Up\ncreate table kept (n bigint not null primary key);\n")}}

// replication measures what a standby costs each commit, and what a fail-over to it loses: values
// whose writers were told that they are written, and that the promoted standby does not have.
func replication(ctx context.Context, span time.Duration, trials int) error {
	fmt.Printf("commits of %d writers, for %s, until the primary is killed and its standby promoted; %d trials\n", writersOfReplication, span, trials)
	for _, how := range []struct {
		name                 string
		standby, synchronous bool
	}{{name: "no standby"}, {"asynchronous", true, false}, {"synchronous", true, true}} {
		for range trials {
			t := replicated{}
			if err := t.run(ctx, span, how.standby, how.synchronous); err != nil {
				return fmt.Errorf("%s: %w", how.name, err)
			}
			fmt.Printf("  %-14s %s", how.name, t.commits.result())
			if how.standby {
				fmt.Printf("   lost %d of %d commits", t.lost, t.told.Load())
			}
			fmt.Println()
			if how.synchronous && t.lost > 0 {
				return fmt.Errorf("with synchronous replication %d commits were lost", t.lost)
			}
		}
	}
	return nil
}

// replicated is one trial.
type replicated struct {
	commits    sample
	next, told atomic.Int64
	lost       int64
}

func (t *replicated) run(ctx context.Context, span time.Duration, standby, synchronous bool) (err error) {
	primary, err := newServer(ctx)
	if err != nil {
		return err
	}
	defer primary.stop()
	url := primary.URL("postgres")
	var copied *server
	if standby {
		dir := filepath.Join(primary.dir, "standby")
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		s, err := primary.Standby(ctx, dir, "max_connections=200")
		if err != nil {
			return err
		}
		copied = &server{Server: s}
		defer copied.Kill()
		url = fmt.Sprintf("postgres://livecall@%s,%s/postgres?target_session_attrs=read-write", primary.Addr(), copied.Addr())
	}
	if synchronous {
		if err := primary.Synchronous(ctx); err != nil {
			return err
		}
	}
	db, err := sqldb.Open(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Migrate(ctx, "kept", keptTable); err != nil {
		return err
	}
	warm(writersOfReplication, func() error { return t.write(ctx, db, nil) })
	t.commits.measure(writersOfReplication, span, func() error { return t.write(ctx, db, nil) })
	if copied == nil {
		return nil
	}
	return t.failOver(ctx, db, primary, copied)
}

// write commits one value, which it puts into told once that is certain.
func (t *replicated) write(ctx context.Context, db *sqldb.DB, told *sync.Map) error {
	n := t.next.Add(1)
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "insert into kept (n) values ($1)", n)
		return err
	})
	if err == nil && told != nil {
		told.Store(n, true)
		t.told.Add(1)
	}
	return err
}

// failOver kills the primary while the writers are at work.
func (t *replicated) failOver(ctx context.Context, db *sqldb.DB, primary, standby *server) error {
	var told sync.Map
	var writers sync.WaitGroup
	var dead atomic.Bool
	for range writersOfReplication {
		writers.Go(func() {
			for !dead.Load() {
				_ = t.write(ctx, db, &told) // what fails is not told
			}
		})
	}
	time.Sleep(time.Second) // commits are under way
	primary.Kill()
	dead.Store(true)
	if err := standby.Promote(ctx); err != nil {
		return err
	}
	writers.Wait()
	there := map[int64]bool{}
	rows, err := db.Read().QueryContext(ctx, "select n from kept")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return err
		}
		there[n] = true
	}
	told.Range(func(n, _ any) bool {
		if !there[n.(int64)] {
			t.lost++
		}
		return true
	})
	return rows.Err()
}
