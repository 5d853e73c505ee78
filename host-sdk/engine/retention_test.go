package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testlog"
)

const day = 24 * time.Hour

// ExpireCalls notes how many records one transaction removes.
func (s *countingStore) ExpireCalls(ctx context.Context, calls []store.CallRef, before time.Time, d store.Deletion) (int, error) {
	n, err := s.Store.ExpireCalls(ctx, calls, before, d)
	s.mu.Lock()
	s.expired = append(s.expired, n)
	s.mu.Unlock()
	return n, err
}

// ended stores the record of a call that ended some days ago, with a recording that somebody has
// heard, or nobody, and an alert where there is one.
func (h *host) ended(t *testing.T, key string, days int, recorded, heard bool, alert integration.AlertStatus) {
	t.Helper()
	at := h.clock.Now().AddDate(0, 0, -days)
	u := &store.CallUpdate{New: true, View: &integration.CallView{ID: key, Ended: "hung_up", EndedAt: at}}
	if recorded {
		u.Recordings = []store.Recording{{Media: integration.MediaRef{Ref: "media:" + key, Name: "voicemail.mp3"}, Label: "Voicemail", At: at}}
	}
	if alert != "" {
		u.Alert.Key = "alert of " + key
		h.platform.set(func(p *fakePlatform) {
			p.alerts[u.Alert.Key] = integration.AlertSnapshot{Key: u.Alert.Key, Status: alert}
		})
	}
	if _, err := h.store.Commit(t.Context(), store.Commit{Integration: h.id, Key: key, Now: at, Call: u}); err != nil {
		t.Fatal(err)
	}
	if heard {
		if err := h.store.MarkHeard(t.Context(), h.id, key, "media:"+key, store.Heard{By: "alice", At: at}); err != nil {
			t.Fatal(err)
		}
	}
}

