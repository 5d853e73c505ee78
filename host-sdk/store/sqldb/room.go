package sqldb

import (
	"os"
	"path/filepath"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// roomBytes is the space that [DB.CheckRoom] asks for: a voicemail message of some minutes.
const roomBytes = 1 << 20

// CheckRoom is nil when the disk of the database has room for another MiB, which it finds out by
// writing that much into a file beside the database. A write of one row does not tell: it reuses
// space that the database has already, also on a full disk. Otherwise the error is unavailable.
func (db *DB) CheckRoom() error {
	dir := filepath.Dir(db.path)
	problem := func(err error) error {
		return integration.Errorf(integration.KindUnavailable, "database %s: the folder %s cannot take another MiB; free space on its disk: %w", db.path, dir, err)
	}
	f, err := os.CreateTemp(dir, ".room-*")
	if err != nil {
		return problem(err)
	}
	_, err = f.Write(make([]byte, roomBytes))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if rerr := os.Remove(f.Name()); err == nil {
		err = rerr
	}
	if err != nil {
		return problem(err)
	}
	return nil
}
