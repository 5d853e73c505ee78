// Package pace gives test programs time in proportion to the processor that they get: their clocks
// run many times as fast as the wall on a quiet machine, and slower while it is crowded. So the
// call flow's own limits, such as the seconds for which a telephone rings, leave the programs about
// the same work on a busy machine as on a quiet one.
//
//	pace.go      Pacer: clocks, and their speed
//	crowding.go  how crowded the machine is
package pace

import (
	"fmt"
	"math"
	"path/filepath"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

// Fastest is how much faster than the wall the clocks of most tests run at most.
const Fastest = 20

// slowed is the part of its most that a clock keeps in any crowd; standing is how fast a clock runs
// that is held: its timers are due after hours.
const slowed, standing = 0.1, 0.0001

// besideWall is the speed of a clock that would be as fast as the wall: a host on PostgreSQL takes
// a clock of exactly that speed for the machine's, and goes by the database's clock instead.
const besideWall = 1.1

// every is how often the crowd is measured. A measure computes for 15 ms.
const every = time.Second

// Pacer sets the speed of clocks until it is closed.
type Pacer struct {
	dir  string
	stop chan struct{}
	done chan struct{}

	mu     sync.Mutex
	crowd  float64 // averaged
	clocks []*paced
}

// paced is a clock and the most that it may be faster than the wall.
type paced struct {
	leader *clock.Leader
	most   float64
	held   int // by how many it is held
}

// Start begins measuring. Its clocks are files in dir.
func Start(dir string) *Pacer {
	p := &Pacer{dir: dir, stop: make(chan struct{}), done: make(chan struct{}), crowd: crowding()}
	go p.run()
	return p
}

// Close stops measuring and closes the clocks.
func (p *Pacer) Close() {
	close(p.stop)
	<-p.done
	for _, c := range p.clocks {
		_ = c.leader.Close()
	}
}

// Clock begins a clock that shows now and runs at most `most` times as fast as the wall. Its
// Followers are what clock.Parse reads.
func (p *Pacer) Clock(now time.Time, most float64) (*clock.Leader, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := clock.Lead(filepath.Join(p.dir, fmt.Sprintf("clock-%d", len(p.clocks))), now, factorFor(p.crowd, most))
	if err != nil {
		return nil, err
	}
	p.clocks = append(p.clocks, &paced{leader: l, most: most})
	return l, nil
}

// Hold lets a clock of this Pacer stand still until release is called: for what a test does beside
// the course of events, such as looking at a page more closely than a person would.
func (p *Pacer) Hold(l *clock.Leader) (release func()) {
	p.hold(l, 1)
	return func() { p.hold(l, -1) }
}

func (p *Pacer) hold(l *clock.Leader, more int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.clocks {
		if c.leader == l {
			c.held += more
			_ = l.Factor(c.factor(p.crowd)) // the clock goes on as fast as it did
		}
	}
}

func (p *Pacer) run() {
	defer close(p.done)
	for {
		select {
		case <-p.stop:
			return
		case <-time.After(every):
		}
		p.set(crowding())
	}
}

// set adapts all clocks. A crowd is believed at once; that it has left, little by little.
func (p *Pacer) set(crowd float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.crowd
	p.crowd = max(crowd, (3*before+crowd)/4)
	for _, c := range p.clocks {
		if f := c.factor(p.crowd); f != c.factor(before) {
			_ = c.leader.Factor(f) // the clock goes on as fast as it did
		}
	}
}

func (c *paced) factor(crowd float64) float64 {
	if c.held > 0 {
		return standing
	}
	return factorFor(crowd, c.most)
}

// factorFor is the speed of a clock: the most while a program that computes has at least half a
// processor, less in proportion when it has less.
func factorFor(crowd, most float64) float64 {
	f := most * min(1, max(slowed, math.Round(20*2/crowd)/20))
	if f == 1 {
		return besideWall
	}
	return f
}
