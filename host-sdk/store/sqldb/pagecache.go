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

// It gives SQLite memory for as many pages as the connection that writes keeps; what does not fit
// in is allocated as before. That has to come before the process opens a database: later, SQLite
// refuses. Until then none of this memory is used.
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
