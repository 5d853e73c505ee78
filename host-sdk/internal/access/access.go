// Package access tells whether other users of the machine could read or change a file.
//
//	access.go   the rules
//	unix.go     owners and modes where there are some
//	other.go    elsewhere nothing is known, and nothing refused
package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/internal/shellword"
)

// maxLinks bounds symbolic links on the way to a file, as systems do.
const maxLinks = 40

// Way refuses a path of which somebody else than this user and root could exchange a part: each
// folder and symbolic link on the way from the root must belong to one of the two, and no folder
// may be writable for others, unless it is sticky, as /tmp is: there nobody can exchange what
// belongs to this user. A folder that is writable for a group is accepted if the group is root's or
// this process's own. Errors name the path, its mode and owner, and the remedy. Where the path
// itself does not exist, the error is fs.ErrNotExist.
func Way(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	links := 0
	return way(abs, &links)
}

// way walks an absolute path from the root. A symbolic link begins a new walk at its target, as
// each part of that could be exchanged as well; links counts them over all walks.
func way(path string, links *int) error {
	at := filepath.VolumeName(path) + string(filepath.Separator)
	rest := strings.Split(strings.TrimPrefix(filepath.Clean(path), at), string(filepath.Separator))
	if err := checkFolder(at); err != nil {
		return err
	}
	for i, part := range rest {
		if part == "" {
			continue
		}
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			// Whoever owns a link may point it elsewhere at any moment. Its mode says nothing.
			if err := Owner(at, info); err != nil {
				return err
			}
			if *links++; *links > maxLinks {
				return fmt.Errorf("%s: too many symbolic links", path)
			}
			target, err := os.Readlink(at)
			if err != nil {
				return err
			}
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(at), target)
			}
			return way(filepath.Join(append([]string{target}, rest[i+1:]...)...), links)
		}
		if info.IsDir() {
			if err := folder(at, info); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkFolder is folder for the root of the file system, which is no part of the path's rest.
func checkFolder(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	return folder(path, info)
}

// folder applies the rules of Way to one folder.
func folder(path string, info fs.FileInfo) error {
	if err := Owner(path, info); err != nil {
		return err
	}
	mode := info.Mode()
	_, gid, known := ids(info)
	if !known || mode&fs.ModeSticky != 0 {
		return nil
	}
	if mode.Perm()&0o002 != 0 {
		return fmt.Errorf("%s is writable for others (mode %04o): chmod o-w %s", path, mode.Perm(), shellword.Path(path))
	}
	// Others in this process's own group are trusted: systems give each user a group, and
	// administrators share one on purpose.
	if mode.Perm()&0o020 != 0 && gid != 0 && gid != os.Getegid() {
		return fmt.Errorf("%s is writable for group %d (mode %04o): chmod g-w %s", path, gid, mode.Perm(), shellword.Path(path))
	}
	return nil
}

// Owner refuses what belongs neither to this user nor to root.
func Owner(path string, info fs.FileInfo) error {
	uid, _, known := ids(info)
	if !known || uid == 0 || uid == os.Geteuid() {
		return nil
	}
	return fmt.Errorf("%s belongs to user %d, neither to root nor to this user (%d) (mode %04o): chown %d %s", path, uid, os.Geteuid(), info.Mode().Perm(), os.Geteuid(), shellword.Path(path))
}

// Unwritable refuses a file or folder that belongs to somebody else or that others may change. It
// is stricter than Way, for what is itself run or believed: here no group is trusted.
func Unwritable(path string, info fs.FileInfo) error {
	if err := Owner(path, info); err != nil {
		return err
	}
	if _, _, known := ids(info); known && info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is writable for group or others (mode %04o): chmod go-w %s", path, info.Mode().Perm(), shellword.Path(path))
	}
	return nil
}

// Secret refuses a file with a secret that others may read or change. Unlike a folder, a secret may
// not even be read by others: it is known to them from then on.
func Secret(path string, info fs.FileInfo) error {
	if err := Owner(path, info); err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New(path + " is not a regular file")
	}
	if _, _, known := ids(info); known && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is open to group or others (mode %04o), who may have read or changed it: chmod 600 %s, and replace the secret if you do not trust them", path, info.Mode().Perm(), shellword.Path(path))
	}
	return nil
}
