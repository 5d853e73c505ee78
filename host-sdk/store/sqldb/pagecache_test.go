package sqldb_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// A slot too small for a page, or a setting that came too late, would be passed over silently.
func TestPagesAreKeptInTheirSlots(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	before := usedSlots(t)
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		for i := range 100 {
			if _, err := tx.ExecContext(ctx, "insert into notes (name, value) values ($1, 1)", fmt.Sprintf("%04d%4000d", i, 0)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if after := usedSlots(t); after < before+50 {
		t.Errorf("%d slots are in use after 400 kB were written, and were %d before", after, before)
	}
}

// usedSlots is SQLITE_STATUS_PAGECACHE_USED, of all databases of the process.
func usedSlots(t *testing.T) uint32 {
	t.Helper()
	tls := libc.NewTLS()
	defer tls.Close()
	values := libc.Xcalloc(tls, 2, 4)
	defer libc.Xfree(tls, values)
	if rc := sqlite3.Xsqlite3_status(tls, sqlite3.SQLITE_STATUS_PAGECACHE_USED, values, values+4, 0); rc != sqlite3.SQLITE_OK {
		t.Fatalf("sqlite3_status: %d", rc)
	}
	return binary.NativeEndian.Uint32(libc.GoBytes(values, 4))
}
