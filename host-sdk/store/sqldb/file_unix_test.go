//go:build unix

package sqldb_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

func TestOnlyARegularFileIsADatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(ctx, "sqlite:"+path)
	if err == nil {
		_ = db.Close()
	}
	if integration.KindOf(err) != integration.KindInvalid {
		t.Errorf("opening a pipe: %v, want kind %s", err, integration.KindInvalid)
	}
}

// The test replaces the default logger, so it does not run beside others.
func TestAFolderThatOthersCanWriteToIsReported(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	for _, c := range []struct {
		mode     os.FileMode
		reported bool
	}{{0o700, false}, {0o755, false}, {0o777, true}, {0o720, true}, {0o777 | os.ModeSticky, false}} {
		dir := t.TempDir()
		if err := os.Chmod(dir, c.mode); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		db, err := sqldb.Open(ctx, "sqlite:"+filepath.Join(dir, "x.db"))
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if got := strings.Contains(log.String(), "writable for other users"); got != c.reported {
			t.Errorf("folder of mode %v: reported %v, want %v\n%s", c.mode, got, c.reported, &log)
		}
	}
}
