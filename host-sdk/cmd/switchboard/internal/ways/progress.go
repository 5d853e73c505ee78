package ways

import (
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
)

// progressKept is how long it is said what came of a ring.
const progressKept = 10 * time.Minute

// Progress is how far a ring of somebody's phones has come. Only the host that rings knows it. What
// Ringer.Progress returns is a copy; the ring goes on.
type Progress struct {
	Via   string   // name of the integration that rings; "": none has begun
	Rings string   // the phone that is being rung; "": none yet, or none any more
	Text  string   // what happens to it, a sentence
	Done  []Result // of the phones before it
	Over  bool
	// Refused is why nobody was rung, a sentence; "": somebody was.
	Refused string

	ended time.Time
}

// Progress is that of the last ring of a user; false: there was none within the last minutes. A
// page polls it.
func (r *Ringer) Progress(user string) (Progress, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.rings[user]
	if p == nil || p.Over && r.cfg.Clock.Now().Sub(p.ended) > progressKept {
		return Progress{}, false
	}
	shown := *p
	shown.Done = slices.Clone(p.Done)
	return shown, true
}

// note changes the progress of a ring. change runs with the lock held, so it must not wait.
func (r *Ringer) note(user string, change func(*Progress)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.rings[user]; p != nil {
		change(p)
	}
}

// end notes that a ring is over. It forgets what is no longer shown. It is called once for each
// ring, whatever came of it.
func (r *Ringer) end(user string, err error) {
	now := r.cfg.Clock.Now()
	r.note(user, func(p *Progress) {
		p.Over, p.Rings, p.Text, p.ended = true, "", "", now
		if err != nil {
			p.Refused = httpkit.Message(err)
		}
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, p := range r.rings {
		if p.Over && now.Sub(p.ended) > progressKept {
			delete(r.rings, id)
		}
	}
}
