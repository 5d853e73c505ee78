package launcher

import "time"

// policy decides when a lost process is started again. It is used under the plugin's lock, and told
// the time, so that tests need no clock.
type policy struct {
	timing Timing
	streak int         // losses without HealthyAfter of uptime between them
	losses []time.Time // the same within BudgetWindow, oldest first
}

// lost notes that a process was lost at now, after uptime (0: it never answered), and returns how
// long to wait, and whether the plugin counts as failed. Once failed, the plugin is still tried
// every MaxBackoff, until old losses have left the window.
func (p *policy) lost(now time.Time, uptime time.Duration) (wait time.Duration, failed bool) {
	if uptime >= p.timing.HealthyAfter {
		p.forgive() // what was lost before says nothing of a process that stayed up
	}
	p.streak++
	p.losses = append(p.losses, now)
	for now.Sub(p.losses[0]) >= p.timing.BudgetWindow {
		p.losses = p.losses[1:]
	}
	if len(p.losses) >= p.timing.Budget {
		return p.timing.MaxBackoff, true
	}
	if p.streak == 1 {
		return 0, false // a start takes a fraction of a second, and somebody may be on the phone
	}
	wait = p.timing.FirstBackoff
	for range p.streak - 2 {
		wait *= 2
		if wait >= p.timing.MaxBackoff {
			return p.timing.MaxBackoff, false
		}
	}
	return wait, false
}

// forgive forgets all losses: the process was well for a while, or a person asked for a restart or
// brought another version.
func (p *policy) forgive() {
	p.streak = 0
	p.losses = nil
}

// health counts the health checks that a process has missed in a row.
type health struct {
	limit  int // so many make it frozen
	misses int
}

// checked notes one health check, and reports whether the process counts as frozen now. A check
// that is answered makes up for all that were missed: on a busy machine a plugin misses one now and
// then, and must not be killed for the sum of a month.
func (h *health) checked(err error) (frozen bool) {
	if err == nil {
		h.misses = 0
		return false
	}
	h.misses++
	return h.misses >= h.limit
}
