package campaign

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// tally counts what happened over all waves.
type tally struct {
	Calls      int
	Ends       map[string]int
	Faults     map[string]int
	Complaints map[string]int // by check
	Legs       int
	Mails      int
	Sounds     int
	Took       []time.Duration
}

func newTally() *tally {
	return &tally{Ends: map[string]int{}, Faults: map[string]int{}, Complaints: map[string]int{}}
}

// add counts a wave.
func (t *tally) add(r *record, found []complaint) {
	t.Calls += len(r.Calls)
	t.Mails += len(r.Mails)
	t.Took = append(t.Took, r.Took...)
	for _, c := range r.Calls {
		end := c.Ended
		switch {
		case !c.Known && c.Plan.From == c.Plan.Hotline.banned():
			end = endRejected + " (not kept)"
		case !c.Known:
			end = "never reached the host"
		}
		t.Ends[end]++
		t.Legs += len(c.Legs)
		t.Sounds += len(c.Sounds)
	}
	for _, w := range r.Windows {
		t.Faults[w.Name]++
	}
	for _, c := range found {
		t.Complaints[c.Check]++
	}
}

// String is the table.
func (t *tally) String() string {
	var b strings.Builder
	rows := func(title string, counts map[string]int) {
		fmt.Fprintf(&b, "%s\n", title)
		for _, k := range slices.Sorted(maps.Keys(counts)) {
			fmt.Fprintf(&b, "  %-34s %6d\n", k, counts[k])
		}
	}
	fmt.Fprintf(&b, "%d calls, %d calls to responders, %d recordings, %d mails\n", t.Calls, t.Legs, t.Sounds, t.Mails)
	fmt.Fprintf(&b, "%d requests of Twilio's; half were answered within %s, 99 of 100 within %s, all within %s\n",
		len(t.Took), percentile(t.Took, 50), percentile(t.Took, 99), percentile(t.Took, 100))
	rows("calls by end", t.Ends)
	rows("faults", t.Faults)
	found := map[string]int{}
	for _, c := range checks() {
		found[c.name] = t.Complaints[c.name]
	}
	rows("violations by check", found)
	return b.String()
}

// story tells all of a call: what happened on its lines, what the alert tells, and what the host
// logged.
func story(r *record, sid, log string) string {
	var b strings.Builder
	for _, c := range r.Calls {
		if c.Sid != sid {
			continue
		}
		fmt.Fprintf(&b, "caller %d of %s, %s; plan %+v\n", c.Plan.N, c.Plan.Hotline.Name, sid, c.Plan)
		fmt.Fprintf(&b, "the host: %s, ended as %q; disturbed requests: %d\n", c.State, c.Ended, c.Injected)
		b.WriteString(twiliosim.FormatTranscript(c.Events))
		for _, l := range c.Legs {
			fmt.Fprintf(&b, "call to %s, %s\n%s", l.To, l.Sid, twiliosim.FormatTranscript(l.Events))
		}
		for _, a := range c.Alerts {
			fmt.Fprintf(&b, "alert %s, %s, %d attachments\n", a.ID, a.Status, len(a.Attachments))
			for _, l := range a.Log {
				fmt.Fprintf(&b, "%s  %s\n", l.Time.Format("15:04:05.000"), l.Message)
			}
		}
		for _, a := range c.Actions {
			fmt.Fprintf(&b, "%s  %s by %s %s\n", a.At.Format("15:04:05.000"), a.Do, a.User, a.Refused)
		}
		for _, w := range r.Windows {
			if w.To.After(c.Dialed) {
				fmt.Fprintf(&b, "%s to %s  %s\n", w.From.Format("15:04:05.000"), w.To.Format("15:04:05.000"), w.Name)
			}
		}
	}
	for _, line := range strings.Split(log, "\n") {
		if strings.Contains(line, sid) {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

var callSid = regexp.MustCompile(`CA[0-9a-f]{32}`)

// callSids are the calls that a complaint names.
func callSids(c complaint) []string {
	sids := append(callSid.FindAllString(c.Call, -1), callSid.FindAllString(c.Text, -1)...)
	slices.Sort(sids)
	return slices.Compact(sids)
}
