package integrationform

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

// rememberTime is how long the outcome of a form is remembered: for a reload of the page that shows
// it, and for a second click.
const rememberTime = time.Hour

// nonceLength is the length of a form's random number, in hexadecimal digits.
const nonceLength = 32

// once acts a single time on a form that is submitted twice: each form carries a random number. The
// number is remembered with what was posted, as browsers keep pages and fill them in again.
type once struct {
	clock clock.Clock
	// It protects the map; each outcome has a lock of its own, as acting on a form may take long.
	mu       sync.Mutex
	outcomes map[string]*outcome
}

// outcome is what a form led to. Only outcome.mu is held while the form is acted on, never once.mu.
type outcome struct {
	mu     sync.Mutex // held while the form is acted on
	at     time.Time
	done   bool              // false: it was refused, and may be posted again
	posted [sha256.Size]byte // what led to the result, see Submission.sum
	result any
}

// newOnce makes an empty memory of forms. It is the process's own: a form is submitted twice within
// seconds, to the same host.
func newOnce(c clock.Clock) *once { return &once{clock: c, outcomes: map[string]*outcome{}} }

// newNonce returns the random number of a form.
func newNonce() string {
	b := make([]byte, nonceLength/2)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

// do runs act unless it succeeded before for this form and the same content, and returns its
// result. Another content is no second click, but a page that was kept and filled in again. A
// second submission waits for the first. A form without a number is acted on each time. act may
// take as long as the plugin does.
func (o *once) do(nonce string, posted [sha256.Size]byte, act func() (any, error)) (any, error) {
	if len(nonce) != nonceLength {
		return act()
	}
	f := o.outcome(nonce)
	f.mu.Lock()
	defer f.mu.Unlock()
	// A refused form is not done: it is posted again with corrections and the same number.
	if f.done && f.posted == posted {
		return f.result, nil
	}
	result, err := act()
	if err == nil {
		f.done, f.posted, f.result = true, posted, result
	}
	return result, err
}

// outcome finds the outcome of a form, or begins one, and forgets those that are too old. At most
// as many are kept as forms were posted within an hour.
func (o *once) outcome(nonce string) *outcome {
	now := o.clock.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	for n, f := range o.outcomes {
		if now.Sub(f.at) > rememberTime {
			delete(o.outcomes, n)
		}
	}
	f := o.outcomes[nonce]
	if f == nil {
		f = &outcome{at: now}
		o.outcomes[nonce] = f
	}
	return f
}

// result is what act returned for the form with this number; nil if that is not remembered. It
// waits for a submission that is being acted on.
func (o *once) result(nonce string) any {
	o.mu.Lock()
	f := o.outcomes[nonce]
	o.mu.Unlock()
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.result
}
