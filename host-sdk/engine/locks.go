package engine

import (
	"context"
	"sync"
)

// keyedMutex lets one handler of a session run at a time in this process; across processes the
// version decides.
type keyedMutex struct {
	mu sync.Mutex
	m  map[string]*keyLock
}

// keyLock is the lock of one key. A channel rather than a mutex, since a caller must be able to
// stop waiting when its time is over.
type keyLock struct {
	held chan struct{} // capacity 1: full while held
	refs int
}

// lock waits for the key, or for ctx.
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
		return func() { <-l.held; release() }, nil
	case <-ctx.Done():
		release()
		return nil, ctx.Err()
	}
}
