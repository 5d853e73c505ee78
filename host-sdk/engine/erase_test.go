package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// keeper is a platform whose alerts and recordings the host can delete.
type keeper struct {
	*fakePlatform

	integration string // of its alerts

	mu   sync.Mutex
	done []string // what was deleted
	fail error    // of each deletion of alerts and recordings
	old  []string // keys of the alerts that are over and old
}

var _ platform.Eraser = (*keeper)(nil)

func (k *keeper) note(format string, args ...any) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.done = append(k.done, fmt.Sprintf(format, args...))
	return k.fail
}

func (k *keeper) failing(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fail = err
}

// deleted is what was deleted, in order.
func (k *keeper) deleted() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.done)
}

func (k *keeper) EraseRecordings(_ context.Context, _ platform.Scope, alertKey string, refs []string, line string) error {
	return k.note("%s of %s: %s", strings.Join(refs, " and "), alertKey, line)
}

func (k *keeper) EraseAlert(_ context.Context, _ platform.Scope, alertKey string) error {
	return k.note("%s", alertKey)
}

func (k *keeper) OldAlerts(_ context.Context, _ time.Time, after string, limit int) (list []platform.OldAlert, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range k.old {
		if key > after && len(list) < limit {
			list = append(list, platform.OldAlert{ID: key, Scope: platform.Scope{Integration: k.integration}, Key: key, After: key})
		}
	}
	return list, nil
}

func (k *keeper) ExpireAlerts(_ context.Context, alerts []platform.OldAlert, before time.Time) (int, error) {
	keys := make([]string, len(alerts))
	for i, a := range alerts {
		keys[i] = a.Key
	}
	what := strings.Join(keys, " and ")
	if len(keys) > 3 {
		what = fmt.Sprintf("%d alerts", len(keys))
	}
	return len(alerts), k.note("%s, before %s", what, before.UTC().Format(time.RFC3339))
}

func (k *keeper) ForgetText(_ context.Context, number, by string) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.done = append(k.done, number+" is now "+by)
	return 2, nil
}

// keeping gives the host a platform that can delete.
func keeping(k *keeper) func(*engine.Config) {
	return func(c *engine.Config) {
		k.fakePlatform = c.Platform.(*fakePlatform)
		c.Platform = k
	}
}

// erasures makes the plugin answer what it is to delete, and notes that.
func (h *host) erasures(answer func(integration.Erasure) (integration.Erased, error)) (asked func() []integration.Erasure) {
	var mu sync.Mutex
	var list []integration.Erasure
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		var x integration.Erasure
		if err := json.Unmarshal(req.Task.Payload, &x); err != nil || req.Task.Name != integration.TaskErase {
			return integration.TaskResult{}, integration.Errorf(integration.KindInvalid, "task %q: %w", req.Task.Name, err)
		}
		mu.Lock()
		list = append(list, x)
		mu.Unlock()
		erased, err := answer(x)
		if err != nil {
			return integration.TaskResult{}, err
		}
		text, err := json.Marshal(erased)
		return integration.TaskResult{Payload: text}, err
	}
	return func() []integration.Erasure {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(list)
	}
}

// erased answers each with the same.
func erased(e integration.Erased) func(integration.Erasure) (integration.Erased, error) {
	return func(integration.Erasure) (integration.Erased, error) { return e, nil }
}

// story are the texts of a call's story.
func (h *host) story(t *testing.T, key string) (list []string) {
	t.Helper()
	c, err := h.store.Call(t.Context(), h.id, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range c.Story {
		list = append(list, l.Text)
	}
	return list
}

// notErased is the finding about what could not be deleted, "": there is none.
func (h *host) notErased(t *testing.T) string {
	t.Helper()
	list, err := h.store.Findings(t.Context(), h.id)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.Code == engine.FindingNotErased && f.Severity != integration.FindingClear {
			return f.Message
		}
	}
	return ""
}

