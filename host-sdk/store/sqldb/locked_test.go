package sqldb

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// lock locks a database as another program would; the result unlocks it.
func lock(t *testing.T, path, how string) (unlock func()) {
	t.Helper()
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	other.SetMaxOpenConns(1)
	for _, statement := range []string{how, "begin exclusive", "create table if not exists theirs (n)"} {
		if _, err := other.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		_, err := other.ExecContext(context.Background(), "commit")
		if err := errors.Join(err, other.Close()); err != nil {
			t.Error(err)
		}
	}
}

// ways are how another program may hold a database: one as it is kept here, and one of its own
// kind.
var ways = map[string]string{"with a log": "pragma journal_mode = wal", "with a journal": "pragma journal_mode = delete"}

// Not parallel: it looks at the default logger.
func TestADatabaseThatAnotherProgramHasLockedIsWaitedFor(t *testing.T) {
	var log testlog.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	for name, how := range ways {
		path := filepath.Join(t.TempDir(), name+".db")
		unlock := lock(t, path, how)
		opened := make(chan error, 1)
		go func() {
			db, err := open(t.Context(), "sqlite:"+path, patience{busy: 10 * time.Millisecond, start: time.Minute})
			if err == nil {
				err = db.Close()
			}
			opened <- err
		}()
		for !strings.Contains(log.String(), name+".db") {
			select {
			case err := <-opened:
				t.Fatalf("%s: not waited for: %v", name, err)
			case <-time.After(time.Millisecond):
			}
		}
		unlock()
		if err := <-opened; err != nil {
			t.Errorf("%s: once it is free: %v", name, err)
		}
	}
}

// Not parallel: it sets the default logger.
func TestADatabaseThatStaysLockedIsGivenUpWithTheReason(t *testing.T) {
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil)))
	defer slog.SetDefault(before)
	for name, how := range ways {
		path := filepath.Join(t.TempDir(), "x.db")
		unlock := lock(t, path, how)
		db, err := open(t.Context(), "sqlite:"+path, patience{busy: 10 * time.Millisecond})
		if err == nil {
			_ = db.Close()
		}
		if integration.KindOf(err) != integration.KindUnavailable || !strings.Contains(err.Error(), "end that program") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		unlock()
	}
}
