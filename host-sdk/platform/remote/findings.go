package remote

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

const (
	maxFindings = 100
	maxAlerts   = 10_000 // whose last snapshot is remembered
)

// findings is what is wrong with the platform although it answers, in words and by subject. What
// goes right again is forgotten. It is memory of this process; a restart begins anew, and what is
// still wrong comes back with the next answer.
type findings struct {
	now     func() time.Time
	mu      sync.Mutex
	texts   map[string]string
	alerts  *lru.Cache[platform.Hint, *known]
	missed  int   // alerts that changed without a hint since the last one
	refused error // why what came last as a hint was none; nil: it was one, or nothing came
}

// known is what is remembered of an alert. The print alone is kept, as an alert holds what callers
// said.
type known struct {
	print   uint64    // of its last snapshot
	hinted  bool      // since it was read last
	changed time.Time // when it was seen changed without a hint; zero: it was not
}

// init is apart from the declaration because the cache cannot be used as its zero value.
func (f *findings) init(now func() time.Time) {
	f.now, f.texts = now, map[string]string{}
	f.alerts, _ = lru.New[platform.Hint, *known](maxAlerts) // fails only for a size below 1
}

// A subject that is noted already is always replaced. New ones stop at maxFindings, as a platform
// can have any number of people with odd numbers.
func (f *findings) note(subject, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, there := f.texts[subject]; there || len(f.texts) < maxFindings {
		f.texts[subject] = fmt.Sprintf(format, args...)
	}
}

// clear forgets a subject that is right again.
func (f *findings) clear(subject string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.texts, subject)
}

// set notes or clears.
func (f *findings) set(subject string, wrong bool, format string, args ...any) {
	if wrong {
		f.note(subject, format, args...)
		return
	}
	f.clear(subject)
}

// alertRead remembers a snapshot. hinted says that no hint is expected. It compares with the print
// of the last reading. A change without a hint may still be hinted at within the time allowed, so
// it is only marked here and counted by late.
func (f *findings) alertRead(alert platform.Hint, s wire.AlertSnapshot, hinted bool, within time.Duration) {
	print := fingerprint(s)
	f.mu.Lock()
	defer f.mu.Unlock()
	k, there := f.alerts.Get(alert)
	if !there {
		f.alerts.Add(alert, &known{print: print})
		return
	}
	// First what was marked at an earlier reading: its time may be over by now.
	f.late(k, within)
	// Only the first of several changes is marked: one hint would have been enough for all.
	if print != k.print && !hinted && !k.hinted && k.changed.IsZero() {
		k.changed = f.now()
	}
	k.print, k.hinted = print, false
}

// late counts an alert whose hint did not come in time. f.mu is held.
func (f *findings) late(k *known, within time.Duration) {
	if !k.changed.IsZero() && f.now().Sub(k.changed) > within {
		k.changed = time.Time{}
		f.missed++
	}
}

// alertHinted remembers that the platform said so. One hint that arrives shows that the way is
// open, so what was missed before no longer counts.
func (f *findings) alertHinted(alert platform.Hint) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.missed = 0
	if k, there := f.alerts.Get(alert); there {
		k.hinted, k.changed = true, time.Time{}
	}
}

// hintCame remembers whether what came as a hint was one. Anybody can send what is none, so it
// explains why hints are missing, but is no trouble by itself. nil says that it was a hint.
func (f *findings) hintCame(refused error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused = refused
}

// fingerprint stands for what people see of an alert. The number of the last command does not
// count: a command without effect is no change.
func fingerprint(s wire.AlertSnapshot) uint64 {
	s.LastCommand, s.Change = 0, 0
	h := fnv.New64a()
	_ = json.NewEncoder(h).Encode(s) // neither fails
	return h.Sum64()
}

// Findings says what is wrong although the platform answers, each in a sentence without a full
// stop. None holds a secret.
func (p *Platform) Findings() []string {
	f := &p.findings
	f.mu.Lock()
	// Hints that did not come must be counted also if nobody reads their alerts again.
	for _, k := range f.alerts.Values() {
		f.late(k, p.times.hint)
	}
	// The agreement and credentials below have no part in this lock.
	missed, refused := f.missed, f.refused
	out := slices.Sorted(maps.Values(f.texts))
	f.mu.Unlock()
	if missed > 0 {
		text := fmt.Sprintf("hints do not arrive: %d changes of alerts were seen without one within %v; callers may wait up to a minute", missed, p.times.hint)
		if refused != nil {
			text += fmt.Sprintf("; the last that came was refused: %v", refused)
		}
		out = append(out, text)
	}
	if a := p.agreed.Load(); a != nil {
		switch {
		case a.Hints == wire.HintsNone:
			out = append(out, "the platform sends no hints: callers may wait up to a minute for what happens on it")
		case a.Hints == wire.HintsWebhook && len(p.credentials.Load().secrets) == 0:
			out = append(out, "the platform sends hints, but no secret is set to verify them with")
		}
	}
	return out
}
