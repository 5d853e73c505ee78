// Package sharedread lets people who ask for the same thing at the same time share one reading of
// it.
package sharedread

import (
	"context"
	"sync"
	"time"
)

// readTime is how long one reading may take, whoever waits for it.
const readTime = 30 * time.Second

// Group shares readings by key. At most one reading of a key goes on at a time and one waits. A
// caller gets a reading that began after the call, so it sees what the caller has changed before.
// The zero Group is ready for use.
type Group[T any] struct {
	mu    sync.Mutex
	queue map[string]*queue[T]
}

// queue is the readings of one key.
type queue[T any] struct{ running, next *reading[T] }

// reading is one reading and, when done is closed, its result.
type reading[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// Do returns the result of a reading of key that begins after the call: one of its own or one that
// others wait for too, who get the same value and must not change it. When ctx ends, Do returns its
// error; the reading goes on for the others.
func (g *Group[T]) Do(ctx context.Context, key string, read func(ctx context.Context) (T, error)) (T, error) {
	r, before, mine := g.join(key)
	if mine {
		go func() {
			if before != nil {
				<-before.done
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTime)
			defer cancel()
			r.value, r.err = read(ctx)
			g.end(key)
			close(r.done)
		}()
	}
	select {
	case <-r.done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// join finds the next reading of a key that begins, or makes it: then it is the caller's to do,
// after the one before.
func (g *Group[T]) join(key string) (r, before *reading[T], mine bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := g.queue[key]
	switch {
	case q == nil:
		q = &queue[T]{running: &reading[T]{done: make(chan struct{})}}
		if g.queue == nil {
			g.queue = map[string]*queue[T]{}
		}
		g.queue[key] = q
		return q.running, nil, true
	case q.next == nil:
		q.next = &reading[T]{done: make(chan struct{})}
		return q.next, q.running, true
	}
	return q.next, nil, false
}

// end lets the next reading of a key begin. From now on callers wait for the one after it.
func (g *Group[T]) end(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := g.queue[key]
	if q.running, q.next = q.next, nil; q.running == nil {
		delete(g.queue, key)
	}
}
