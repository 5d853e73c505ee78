package clock

import (
	"sync"
	"time"
)

// Manual is a clock that stands still until a test moves it.
type Manual struct {
	mu     sync.Mutex
	now    time.Time
	set    time.Duration // by how much the wall clock was set
	timers map[*manualTimer]struct{}
}

type manualTimer struct {
	due time.Time
	c   chan time.Time
}

// NewManual starts at now.
func NewManual(now time.Time) *Manual {
	return &Manual{now: now.UTC(), timers: map[*manualTimer]struct{}{}}
}

// Now implements Clock.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Real implements Clock: deadlines of real I/O are not scaled.
func (m *Manual) Real(d time.Duration) time.Duration { return d }

// NewTimer implements Clock.
func (m *Manual) NewTimer(d time.Duration) *Timer {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &manualTimer{due: m.now.Add(d), c: make(chan time.Time, 1)}
	if d <= 0 {
		t.c <- m.now
	} else {
		m.timers[t] = struct{}{}
	}
	return &Timer{C: t.c, stop: func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		_, live := m.timers[t]
		delete(m.timers, t)
		return live
	}}
}

// Advance moves the clock and fires what has come due.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
	for t := range m.timers {
		if !t.due.After(m.now) {
			t.c <- m.now
			delete(m.timers, t)
		}
	}
}

// Set sets the clock on the wall forward by d, or back where d is negative: [Wall] shows it, and no
// wait is longer or shorter.
func (m *Manual) Set(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set += d
}

// Wall is what the clock on the wall shows.
func (m *Manual) Wall() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now.Add(m.set)
}

// resume implements resumer.
func (m *Manual) resume(last time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ahead := last.Sub(m.now); ahead > 0 {
		m.now, m.set = last, m.set-ahead
	}
}

// Waiting reports how many timers are pending.
func (m *Manual) Waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.timers)
}
