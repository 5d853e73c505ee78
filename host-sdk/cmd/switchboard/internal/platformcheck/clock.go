package platformcheck

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
)

const (
	// maxSkew is how far a platform's clock may be off, as acknowledgements are compared with ours.
	maxSkew = 2 * time.Second
	// slow is a median that callers notice: a question is asked while they wait.
	slow = 200 * time.Millisecond
)

// clock compares the server's clock with ours, by the header Date and by an acknowledgement. The
// header is compared with the time between request and answer.
func (r *run) clock(ctx context.Context, a *call) {
	if !a.begin(ctx) {
		return
	}
	a.last++
	x := a.put(ctx, a.last, a.mine())
	s, ok := a.snapshot(x)
	if !ok {
		return
	}
	end := x.Begun.Add(x.Took)
	if date, err := http.ParseTime(x.Header.Get("Date")); err == nil {
		// The header has whole seconds: it was any time within this one.
		if off := skew(date, date.Add(time.Second), x.Begun, end); off > maxSkew {
			a.fault(x, "The server's clock is %v away from this machine's (its header says Date: %s).", off.Round(time.Second), x.Header.Get("Date"))
		}
	}
	for _, ack := range s.Acknowledgements {
		if off := skew(ack.At, ack.At, x.Begun, end); off > maxSkew {
			a.fault(x, "The acknowledgement that was just made has the time %s, %v away from this machine's clock: is the clock off, or the time zone missing?", ack.At.Format(time.RFC3339), off.Round(time.Second))
		}
	}
}

// skew is how far one span of time is from another; 0 if they meet.
func skew(from, to, begun, end time.Time) time.Duration {
	return max(begun.Sub(to), from.Sub(end), 0)
}

// times looks at how long answers took. It looks at every request of the whole run.
func (r *run) times() {
	c := r.check("answers come in time")
	if c == nil {
		return
	}
	c.About = "a median of 200 ms or less: callers hear silence meanwhile"
	var all []time.Duration
	by := map[string][]time.Duration{}
	for _, x := range r.rec.Recorded() {
		if x.Err == nil && x.Operation != "" && x.Operation != "changes" {
			all = append(all, x.Took)
			by[x.Operation] = append(by[x.Operation], x.Took)
		}
	}
	judgeTimes(c, all, by)
}

// judgeTimes adds notes on what is slow; nothing of it is a fault.
func judgeTimes(c *result.Check, all []time.Duration, by map[string][]time.Duration) {
	if len(all) == 0 {
		return
	}
	// The signature of a common mistake, which the numbers alone do not explain.
	if m := record.Median(all); m >= 38*time.Millisecond && m <= 48*time.Millisecond {
		c.Note("The median is %.0f ms. Near 40 ms the reason is mostly that head and body of an answer are written apart: the second waits until the first is acknowledged (Nagle's algorithm against delayed acknowledgements). Buffer the answer and write it at once, or switch on TCP_NODELAY.", record.Milliseconds(m))
		return
	}
	for _, operation := range slices.Sorted(maps.Keys(by)) {
		if m := record.Median(by[operation]); m > slow {
			c.Note("%s takes %.0f ms (median of %d): more than 200 ms.", operation, record.Milliseconds(m), len(by[operation]))
		}
	}
}
