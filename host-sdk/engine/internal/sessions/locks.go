package sessions

import (
	"context"
	"sync"
)

// Locks lets one handler of a session run at a time in this process; across processes the
// version decides. Without it, requests of one call that come together would all run, and all but
// one in vain. Its zero value is ready.
type Locks struct {
	// mu protects m, the counts in it and free, and is never held while somebody waits.
	mu   sync.Mutex
	m    map[Ref]*keyLock
	free []*keyLock // to be used again, at most locksKept
}

// locksKept is how many unused locks are kept: about as many as handlers run at a time.
const locksKept = 64

// keyLock is the lock of one key. A channel rather than a mutex, since a caller must be able to
// stop waiting when its time is over. refs counts holder and waiters: with the last one the entry
// goes.
type keyLock struct {
	held chan struct{} // capacity 1: full while held
	refs int
}

// Held is a lock that somebody holds, until they release it.
type Held struct {
	of  *Locks
	key Ref
	l   *keyLock
}

// Lock waits for the key, or for ctx. With an error nothing is held; else the lock must be released
// once.
func (k *Locks) Lock(ctx context.Context, key Ref) (Held, error) {
	l := k.enter(key)
	select {
	case l.held <- struct{}{}:
		return Held{k, key, l}, nil
	case <-ctx.Done():
		k.leave(key, l)
		return Held{}, ctx.Err()
	}
}

// Release gives the lock to the next who waits. The entry goes last: were it gone while the lock is
// held, the next caller would make another and hold the key as well.
func (h Held) Release() {
	<-h.l.held
	h.of.leave(h.key, h.l)
}

// enter counts one more who holds the key's lock or waits for it.
func (k *Locks) enter(key Ref) *keyLock {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.m[key]
	if l == nil {
		if n := len(k.free); n > 0 {
			l, k.free = k.free[n-1], k.free[:n-1]
		} else {
			l = &keyLock{held: make(chan struct{}, 1)}
		}
		if k.m == nil {
			k.m = map[Ref]*keyLock{}
		}
		k.m[key] = l
	}
	l.refs++
	return l
}

// leave counts one less. A lock that nobody refers to is free, as its channel is empty then.
func (k *Locks) leave(key Ref, l *keyLock) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.refs--; l.refs > 0 {
		return
	}
	delete(k.m, key)
	if len(k.free) < locksKept {
		k.free = append(k.free, l)
	}
}
