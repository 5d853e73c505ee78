//go:build linux || darwin

package doctor

import "golang.org/x/sys/unix"

// free is how many bytes this user can still write to the disk of a folder. Blocks that are kept
// for root are not among them.
func free(dir string) (bytes uint64, known bool) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0, false
	}
	return st.Bavail * uint64(st.Bsize), true //nolint:gosec,unconvert // its type differs between systems; never negative
}
