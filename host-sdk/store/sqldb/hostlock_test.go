package sqldb_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/sharing"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// hostLock is a host's lock, and how to end the host.
type hostLock struct {
	*sharing.HostLock
	die func()
}

func startLock(t *testing.T, db *sqldb.DB, id string, log *slog.Logger) hostLock {
	t.Helper()
	l, err := sharing.NewHostLock(db, id, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	h := hostLock{l, func() { cancel(); <-done }}
	t.Cleanup(h.die)
	return h
}

// waits until a condition holds.
func waits(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not so after a minute", what)
		}
	}
}

func claiming(t *testing.T, l *sharing.HostLock) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	term, err := l.Claiming(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return term
}

func without(t *testing.T, db *sqldb.DB, ids ...string) []string {
	t.Helper()
	out, err := sharing.HostsWithoutLock(t.Context(), db, ids)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// free takes the lock of a host for a transaction, in which it does something.
func free(t *testing.T, db *sqldb.DB, id string, meanwhile func()) (was bool) {
	t.Helper()
	err := db.Write(t.Context(), func(tx sqldb.Tx) (err error) {
		was, err = sharing.LockDeadHost(t.Context(), db, tx, id)
		if meanwhile != nil {
			meanwhile()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return was
}

// A host holds its lock for as long as it lives; of others, one at a time may take over what it has
// left.
func TestAHostsLockIsFreeWhenItIsDead(t *testing.T) {
	t.Parallel()
	db := openServer(t)
	discard := slog.New(slog.DiscardHandler)
	one := startLock(t, db, "one", discard)
	startLock(t, openURL(t, "postgres://"+db.Name()), "two", discard)
	waits(t, "both hold their locks", func() bool { return len(without(t, db, "one", "two")) == 0 })
	if got := without(t, db, "one", "three", "two"); !slices.Equal(got, []string{"three"}) {
		t.Errorf("without a lock: %v, want the one that never ran", got)
	}
	if free(t, db, "one", nil) {
		t.Error("a host that lives was taken for dead")
	}
	one.die()
	waits(t, "the first is seen to be dead", func() bool { return slices.Equal(without(t, db, "one", "two"), []string{"one"}) })
	var both bool
	if !free(t, db, "one", func() { both = free(t, db, "one", nil) }) || both {
		t.Errorf("a dead host was taken over by nobody, or by two at a time (%v)", both)
	}
	if free(t, db, "two", nil) {
		t.Error("the other host was taken for dead")
	}
}

// A host whose connection is cut takes its lock again, and works on. One that cannot gives up its
// work before others may take it over, and begins anew when the server is back.
func TestAHostThatCannotTakeItsLockAgainGivesUpItsWork(t *testing.T) {
	t.Parallel()
	postgres.Database(t) // says if PostgreSQL is missing
	server, err := postgres.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	db := openURL(t, server.URL("postgres"))
	l := startLock(t, db, "one", slog.New(slog.DiscardHandler))
	term := claiming(t, l.HostLock)
	const cut = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
	if err := server.Exec(t.Context(), "postgres", cut); err != nil {
		t.Fatal(err)
	}
	<-l.Taken() // the first time
	waits(t, "it holds its lock again", func() bool {
		select {
		case <-l.Taken():
			return true
		default:
			return false
		}
	})
	if !l.Held() || len(without(t, db, "one")) != 0 {
		t.Error("after a cut it does not hold its lock")
	}
	server.Kill()
	select {
	case <-term.Done():
	case <-time.After(time.Minute):
		t.Fatal("it goes on without its lock")
	}
	if err := context.Cause(term); !errors.Is(err, sharing.ErrTakenOver) || l.Held() {
		t.Errorf("its term ended with %v; it holds its lock: %v", err, l.Held())
	}
	waiting, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := l.Claiming(waiting); err == nil {
		t.Error("without its lock it may claim")
	}
	l.Unheld()
	if next := claiming(t, l.HostLock); next.Err() != nil {
		t.Error("others were told that it holds no lock, and it may not claim")
	}
	if err := server.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	waits(t, "it holds its lock again", l.Held)
	if next := claiming(t, l.HostLock); next.Err() != nil || next == term {
		t.Error("with its lock it may not claim")
	}
}

// pooled is the address of a listener that hands connections on to a database's server as a pooler
// does: it gives its clients numbers of its own.
func pooled(t *testing.T, db *sqldb.DB) string {
	t.Helper()
	user, rest, _ := strings.Cut(db.Name(), "@")
	server, database, _ := strings.Cut(rest, "/")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			behind, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() { _, _ = io.Copy(behind, client); _ = behind.Close() }()
			go func() { _, _ = io.Copy(renumbered{client}, behind); _ = client.Close() }()
		}
	}()
	return "postgres://" + user + "@" + l.Addr().String() + "/" + database
}

// renumbered changes the number of the server's process in the message that names it (PostgreSQL
// documentation: Message Formats, BackendKeyData).
type renumbered struct{ io.Writer }

func (r renumbered) Write(b []byte) (int, error) {
	if i := bytes.Index(b, []byte{'K', 0, 0, 0, 12}); i >= 0 && i+9 <= len(b) {
		b = bytes.Clone(b)
		b[i+8] ^= 1
	}
	return r.Writer.Write(b)
}

// Behind a pooler nobody can hold a lock: the host says so, and works without once the others know.
func TestAHostBehindAPoolerWorksWithoutALock(t *testing.T) {
	t.Parallel()
	db := openServer(t)
	var log testlog.Buffer
	l := startLock(t, openURL(t, pooled(t, db)), "one", slog.New(slog.NewTextHandler(&log, nil)))
	waits(t, "a line in the log", func() bool { return strings.Contains(log.String(), "SWITCHBOARD_DATABASE_DIRECT_URL") })
	if l.Held() {
		t.Error("it holds a lock on a connection of others")
	}
	l.Unheld()
	claiming(t, l.HostLock)
}
