package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

func TestWritesOfManyCallersShareCommits(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	refused := errors.New("refused")
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			err := db.Write(ctx, func(tx sqldb.Tx) error {
				if _, err := tx.ExecContext(ctx, "insert into notes (name, value) values ($1, $2)", fmt.Sprint(i), i); err != nil {
					return err
				}
				if i%3 == 0 {
					return refused
				}
				return nil
			})
			if want := i%3 == 0; errors.Is(err, refused) != want || (err != nil) != want {
				t.Errorf("write %d: %v", i, err)
			}
		}()
	}
	wg.Wait()
	if n := count(t, db); n != 133 {
		t.Errorf("%d rows, want the 133 of writes that were not refused", n)
	}
	if err := add(db, "1", 0); integration.KindOf(err) != integration.KindInternal {
		t.Errorf("a doubled key: %v", err)
	}
}

func TestACancelledWriteLeavesTheOthersAlone(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	inside, goOn := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	firstCtx, cancelFirst := context.WithCancel(ctx)
	go func() {
		first <- db.Write(firstCtx, func(tx sqldb.Tx) error {
			close(inside)
			<-goOn
			_, err := tx.ExecContext(firstCtx, "insert into notes (name, value) values ('first', 1)")
			return err
		})
	}()
	<-inside
	// Nobody can take its turn: it must be told off without having run.
	waiting, cancelWaiting := context.WithCancel(ctx)
	second := make(chan error, 1)
	go func() {
		second <- db.Write(waiting, func(sqldb.Tx) error {
			t.Error("a cancelled write has run")
			return nil
		})
	}()
	cancelWaiting()
	if err := <-second; integration.KindOf(err) != integration.KindDeadline || !errors.Is(err, context.Canceled) {
		t.Errorf("the waiting write: %v", err)
	}
	cancelFirst() // in the middle of its function: too late to matter
	close(goOn)
	if err := <-first; err != nil {
		t.Errorf("the write that had begun: %v", err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

// endsLater is a context that ends after it was looked at once, unnoticed by who waits for Done.
type endsLater struct {
	context.Context
	looks atomic.Int32
}

func (c *endsLater) Done() <-chan struct{} { return nil }

func (c *endsLater) Err() error {
	if c.looks.Add(1) == 1 {
		return nil
	}
	return context.Canceled
}

func TestAWriteWhoseContextEndsBeforeItsTurnDoesNotRun(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	err := db.Write(&endsLater{Context: ctx}, func(sqldb.Tx) error {
		t.Error("it has run")
		return nil
	})
	if integration.KindOf(err) != integration.KindDeadline {
		t.Errorf("it was told %v", err)
	}
	if err := add(db, "next", 1); err != nil {
		t.Error(err)
	}
}

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	limit := func(pages int) {
		t.Helper()
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			var n int
			return tx.QueryRowContext(ctx, fmt.Sprintf("pragma max_page_count = %d", pages)).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit(20) // as SQLite sees it, the same as a full disk
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "insert into notes (name, value) values (hex(randomblob(100000)), 1)")
		return err
	})
	if integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("a write that does not fit: %v", err)
	}
	if err := add(db, "small", 1); err != nil {
		t.Errorf("a write that fits: %v", err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestAPanicStaysWithItsCaller(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	func() {
		defer func() {
			if v := recover(); v != "oh" {
				t.Errorf("recovered %v", v)
			}
		}()
		_ = db.Write(ctx, func(tx sqldb.Tx) error {
			_, _ = tx.ExecContext(ctx, "insert into notes (name, value) values ('lost', 1)")
			panic("oh")
		})
	}()
	if err := add(db, "after", 1); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestWhatALostTransactionHeldIsWrittenAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openNotes(t)
		first, second, third := make(chan error, 1), make(chan error, 1), make(chan error, 1)
		goOn := make(chan struct{})
		go func() {
			first <- db.Write(ctx, func(tx sqldb.Tx) error {
				<-goOn
				_, err := tx.ExecContext(ctx, "insert into notes (name, value) values ('one', 1)")
				return err
			})
		}()
		synctest.Wait() // the first is inside its function, so whoever comes now shares its commit
		go func() {
			second <- db.Write(ctx, func(tx sqldb.Tx) error {
				// What SQLite does by itself when the disk is full.
				if _, err := tx.ExecContext(ctx, "rollback"); err != nil {
					t.Error(err)
				}
				return errors.New("disk full")
			})
		}()
		synctest.Wait()
		go func() { third <- add(db, "three", 3) }()
		synctest.Wait()
		close(goOn)
		if err := <-first; err != nil {
			t.Errorf("the write whose transaction was lost: %v", err)
		}
		if err := <-second; err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("the write that lost it: %v", err)
		}
		if err := <-third; err != nil {
			t.Errorf("the write that came too late for it: %v", err)
		}
		if n := count(t, db); n != 2 {
			t.Errorf("%d rows, want the first's and the third's", n)
		}
	})
}

