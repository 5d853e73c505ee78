//go:build unix

package sqldb_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// limitedDir names, in a process of its own, the folder of the test below.
const limitedDir = "SQLDB_TEST_LIMITED_DIR"

// A disk on which a row still fits into the space that the database has, but nothing else does,
// counts as full. A limit on the size of files stands for it, which holds for a whole process:
// hence a process of its own.
func TestAFullDiskHasNoRoomThoughARowCanBeWritten(t *testing.T) {
	if dir := os.Getenv(limitedDir); dir != "" {
		onALimitedDisk(t, dir)
		return
	}
	t.Parallel()
	db := openNotes(t)
	if err := db.CheckRoom(); err != nil {
		t.Errorf("a disk with room: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(db.Name()), ".room*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v") //nolint:gosec // this program itself
	child.Env = append(os.Environ(), limitedDir+"="+t.TempDir())
	if out, err := child.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- ") {
		t.Errorf("with a limit: %v\n%s", err, out)
	}
}

func onALimitedDisk(t *testing.T, dir string) {
	db := open(t, filepath.Join(dir, "notes.db"))
	if err := db.Migrate(ctx, "notes", tables); err != nil {
		t.Fatal(err)
	}
	limit := syscall.Rlimit{Cur: 512 << 10, Max: 512 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Skipf("no limit can be set: %v", err)
	}
	if err := add(db, "a", 1); err != nil {
		t.Errorf("a row: %v", err)
	}
	err := db.CheckRoom()
	if integration.KindOf(err) != integration.KindUnavailable || !strings.Contains(err.Error(), dir) {
		t.Errorf("the full disk: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".room*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