// kept are the keys of the records that are there, with the number of recordings that are.
func (h *host) kept(t *testing.T) map[string]int {
	t.Helper()
	list, _, err := h.store.ListCalls(t.Context(), store.CallFilter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, c := range list {
		whole, err := h.store.Call(t.Context(), c.Integration, c.Key)
		if integration.KindOf(err) == integration.KindNotFound {
			continue // it has gone meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		out[c.Key] = 0
		for _, r := range whole.Recordings {
			if r.DeletedAt.IsZero() {
				out[c.Key]++
			}
		}
	}
	return out
}

// unheardFinding is the message of the finding about what nobody has heard, "": there is none.
func (h *host) unheardFinding(t *testing.T) string {
	t.Helper()
	return h.finding(t, engine.FindingUnheard)
}

// finding is the message of a finding of the integration, "": there is none.
func (h *host) finding(t *testing.T, code string) string {
	t.Helper()
	list, err := h.store.Findings(t.Context(), h.id)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.Code == code && f.Severity != integration.FindingClear {
			return f.Message
		}
	}
	return ""
}

// retained makes records old by different retentions.
func retained(clk func(*engine.Config)) func(*engine.Config) {
	return func(c *engine.Config) {
		clk(c)
		c.KeepCalls, c.KeepRecordings = 400*day, 90*day
	}
}

// What nobody has heard, and calls whose alert somebody still has to do with, outlast their
// retention; the rest goes: recordings first, their record later.
func TestTheSweepKeepsWhatSomebodyHasToDoWith(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	h := newHost(t, retained(manual(newManual())), func(c *engine.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		return integration.TaskResult{}, errDown
	}
	h.ended(t, "old", 401, true, true, "")
	h.ended(t, "old and resolved", 401, false, false, integration.AlertResolved)
	h.ended(t, "old and dropped", 401, false, false, integration.AlertDropped)
	h.ended(t, "old and unheard", 401, true, false, "")
	h.ended(t, "old and queued", 401, true, true, integration.AlertQueued)
	h.ended(t, "old and open", 401, true, true, integration.AlertOpen)
	h.ended(t, "old and acknowledged", 401, true, true, integration.AlertAcknowledged)
	h.ended(t, "recording", 91, true, true, integration.AlertResolved)
	h.ended(t, "recording unheard", 91, true, false, "")
	h.ended(t, "young", 89, true, true, "")
	h.start(t)
	eventually(t, "the finding, which ends the sweep", func() bool { return h.unheardFinding(t) != "" })
	want := map[string]int{
		"old and unheard": 1, "old and queued": 1, "old and open": 1, "old and acknowledged": 1, "recording": 0, "recording unheard": 1, "young": 1,
	}
	if diff := cmp.Diff(want, h.kept(t)); diff != "" {
		t.Errorf("what is kept, with its recordings (-want +got):\n%s", diff)
	}
	if got := h.unheardFinding(t); !strings.HasPrefix(got, "2 messages that nobody has heard") {
		t.Errorf("the finding: %s", got)
	}
	for _, want := range []string{`"calls whose retention is over deleted" number=3`, `"recordings whose retention is over deleted" number=1`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
	list, err := h.store.ListErasures(t.Context(), h.id, 10)
	if err != nil || len(list) != 2 || slices.ContainsFunc(list, func(x store.Erasure) bool { return x.Cause != store.CauseRetention }) {
		t.Errorf("to be deleted at the foreign service: %+v, %v", list, err)
	}
}

// agedPlatform shows when an alert has changed last.
type agedPlatform struct {
	listingPlatform
	changed func(id string) (time.Time, error)
}

// GetAlert implements platform.AlertBrowser.
func (p agedPlatform) GetAlert(_ context.Context, id string) (platform.AlertRecord, error) {
	at, err := p.changed(id)
	return platform.AlertRecord{UpdatedAt: at}, err
}

// Retention counts from the alert's end, where the platform shows when that was: an alert may be
// resolved long after its call. What was not found has ended before.
func TestTheSweepCountsFromTheEndOfTheAlert(t *testing.T) {
	t.Parallel()
	clk := newManual()
	start := clk.Now()
	var log testlog.Buffer
	ends := map[string]time.Time{"late": start.AddDate(0, 0, -399), "early": start.AddDate(0, 0, -401), "recorded": start.AddDate(0, 0, -89)}
	h := newHost(t, retained(manual(clk)), func(c *engine.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		none := func(platform.AlertFilter) ([]platform.AlertRecord, error) { return nil, nil }
		c.Platform = agedPlatform{listingPlatform{fakePlatform: c.Platform.(*fakePlatform), list: none}, func(id string) (time.Time, error) {
			switch id {
			case "gone":
				return time.Time{}, integration.Errorf(integration.KindNotFound, "there is no such alert")
			case "unknown":
				return time.Time{}, errDown
			}
			return ends[id], nil
		}}
	})
	for _, key := range []string{"late", "early", "recorded", "gone", "unknown"} {
		days := 402
		if key == "recorded" {
			days = 91
		}
		h.ended(t, key, days, true, true, integration.AlertResolved)
		h.platform.set(func(p *fakePlatform) {
			p.alerts["alert of "+key] = integration.AlertSnapshot{Key: "alert of " + key, ID: key, Status: integration.AlertResolved}
		})
	}
	h.ended(t, "unheard", 402, true, false, "")
	h.start(t)
	eventually(t, "the finding, which ends the sweep", func() bool { return h.unheardFinding(t) != "" })
	if diff := cmp.Diff(map[string]int{"late": 1, "recorded": 1, "unknown": 1, "unheard": 1}, h.kept(t)); diff != "" {
		t.Errorf("what is kept, with its recordings (-want +got):\n%s", diff)
	}
	// Once a sweep, however many there are.
	if said := log.String(); strings.Count(said, "whose retention is over are kept, as their alerts cannot be read") != 1 || !strings.Contains(said, `number=1 integration=`+h.id+` call=unknown error="`) {
		t.Errorf("the log does not say which call is kept:\n%s", said)
	}
	eventually(t, "the end of what ended later", func() bool {
		clk.Advance(2 * time.Hour)
		kept := h.kept(t)
		_, late := kept["late"]
		return !late && kept["recorded"] == 0
	})
	if day := clk.Now().Sub(start); day < 24*time.Hour {
		t.Errorf("it went after %v", day)
	}
}

// While the platform cannot say whether an alert is resolved, its call is kept, and goes later.
func TestTheSweepWaitsForThePlatform(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, retained(manual(clk)))
	h.ended(t, "resolved", 401, false, false, integration.AlertResolved)
	h.ended(t, "without an alert", 401, false, false, "")
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	h.start(t)
	eventually(t, "the end of the one", func() bool { return len(h.kept(t)) == 1 })
	h.platform.set(func(p *fakePlatform) { p.down = nil })
	eventually(t, "the end of the other", func() bool {
		clk.Advance(2 * time.Hour) // it is looked at again a day later
		return len(h.kept(t)) == 0
	})
}

// Many old records go in pieces, between which calls commit.
func TestTheSweepRemovesAHundredRecordsATime(t *testing.T) {
	t.Parallel()
	h := newHost(t, retained(manual(newManual())))
	for i := range 230 {
		h.ended(t, fmt.Sprint("CA", i), 401, false, false, "")
	}
	h.start(t)
	var removed []int
	eventually(t, "the end of all", func() bool {
		h.store.mu.Lock()
		defer h.store.mu.Unlock()
		removed = slices.Clone(h.store.expired)
		return len(removed) >= 3
	})
	if diff := cmp.Diff([]int{100, 100, 30}, removed); diff != "" {
		t.Errorf("records removed by each transaction (-want +got):\n%s", diff)
	}
	if left := h.kept(t); len(left) != 0 {
		t.Errorf("what is left: %v", left)
	}
}

// Thirty days before its time, and no earlier, a message that nobody has heard becomes a finding,
// which goes once it is heard.
func TestAnUnheardMessageIsAFindingThirtyDaysBeforeItsTime(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, retained(manual(clk)))
	h.ended(t, "CA1", 59, true, false, "")
	h.ended(t, "CA2", 401, false, false, "")
	h.start(t)
	eventually(t, "the first sweep", func() bool { return len(h.kept(t)) == 1 })
	if got := h.unheardFinding(t); got != "" {
		t.Errorf("the finding 31 days before: %s", got)
	}
	eventually(t, "the finding", func() bool {
		clk.Advance(2 * time.Hour) // as often as a sweep comes, and later than the day before
		return strings.HasPrefix(h.unheardFinding(t), "A message that nobody has heard")
	})
	if err := h.store.MarkHeard(t.Context(), h.id, "CA1", "media:CA1", store.Heard{By: "alice", At: clk.Now()}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the finding", func() bool {
		clk.Advance(2 * time.Hour)
		return h.unheardFinding(t) == ""
	})
}

