package clock

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"sync"
	"time"
)

// followPrefix begins the text by which Parse is given the file of a Leader.
const followPrefix = "follow:"

// A Leader moves the clock of several processes, which follow the file it writes: it may run faster
// or slower at any time, and step. Tests use it to give their programs time in proportion to the
// processor that they get. Followers treat a step as [System] treats one of the machine's clock.
type Leader struct {
	mu   sync.Mutex
	file *os.File
	last reading
}

// Lead begins a clock at now that runs factor times as fast as the machine's. It writes the file at
// path, which must not exist yet.
func Lead(path string, now time.Time, factor float64) (*Leader, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	l := &Leader{file: f, last: reading{at: time.Now().UnixNano(), shows: now.UnixNano(), factor: factor}}
	return l, l.write()
}

// Followers returns the text by which Parse follows this clock.
func (l *Leader) Followers() string { return followPrefix + l.file.Name() }

// Factor sets how many times as fast as the machine's the clock runs from now on.
func (l *Leader) Factor(factor float64) error { return l.change(0, factor) }

// Step sets the clock forward by d, or back where d is negative. Followers that run keep their
// waits and approach the new time slowly, or take it over at once if d is ten minutes or more;
// their [Wall] shows it at once. A follower that starts later begins with the new time.
func (l *Leader) Step(d time.Duration) error { return l.change(d, 0) }

// change steps the clock, and sets its factor unless that is 0.
func (l *Leader) change(step time.Duration, factor float64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now().UnixNano()
	if factor == 0 {
		factor = l.last.factor
	}
	l.last = reading{at: now, shows: l.last.now(now), set: l.last.set + int64(step), factor: factor}
	return l.write()
}

func (l *Leader) write() error {
	_, err := l.file.WriteAt(l.last.bytes(), 0)
	return err
}

// Close stops moving the clock: its followers go on as fast as they do.
func (l *Leader) Close() error { return l.file.Close() }

// reading is what the file of a Leader holds: what the clock showed at a time of the machine's, by
// how much it was set in all, both in nanoseconds, and how fast it runs. What it shows is without
// the steps, so that a follower can tell them from the time that has passed.
type reading struct {
	at, shows, set int64
	factor         float64
}

// now is what a clock that was never set shows at a time of the machine's.
func (r reading) now(at int64) int64 { return r.shows + int64(float64(at-r.at)*r.factor) }

// readingSize is the length of the file: four numbers and their check, 8 bytes each.
const readingSize = 40

// bytes are the numbers and their check: a reader must notice when it reads in the middle of a
// write.
func (r reading) bytes() []byte {
	n := [4]uint64{uint64(r.at), uint64(r.shows), uint64(r.set), math.Float64bits(r.factor)} //nolint:gosec // bits, not values
	b := make([]byte, 0, readingSize)
	for _, v := range n {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return binary.LittleEndian.AppendUint64(b, n[0]^n[1]^n[2]^n[3])
}

// readingOf reverses bytes.
func readingOf(b []byte) (reading, bool) {
	var n [5]uint64
	for i := range n {
		n[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	r := reading{at: int64(n[0]), shows: int64(n[1]), set: int64(n[2]), factor: math.Float64frombits(n[3])} //nolint:gosec // bits, not values
	return r, n[0]^n[1]^n[2]^n[3] == n[4] && r.factor > 0
}

// led is a clock that follows a Leader.
type led struct {
	file *os.File
	mu   sync.Mutex
	last reading
	// waiting are the timers that have not fired. While watched is true, they are set for a clock
	// that runs armed times as fast as the machine's.
	waiting map[*ledTimer]bool
	watched bool
	armed   float64
	// steady is what a running host has in place of the machine's clock: a test that sets the clock
	// must meet the same code.
	steady *steady
}

// follow opens the file of a Leader. It stays open for as long as the process lives.
func follow(path string) (Clock, error) {
	f, err := os.Open(path) //nolint:gosec // the path is a setting of who starts the program
	if err != nil {
		return nil, fmt.Errorf("clock: %w", err)
	}
	c := &led{file: f, waiting: map[*ledTimer]bool{}, steady: newSteady(time.Now())}
	passing, wall := c.read()
	if c.last.factor <= 0 {
		return nil, fmt.Errorf("clock %s: want the file of a Leader", path)
	}
	c.steady.at(passing, wall)
	return c, nil
}

// read returns the time that has passed, which no step touches, and what the clock shows, by what
// the file says, or said when it could last be read. c.mu is held, or c is not in use yet.
func (c *led) read() (passing, wall time.Time) {
	var b [readingSize]byte
	for range 3 {
		if n, _ := c.file.ReadAt(b[:], 0); n == len(b) {
			if r, ok := readingOf(b[:]); ok {
				c.last = r
				break
			}
		}
	}
	passing = time.Unix(0, c.last.now(time.Now().UnixNano()))
	return passing, passing.Add(time.Duration(c.last.set))
}

// Now implements Clock.
func (c *led) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.steady.step(c.read()).UTC()
}

// Wall is what the Leader's clock shows.
func (c *led) Wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, wall := c.read()
	return wall.UTC()
}

// passing is the time that no step of the Leader touches.
func (c *led) passing() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	passing, _ := c.read()
	return passing.UTC()
}

// resume implements resumer.
func (c *led) resume(last time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steady.resume(last)
}

// Real implements Clock.
func (c *led) Real(d time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read()
	return c.real(d)
}

// real is how long d takes by what was read last. c.mu is held.
func (c *led) real(d time.Duration) time.Duration {
	// A clock may almost stand still.
	return time.Duration(min(float64(d)/c.last.factor, math.MaxInt64/2))
}

// lookEvery is after how much of the machine's time a clock on which somebody waits looks again
// whether it runs faster now: once for all timers, as a host has a dozen and tests run dozens of
// hosts.
const lookEvery = 100 * time.Millisecond

// ledTimer is a timer that waits. Its fields belong to its clock's mu.
type ledTimer struct {
	due   time.Time // as time passes, see led.read
	fired chan time.Time
	timer *time.Timer // fires when it is due, unless the clock's speed changes
}

// NewTimer implements Clock. A step of the clock does not move the timer, as with the machine's.
func (c *led) NewTimer(d time.Duration) *Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	passing, _ := c.read()
	t := &ledTimer{due: passing.Add(d), fired: make(chan time.Time, 1)}
	t.timer = time.AfterFunc(c.real(d), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.look(t)
	})
	if !c.watched {
		c.watched, c.armed = true, c.last.factor
		time.AfterFunc(lookEvery, c.watch)
	}
	c.waiting[t] = true
	c.look(t) // it may be due
	return &Timer{C: t.fired, stop: func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		live := c.waiting[t]
		delete(c.waiting, t)
		t.timer.Stop()
		return live
	}}
}

// look lets a timer that is due fire, and sets one that is not. c.mu is held.
func (c *led) look(t *ledTimer) {
	if !c.waiting[t] {
		return
	}
	passing, wall := c.read()
	if left := t.due.Sub(passing); left > 0 {
		t.timer.Reset(c.real(left))
		return
	}
	delete(c.waiting, t)
	t.fired <- c.steady.step(passing, wall).UTC()
}

// watch sets all timers anew when the clock's speed has changed, for as long as there are any.
func (c *led) watch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read(); c.last.factor != c.armed {
		c.armed = c.last.factor
		for t := range c.waiting {
			c.look(t)
		}
	}
	if c.watched = len(c.waiting) > 0; c.watched {
		time.AfterFunc(lookEvery, c.watch)
	}
}
