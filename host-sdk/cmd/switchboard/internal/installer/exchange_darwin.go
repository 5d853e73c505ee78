package installer

import "golang.org/x/sys/unix"

// exchange has two paths change places at once. Not every file system can.
func exchange(a, b string) error { return unix.RenamexNp(a, b, unix.RENAME_SWAP) }