// left is what is still to be deleted at the foreign service.
func (h *host) left(t *testing.T) []store.Erasure {
	t.Helper()
	list, err := h.store.ListErasures(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func byAlice(at time.Time) store.Deletion {
	return store.Deletion{By: "alice", At: at, Cause: store.CauseDeleted}
}

// A recording that somebody deletes goes here and on the alert, and at once at the foreign service.
// The call's story says so.
func TestADeletedRecordingGoesEverywhereAtOnce(t *testing.T) {
	t.Parallel()
	clk, k := newManual(), &keeper{}
	h := newHost(t, manual(clk), keeping(k))
	asked := h.erasures(erased(integration.Erased{Recordings: 1, Transcriptions: 1}))
	h.ended(t, "CA1", 1, true, false, integration.AlertResolved)
	h.start(t)
	eventually(t, "the engine waits for work", func() bool { return clk.Waiting() >= idleTimers })
	if err := h.DeleteRecording(t.Context(), h.id, "CA1", "media:CA1", byAlice(clk.Now())); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the erasure, without any time going by", func() bool { return len(h.left(t)) == 0 })
	if diff := cmp.Diff(map[string]int{"CA1": 0}, h.kept(t)); diff != "" {
		t.Errorf("recordings that are kept (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"media:CA1 of alert of CA1: A recording was deleted by alice."}, k.deleted()); diff != "" {
		t.Errorf("deleted on the platform (-want +got):\n%s", diff)
	}
	if got := asked(); len(got) != 1 || got[0].Call != "CA1" || got[0].Whole || len(got[0].Media) != 1 || got[0].Media[0].Ref != "media:CA1" {
		t.Errorf("asked of the plugin: %+v", got)
	}
	want := []string{"A recording was deleted by alice; it is being deleted at the telephone service too.", "It was deleted at the telephone service, with its transcription."}
	if got := h.story(t, "CA1"); !slices.Equal(got[max(0, len(got)-2):], want) {
		t.Errorf("the story ends with %q, want %q", got, want)
	}
	if got := h.notErased(t); got != "" {
		t.Errorf("finding %q, though all is deleted", got)
	}
	if err := h.DeleteRecording(t.Context(), h.id, "CA1", "media:CA1", byAlice(clk.Now())); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("deleted again: error %v, want %s", err, integration.KindNotFound)
	}
	if got := k.deleted(); len(got) != 1 {
		t.Errorf("the platform was asked again: %v", got)
	}
}

// A call goes with all its recordings, and its line on the alert says why.
func TestADeletedCallGoesWithItsRecordings(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]store.Deletion{
		"The recordings were deleted by alice.":                   {By: "alice", Cause: store.CauseDeleted},
		"The recordings were deleted.":                            {Cause: store.CauseDeleted},
		"The recordings were deleted, as its retention was over.": {By: "alice", Cause: store.CauseRetention},
	} {
		clk, k := newManual(), &keeper{}
		h := newHost(t, manual(clk), keeping(k))
		asked := h.erasures(erased(integration.Erased{Recordings: 2}))
		h.ended(t, "CA1", 1, true, false, integration.AlertResolved)
		h.start(t)
		eventually(t, "the engine waits for work", func() bool { return clk.Waiting() >= idleTimers })
		d.At = clk.Now()
		if err := h.DeleteCall(t.Context(), h.id, "CA1", d); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the end of the erasure, without any time going by", func() bool { return len(h.left(t)) == 0 })
		if diff := cmp.Diff(map[string]int{}, h.kept(t)); diff != "" {
			t.Errorf("records that are kept (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"media:CA1 of alert of CA1: " + want}, k.deleted()); diff != "" {
			t.Errorf("deleted on the platform (-want +got):\n%s", diff)
		}
		if got := asked(); len(got) != 1 || got[0].Call != "CA1" || len(got[0].Media) != 0 {
			t.Errorf("asked of the plugin: %+v, want all of the call", got)
		}
	}
}

// What is refused is not deleted anywhere; what the platform does not have, or cannot delete, keeps
// nothing else.
func TestWhatMayNotBeDeletedStays(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	h := newHost(t, manual(newManual()), keeping(k))
	d := byAlice(h.clock.Now())
	h.ended(t, "live", 1, true, false, integration.AlertOpen)
	if _, err := h.store.Commit(t.Context(), store.Commit{Integration: h.id, Key: "live", Now: d.At, Call: &store.CallUpdate{View: &integration.CallView{ID: "live"}, Live: true}}); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		err  error
		want integration.Kind
	}{
		"a recording of a call in progress": {h.DeleteRecording(t.Context(), h.id, "live", "media:live", d), integration.KindConflict},
		"a call in progress":                {h.DeleteCall(t.Context(), h.id, "live", d), integration.KindConflict},
		"the alert of a call in progress":   {h.DeleteAlert(t.Context(), h.id, "alert of live"), integration.KindConflict},
		"a recording of no call":            {h.DeleteRecording(t.Context(), h.id, "none", "media:none", d), integration.KindNotFound},
		"no call":                           {h.DeleteCall(t.Context(), h.id, "none", d), integration.KindNotFound},
	} {
		if integration.KindOf(tt.err) != tt.want {
			t.Errorf("%s: error %v, want %s", name, tt.err, tt.want)
		}
	}
	if got := k.deleted(); len(got) > 0 {
		t.Errorf("the platform was made to delete %q", got)
	}
	h.ended(t, "no recording", 1, false, false, integration.AlertResolved)
	h.ended(t, "no alert", 1, true, false, "")
	h.ended(t, "platform down", 1, true, false, integration.AlertResolved)
	k.failing(errDown)
	for _, key := range []string{"no recording", "no alert", "platform down"} {
		if err := h.DeleteCall(t.Context(), h.id, key, d); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if diff := cmp.Diff(map[string]int{"live": 1}, h.kept(t)); diff != "" {
		t.Errorf("what is kept (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"media:platform down of alert of platform down: The recordings were deleted by alice."}, k.deleted()); diff != "" {
		t.Errorf("asked of the platform (-want +got):\n%s", diff)
	}
}

// An alert is the platform's to delete, where it lets the host; its call's record stays.
func TestAnAlertIsDeletedByThePlatform(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	if err := h.DeleteAlert(t.Context(), h.id, "a"); integration.KindOf(err) != integration.KindUnsupported {
		t.Errorf("a platform that keeps its alerts: error %v, want %s", err, integration.KindUnsupported)
	}
	k := &keeper{}
	h = newHost(t, keeping(k))
	h.ended(t, "CA1", 1, true, false, integration.AlertResolved)
	for _, key := range []string{"alert of CA1", "alert of nobody's call"} {
		if err := h.DeleteAlert(t.Context(), h.id, key); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if diff := cmp.Diff([]string{"alert of CA1", "alert of nobody's call"}, k.deleted()); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"CA1": 1}, h.kept(t)); diff != "" {
		t.Errorf("records that are kept (-want +got):\n%s", diff)
	}
	k.failing(integration.Errorf(integration.KindConflict, "open"))
	if err := h.DeleteAlert(t.Context(), h.id, "alert of CA1"); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("what the platform refuses: error %v, want %s", err, integration.KindConflict)
	}
}

// What the foreign service cannot delete now is tried again, and shown as long as it is not done.
func TestWhatCannotBeDeletedElsewhereIsTriedAgainAndShown(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	var mu sync.Mutex
	var down error = errDown
	asked := h.erasures(func(integration.Erasure) (integration.Erased, error) {
		mu.Lock()
		defer mu.Unlock()
		return integration.Erased{}, down
	})
	h.ended(t, "CA1", 1, true, false, "")
	h.ended(t, "CA2", 1, true, false, "")
	h.start(t)
	for _, key := range []string{"CA1", "CA2"} {
		if err := h.DeleteRecording(t.Context(), h.id, key, "media:"+key, byAlice(clk.Now())); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the finding", func() bool { return strings.Contains(h.notErased(t), "2 deleted calls") })
	if got := h.notErased(t); !strings.Contains(got, "The last reason: down.") {
		t.Errorf("the finding does not say why: %s", got)
	}
	if list := h.left(t); len(list) != 2 || list[0].Reason != "down" || list[0].GivenUp || list[0].Due.Before(clk.Now().Add(30*time.Second)) {
		t.Errorf("what is left: %+v, want it tried again in about a minute", list)
	}
	tries := len(asked())
	mu.Lock()
	down = nil
	mu.Unlock()
	eventually(t, "the end of the finding", func() bool { clk.Advance(10 * time.Second); return h.notErased(t) == "" })
	if more := len(asked()) - tries; more != 2 || len(h.left(t)) != 0 {
		t.Errorf("asked %d times more, and %d are left; want each of 2 asked once more", more, len(h.left(t)))
	}
	if got := h.story(t, "CA1"); got[len(got)-1] != "The telephone service has no recording of it any more." {
		t.Errorf("the story ends with %q", got)
	}
}

// What will never be deleted is not tried again, and stays on the list with the reason.
func TestWhatNobodyCanDeleteIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		plugin  error
		payload string
		old     bool          // the plugin's protocol is that of before
		gone    bool          // the integration is
		age     time.Duration // of the deletion
		want    string        // of the reason; "": it is not given up
	}{
		"a plugin that cannot":                    {plugin: integration.Errorf(integration.KindUnsupported, "the account is closed"), want: "the account is closed"},
		"a plugin that takes it for its own task": {plugin: integration.Errorf(integration.KindNotFound, "no task"), want: "the plugin cannot delete it"},
		"a plugin that answers something else":    {payload: "done", want: "does not say that it has deleted it"},
		"a plugin of before":                      {old: true, want: "the plugin fake 1.0.0 cannot delete it"},
		"an integration that was removed":         {gone: true, want: "the integration was removed"},
		"down for longer than anybody has waited": {plugin: errDown, age: engine.ErasePatience + time.Hour, want: "down"},
		"down for a long time":                    {plugin: errDown, age: engine.ErasePatience - time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, manual(newManual()), func(c *engine.Config) {
				p, _ := c.Plugins.Plugin("fake")
				p.(*fakePlugin).describing(func(d integration.Description) (integration.Description, error) {
					if tt.old {
						d.ProtocolMinor = 0
					}
					return d, nil
				})
			})
			h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
				return integration.TaskResult{Payload: []byte(tt.payload)}, tt.plugin
			}
			id := h.id
			if tt.gone {
				h.id = "int_gone"
			}
			h.ended(t, "CA1", 1, true, false, "")
			if err := h.DeleteCall(t.Context(), h.id, "CA1", byAlice(h.clock.Now().Add(-tt.age))); err != nil {
				t.Fatal(err)
			}
			h.start(t)
			eventually(t, "an attempt", func() bool { list := h.left(t); return len(list) == 1 && list[0].Reason != "" })
			x := h.left(t)[0]
			if x.GivenUp != (tt.want != "") || !strings.Contains(x.Reason, tt.want) {
				t.Errorf("given up: %v, reason %q; want %q", x.GivenUp, x.Reason, tt.want)
			}
			h.id = id
			if tt.gone {
				return // nobody would see a finding
			}
			eventually(t, "the finding", func() bool { return strings.Contains(h.notErased(t), x.Reason) })
		})
	}
}

