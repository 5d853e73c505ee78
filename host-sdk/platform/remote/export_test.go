package remote

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// SetTimes shortens the limits by the wall clock that tests wait for; 0 leaves one as it is.
func (p *Platform) SetTimes(question, command, wait, retry, agreement, again, hint time.Duration) {
	for _, x := range []struct {
		to *time.Duration
		d  time.Duration
	}{
		{&p.times.question, question}, {&p.times.command, command}, {&p.times.wait, wait}, {&p.times.retry, retry},
		{&p.times.agreement, agreement}, {&p.times.again, again}, {&p.times.hint, hint},
	} {
		if x.d != 0 {
			*x.to = x.d
		}
	}
}

// Paused is how long commands are kept back.
func (p *Platform) Paused() time.Duration { return p.pause.left(time.Now()) }

// Sign and HintNow are what tests need of the inside.
var Sign = sign

// HintNow gives a hint to all watchers.
func (p *Platform) HintNow(alert platform.Hint) { p.watchers.hint(alert) }

// AtOnce is how many questions and commands this host may send at once.
func (p *Platform) AtOnce() (questions, commands int) {
	a := p.agreed.Load()
	return cap(a.pools[question]), cap(a.pools[command])
}
