package pages

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

// onceTime is how long what a form came to is remembered.
const onceTime = time.Hour

// once acts a single time on a form that is sent twice: each form carries a random number.
type once struct {
	clock clock.Clock
	mu    sync.Mutex
	done  map[string]*deed
}

// deed is what a form came to.
type deed struct {
	mu     sync.Mutex // held while it is being acted on
	at     time.Time
	goTo   string // the page it led to; "": it was refused, and may be sent again
	result any    // for that page
}

func newOnce(c clock.Clock) *once { return &once{clock: c, done: map[string]*deed{}} }

// newNonce makes the random number of a form.
func newNonce() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

// do runs act unless the form led to a page before, and returns that page. A second sending waits for the first. A form
// without a number is acted on each time.
func (o *once) do(nonce string, act func() (goTo string, result any, err error)) (string, error) {
	if len(nonce) != 32 {
		goTo, _, err := act()
		return goTo, err
	}
	now := o.clock.Now()
	o.mu.Lock()
	for n, d := range o.done {
		if now.Sub(d.at) > onceTime {
			delete(o.done, n)
		}
	}
	d := o.done[nonce]
	if d == nil {
		d = &deed{at: now}
		o.done[nonce] = d
	}
	o.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.goTo != "" {
		return d.goTo, nil
	}
	goTo, result, err := act()
	if err == nil {
		d.goTo, d.result = goTo, result
	}
	return goTo, err
}

// result is what the form of this number came to; nil when it is not known (any more).
func (o *once) result(nonce string) any {
	o.mu.Lock()
	d := o.done[nonce]
	o.mu.Unlock()
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.result
}