// A crowd of deletions is worked off without a pause, ten in each transaction.
func TestManyDeletionsAreWorkedOffWithoutAPause(t *testing.T) {
	t.Parallel()
	h := newHost(t, manual(newManual()))
	asked := h.erasures(erased(integration.Erased{Recordings: 1}))
	for i := range 25 {
		key := fmt.Sprint("CA", i)
		h.ended(t, key, 1, true, false, "")
		if err := h.DeleteCall(t.Context(), h.id, key, byAlice(h.clock.Now())); err != nil {
			t.Fatal(err)
		}
	}
	h.start(t)
	eventually(t, "the end of all, without any time going by", func() bool { return len(h.left(t)) == 0 })
	if got := len(asked()); got != 25 {
		t.Errorf("the plugin was asked %d times, want 25", got)
	}
}

// The sweep takes what is old off the platform, too, as far as it lets the host: recordings off
// their alerts, and alerts a hundred at a time until there are no more.
func TestTheSweepDeletesOnThePlatform(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	for i := range 230 {
		k.old = append(k.old, fmt.Sprintf("alert %03d", i))
	}
	h := newHost(t, retained(manual(newManual())), keeping(k))
	h.erasures(erased(integration.Erased{Recordings: 1}))
	h.ended(t, "recording", 91, true, true, integration.AlertResolved)
	h.ended(t, "unheard", 91, true, false, integration.AlertResolved)
	h.ended(t, "unheard and old", 401, true, false, integration.AlertResolved)
	h.start(t)
	eventually(t, "the finding, which ends the sweep", func() bool { return h.unheardFinding(t) != "" })
	before := " alerts, before " + h.clock.Now().Add(-400*day).UTC().Format(time.RFC3339)
	want := []string{"100" + before, "100" + before, "30" + before, "media:recording of alert of recording: What was recorded was deleted, as recordings are kept for 90 days."}
	if diff := cmp.Diff(want, k.deleted()); diff != "" {
		t.Errorf("deleted on the platform (-want +got):\n%s", diff)
	}
}

