package remote

import (
	"sync"
	"time"
)

// manyFailures is how many failures to connect in a row make questions fail at once.
const manyFailures = 5

// breaker lets callers get the fallback at once, rather than after the deadline of each question,
// while nothing can be connected to. One question in each period tries again. It counts by the wall
// clock and holds for all questions together, as they go to one address.
type breaker struct {
	mu       sync.Mutex
	failures int
	until    time.Time
}

// allow reports whether a question may be sent.
func (b *breaker) allow(now time.Time, period time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < manyFailures {
		return true
	}
	if now.Before(b.until) {
		return false
	}
	// Moved on before the answer is known: while this one question tries, the others fail at once.
	b.until = now.Add(period)
	return true
}

// failed counts a connection that was not made, and begins a new period.
func (b *breaker) failed(now time.Time, period time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	b.until = now.Add(period)
}

// connected closes the breaker, whatever then comes of the request: this is about a platform that
// cannot be reached. One that answers slowly, or with errors, may answer the next question.
func (b *breaker) connected() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = 0
}

// pause keeps commands back for as long as the platform asked. Questions go on: a caller waits.
type pause struct {
	mu    sync.Mutex
	until time.Time
}

// A later word of the platform replaces an earlier one, also with a shorter time.
func (p *pause) ask(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = until
}

// left is how long commands must still wait.
func (p *pause) left(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until.Sub(now)
}
