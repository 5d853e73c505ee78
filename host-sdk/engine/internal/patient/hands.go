package patient

import "time"

// hands make calls, each on a goroutine that is kept for a while after its call: a new one grows
// its stack several times on the way into a database, which costs more than the call's own part of
// the way.
type hands struct{ idle chan func() }

// handIdle is how long a goroutine waits for its next call.
const handIdle = time.Second

func newHands() hands { return hands{idle: make(chan func())} }

// do makes a call and does not wait for it. A call may end its goroutine.
func (h hands) do(call func()) {
	select {
	case h.idle <- call:
	default: // none is idle
		go h.work(call)
	}
}

// work makes a call, and others while there are some.
func (h hands) work(call func()) {
	idle := time.NewTimer(handIdle)
	defer idle.Stop()
	for {
		call()
		idle.Reset(handIdle)
		select {
		case call = <-h.idle:
		case <-idle.C:
			return
		}
	}
}
