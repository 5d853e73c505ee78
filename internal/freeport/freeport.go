// Package freeport is for tests alone: it chooses the addresses of programs that cannot choose
// their own, because others must know the address before the program starts, or must find it there
// again after a restart.
//
// A listener on port 0 that is closed again does not reserve its port: the system may give it to
// another listener or connection at any moment. The ports of this package lie below those that
// systems give away (Linux: 32768 and up, see ip_local_port_range in ip(7); others: 49152 and up,
// RFC 6335). They come in blocks, and each process that wants one holds a whole block: it listens
// on the block's first port until it ends, however it ends.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// The ports: how many blocks there are, and how many ports each has.
const first, blocks, size = 12_000, 400, 50

// anywhere is the number of a block, where the search for a free one begins.
var anywhere = rand.IntN(blocks) //nolint:gosec // no secret

// mine are the blocks of this process. Of the newest one the left ports from next on have not been
// given out.
var mine struct {
	sync.Mutex
	// On the first port of each block; a listener that is collected is closed.
	blocks     []net.Listener
	next, left int
}

// Take returns an address of the loopback interface on which nothing listens. Neither this process
// nor another that takes its addresses here gets it again while this process runs.
func Take() (string, error) {
	mine.Lock()
	defer mine.Unlock()
	for {
		for mine.left > 0 {
			address := loopback(mine.next)
			mine.next++
			mine.left--
			if l, err := net.Listen("tcp", address); err == nil {
				return address, l.Close()
			}
			// A program that knows nothing of blocks has it.
		}
		if err := hold(); err != nil {
			return "", err
		}
	}
}

// Address is [Take] for a test, which it fails if there is no address.
func Address(t interface {
	Helper()
	Fatal(...any)
}) string {
	t.Helper()
	address, err := Take()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// hold takes a further block that nobody holds. Those before stay: their addresses are in use.
func hold() error {
	var err error
	for i := range blocks {
		port := first + (anywhere+i)%blocks*size
		var l net.Listener
		if l, err = net.Listen("tcp", loopback(port)); err == nil {
			mine.blocks = append(mine.blocks, l)
			mine.next, mine.left = port+1, size-1
			return nil
		}
	}
	return fmt.Errorf("no block of ports between %d and %d is free: %w", first, first+blocks*size, err)
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
