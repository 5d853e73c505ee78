//go:build unix

package sqldb_test

import (
	"path/filepath"
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