// A full disk makes SQLite undo the whole transaction. Whoever goes on all the same must not have
// the writes after it stored one by one, of which their callers hear that nothing was written.
func TestAWriteThatIgnoresAFullDiskSpoilsNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openNotes(t)
		goOn := make(chan struct{})
		told := map[string]chan error{}
		write := func(name string, f func(tx sqldb.Tx)) {
			told[name] = make(chan error, 1)
			go func() {
				told[name] <- db.Write(ctx, func(tx sqldb.Tx) error {
					f(tx)
					_, _ = tx.ExecContext(ctx, "insert into notes (name, value) values ($1, 1)", name)
					return nil
				})
			}()
			synctest.Wait()
		}
		write("before", func(sqldb.Tx) { <-goOn })
		write("ignoring", func(tx sqldb.Tx) {
			var n int
			if err := tx.QueryRowContext(ctx, "pragma max_page_count = 20").Scan(&n); err != nil {
				t.Error(err)
			}
			if _, err := tx.ExecContext(ctx, "insert into notes (name, value) values (hex(randomblob(100000)), 1)"); err == nil {
				t.Error("it fits")
			}
		})
		write("after", func(sqldb.Tx) {})
		close(goOn)
		for name, result := range told {
			var n int
			err := <-result
			if err := db.Read().QueryRowContext(ctx, "select count(*) from notes where name = $1", name).Scan(&n); err != nil {
				t.Error(err)
			}
			if n == 1 != (err == nil) {
				t.Errorf("%s: %d rows, and its caller hears %v", name, n, err)
			}
		}
	})
}

func TestTogetherIsOneCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openNotes(t)
		goOn := make(chan struct{})
		done := make(chan error, 11)
		go func() {
			done <- db.Write(ctx, func(sqldb.Tx) error { <-goOn; return nil })
		}()
		synctest.Wait()
		for i := range 10 {
			go func() {
				done <- db.Write(ctx, func(tx sqldb.Tx) error {
					if n := count(t, db); n != 0 {
						t.Errorf("another reader sees %d rows in the middle of a commit", n)
					}
					_, err := tx.ExecContext(ctx, "insert into notes (name, value) values ($1, 0)", fmt.Sprint(i))
					return err
				})
			}()
		}
		synctest.Wait()
		close(goOn)
		for range 11 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if n := count(t, db); n != 10 {
			t.Errorf("%d rows, want 10", n)
		}
	})
}

// A commit is shared by at most 256 writes, so that the first of them does not wait for a queue
// without end.
func TestTogetherIsBounded(t *testing.T) {
	t.Parallel()
	const most, extra = 256, 44
	synctest.Test(t, func(t *testing.T) {
		db := openNotes(t)
		goOn := make(chan struct{})
		done := make(chan error, most+extra)
		seen := make(chan int, most+extra) // rows committed before a write runs
		write := func(i int, wait <-chan struct{}) {
			done <- db.Write(ctx, func(tx sqldb.Tx) error {
				if wait != nil {
					<-wait
				}
				seen <- count(t, db)
				_, err := tx.ExecContext(ctx, "insert into notes (name, value) values ($1, 0)", fmt.Sprint(i))
				return err
			})
		}
		go write(0, goOn)
		synctest.Wait()
		for i := range most + extra - 1 {
			go write(i+1, nil)
		}
		synctest.Wait()
		close(goOn)
		got := map[int]int{}
		for range most + extra {
			if err := <-done; err != nil {
				t.Error(err)
			}
			got[<-seen]++
		}
		if got[0] != most || got[most] != extra {
			t.Errorf("writes by the rows they found committed: %v, want %d that found none and %d that found %d", got, most, extra, most)
		}
	})
}

func TestTwoOpenDatabasesOfOneFileWriteInTurn(t *testing.T) {
	t.Parallel()
	a := openNotes(t)
	b := open(t, a.Name())
	if err := add(a, "n", 0); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, db := range []*sqldb.DB{a, b} {
		for range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 25 {
					err := db.Write(ctx, func(tx sqldb.Tx) error {
						var n int
						if err := tx.QueryRowContext(ctx, "select value from notes where name = 'n'").Scan(&n); err != nil {
							return err
						}
						_, err := tx.ExecContext(ctx, "update notes set value = $1 where name = 'n'", n+1)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			}()
		}
	}
	wg.Wait()
	var n int
	if err := a.Read().QueryRowContext(ctx, "select value from notes").Scan(&n); err != nil || n != 200 {
		t.Errorf("counted %d, want 200 (%v)", n, err)
	}
}
