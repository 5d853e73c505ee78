package sqldb

import (
	"os"
	"path/filepath"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// roomBytes is the space that [DB.CheckRoom] asks for: a voicemail message of some minutes.
const roomBytes = 1 << 20

// checkRoom implements base. The file is written and removed again; a quota of the user shows as
// well.
func (l *lite) checkRoom() error {
	dir := filepath.Dir(l.path)
	problem := func(err error) error {
		return integration.Errorf(integration.KindUnavailable, "database %s: the folder %s cannot take another MiB; free space on its disk: %w", l.path, dir, err)
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
