//go:build unix

package access

import (
	"io/fs"
	"syscall"
)

// ids are the owner and the group of a file.
func ids(info fs.FileInfo) (uid, gid int, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(st.Uid), int(st.Gid), true
}
