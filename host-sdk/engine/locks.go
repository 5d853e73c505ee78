package engine

import (
	"context"
	"sync"
)

// keyedMutex lets one handler of a session run at a time in this process; across processes the
// version decides. Without it, requests of one call that come together would all run, and all but
// one in vain. Its zero value is ready.
type keyedMutex struct {
	// mu protects m and the counts in it, and is never held while somebody waits.
	mu sync.Mutex
	m  map[string]*keyLock
}

// keyLock is the lock of one key. A channel rather than a mutex, since a caller must be able to
// stop waiting when its time is over. refs counts holder and waiters: with the last one the entry
// goes.
type keyLock struct {
	held chan struct{} // capacity 1: full while held
	refs int
}

// lock waits for the key, or for ctx. With an error nothing is held, and unlock is nil; else it
// must be called once.
func (k *keyedMutex) lock(ctx context.Context, key string) (unlock func(), err error) {
	k.mu.Lock()
	if k.m == nil {
		k.m = map[string]*keyLock{}
	}
	l := k.m[key]
	if l == nil {
		l = &keyLock{held: make(chan struct{}, 1)}
		k.m[key] = l
	}
	l.refs++
	k.mu.Unlock()

	release := func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if l.refs--; l.refs == 0 {
			delete(k.m, key)
		}
	}
	select {
	case l.held <- struct{}{}:
		// The entry goes last: were it gone while the lock is held, the next caller would make
		// another and hold the key as well.
		return func() { <-l.held; release() }, nil
	case <-ctx.Done():
		release()
		return nil, ctx.Err()
	}
}