// A message that nobody has heard keeps its alert, whose page is where people find it, whatever the
// age. Once it is heard the alert goes.
func TestAnAlertWithAnUnheardMessageIsKeptWhateverItsAge(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	h := newHost(t, retained(manual(newManual())), keeping(k))
	h.erasures(erased(integration.Erased{Recordings: 1}))
	k.integration = h.id
	h.ended(t, "heard", 401, true, true, integration.AlertResolved)
	h.ended(t, "unheard", 401, true, false, integration.AlertResolved)
	k.old = []string{"alert of another", "alert of heard", "alert of unheard"}
	h.start(t)
	eventually(t, "the finding, which ends the sweep", func() bool { return h.unheardFinding(t) != "" })
	want := []string{"alert of another and alert of heard, before " + h.clock.Now().Add(-400*day).UTC().Format(time.RFC3339)}
	if diff := cmp.Diff(want, k.deleted()); diff != "" {
		t.Errorf("deleted on the platform (-want +got):\n%s", diff)
	}
}

// An error ends it until the next sweep: the platform is not asked in a circle.
func TestAPlatformThatCannotDeleteAlertsIsAskedOnceASweep(t *testing.T) {
	t.Parallel()
	k := &keeper{fail: errDown}
	for i := range 200 {
		k.old = append(k.old, fmt.Sprintf("alert %03d", i))
	}
	h := newHost(t, retained(manual(newManual())), keeping(k))
	h.ended(t, "unheard", 91, true, false, "")
	h.start(t)
	eventually(t, "the finding, which ends the sweep", func() bool { return h.unheardFinding(t) != "" })
	if got := k.deleted(); len(got) != 1 {
		t.Errorf("the platform was asked for %v, want it asked once", got)
	}
}
