package sqldb

import (
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// A page that a connection keeps is 4 KiB and a head of 272 bytes. The driver's allocator knows
// powers of two alone, so that each would take 8 KiB.
const (
	pageSlot  = 4096 + 320
	pageSlots = writerCache << 10 / 4096
)

// It gives SQLite memory for as many pages as the connection that writes may keep, and all
// connections of the process share it: when it is full, the page that was used longest ago makes
// room, whichever connection kept it, and SQLite allocates more only where all pages are in use.
// That has to come before the process opens a database: later, SQLite refuses.
func init() {
	tls := libc.NewTLS()
	defer tls.Close()
	memory := libc.Xmalloc(tls, pageSlot*pageSlots)
	list := libc.Xmalloc(tls, 3*8) // for three arguments
	defer libc.Xfree(tls, list)
	if sqlite3.Xsqlite3_config(tls, sqlite3.SQLITE_CONFIG_PAGECACHE, libc.VaList(list, memory, int32(pageSlot), int32(pageSlots))) != sqlite3.SQLITE_OK {
		libc.Xfree(tls, memory)
	}
}