// The shorter of the two retentions says when, and a retention that is off says nothing.
func TestTheFindingNamesTheRetentionThatEndsFirst(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		calls, recordings time.Duration
		days              int // from the end of the call to the day in the finding; 0: no finding
	}{
		"recordings go first":          {400 * day, 90 * day, 90},
		"recordings go with the call":  {80 * day, 90 * day, 80},
		"calls are kept for good":      {0, 90 * day, 90},
		"recordings are kept like all": {85 * day, 0, 85},
		"everything is kept for good":  {0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clk := newManual()
			h := newHost(t, manual(clk), func(c *engine.Config) { c.KeepCalls, c.KeepRecordings = tc.calls, tc.recordings })
			h.ended(t, "CA1", 70, true, false, "")
			h.session(t, "over", clk.Now().Add(-31*day), store.Session{ExpiresAt: clk.Now().Add(-time.Second)})
			h.start(t)
			if tc.days == 0 {
				eventually(t, "the end of a session, which follows the sweep", func() bool {
					_, err := h.store.Store.Session(t.Context(), h.id, "over")
					return integration.KindOf(err) == integration.KindNotFound
				})
				if got := h.unheardFinding(t); got != "" {
					t.Errorf("the finding: %s", got)
				}
				return
			}
			eventually(t, "the finding", func() bool { return h.unheardFinding(t) != "" })
			want := clk.Now().AddDate(0, 0, tc.days-70).UTC().Format("on 2 January 2006.")
			if got := h.unheardFinding(t); !strings.Contains(got, want) {
				t.Errorf("the finding is %s; want %q in it", got, want)
			}
		})
	}
}

func TestExpiredSessionsAreDeleted(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	h := newHost(t, func(c *engine.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	soon := h.clock.Now().Add(time.Second)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok(""), Session: remember(1)}
		if req.Path == "/c/short/x" {
			o.Session.ExpiresAt = soon
		}
		return o, nil
	}
	h.expect(t, "/c/short/x", "", "a call")
	h.expect(t, "/c/long/x", "", "another call")
	eventually(t, "the end of its life", func() bool { return h.clock.Now().After(soon) })
	h.start(t)
	eventually(t, "the deletion", func() bool {
		_, err := h.store.Store.Session(context.Background(), h.id, "short")
		return integration.KindOf(err) == integration.KindNotFound
	})
	eventually(t, "a line in the log", func() bool { return strings.Contains(log.String(), "expired sessions deleted\" sessions=1") })
	if strings.Contains(log.String(), "cannot delete") {
		t.Errorf("a failure that was none is logged:\n%s", log.String())
	}
	s, err := h.store.Store.Session(context.Background(), h.id, "long")
	if err != nil || s.ExpiresAt.Sub(h.clock.Now()) < 29*24*time.Hour {
		t.Errorf("a session without a date expires at %v, %v; want 30 days from now", s.ExpiresAt, err)
	}
}

func TestExpiredSessionsThatCannotBeDeletedAreReported(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	h := newHost(t, func(c *engine.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	h.store.failing("DeleteExpired", errDown)
	h.start(t)
	eventually(t, "a line in the log", func() bool { return strings.Contains(log.String(), "cannot delete expired sessions") })
	if strings.Contains(log.String(), "expired sessions deleted") {
		t.Errorf("nothing was deleted:\n%s", log.String())
	}
}
