package process

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// connections bounds how many connections are open at a time. Beyond the limit the one that has
// waited longest for a request is closed, so that somebody who opens thousands and says nothing
// keeps nobody else out; only if all are being answered is the new one closed. It is the ConnState
// of a server. Its lock is held for a moment with each change of a connection.
type connections struct {
	limit int
	// It runs under the lock.
	hit func() // called when the limit closes a connection; it must not wait

	mu      sync.Mutex
	open    map[net.Conn]struct{}
	waiting map[net.Conn]time.Time // those of open without a request, and since when
}

// NewConnections allows limit connections.
func NewConnections(limit int, hit func()) *connections {
	return &connections{limit: limit, hit: hit, open: map[net.Conn]struct{}{}, waiting: map[net.Conn]time.Time{}}
}

// otherFiles is how many files and connections a host opens beside those of its server: the
// database's, those of the plugins, to mail servers and platforms.
const otherFiles = 300

// Allowed is how many connections the server may have where the process may open so many files.
// Beyond them accepting fails, for callers as for those who say nothing. wanted is the setting.
func Allowed(wanted, openFiles int, log *slog.Logger) int {
	room := max(openFiles-otherFiles, openFiles/2)
	if wanted <= room {
		return wanted
	}
	log.Warn("the system lets this process open too few files for all connections: raise the limit (ulimit -n, LimitNOFILE=), or set SWITCHBOARD_MAX_CONNECTIONS lower",
		"wanted", wanted, "open_files", openFiles, "allowed", room)
	return room
}

// Note follows a connection; see http.Server.ConnState.
func (c *connections) Note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if len(c.open) >= c.limit {
			c.hit()
			if !c.closeOne() {
				_ = conn.Close()
				return
			}
		}
		c.open[conn], c.waiting[conn] = struct{}{}, time.Now()
	// A connection that is being answered is never closed for another.
	case http.StateActive:
		delete(c.waiting, conn)
	case http.StateIdle:
		if _, counted := c.open[conn]; counted { // it may have been closed above, a moment ago
			c.waiting[conn] = time.Now()
		}
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
		delete(c.waiting, conn)
	}
}

// closeOne closes the connection that has waited longest; false if all are busy. c.mu is held. It
// looks at all of them: that happens only at the limit, and costs less than keeping an order would
// all the time. A connection that is closed here gets StateClosed from the server, too, which then
// finds nothing.
func (c *connections) closeOne() bool {
	var longest net.Conn
	for conn, since := range c.waiting {
		if longest == nil || since.Before(c.waiting[longest]) {
			longest = conn
		}
	}
	if longest == nil {
		return false
	}
	delete(c.open, longest) // the server says so as well, later
	delete(c.waiting, longest)
	_ = longest.Close()
	return true
}
