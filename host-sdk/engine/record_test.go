package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// inCall is an update of a session that has a call.
func inCall(state string) *integration.SessionUpdate {
	u := remember(state)
	u.AlertKey = "a1"
	u.Call = &integration.CallView{ID: "K", From: "+12025550143", State: state, Team: "devops", TeamName: "DevOps"}
	return u
}

// record reads the record of the call K.
func (h *host) record(t *testing.T) store.Call {
	t.Helper()
	c, err := h.store.Call(t.Context(), h.id, "K")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// said is the texts of a story, each with its actor.
func said(c store.Call) []string {
	var list []string
	for _, l := range c.Story {
		text := l.Text
		if l.Actor != "" {
			text += " " + l.Actor
		}
		list = append(list, text)
	}
	return list
}

func TestTheRecordOfACallTellsWhatCommandsAndSnapshotsSay(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	at := h.clock.Now().Truncate(time.Millisecond).UTC()
	voicemail := integration.MediaRef{Ref: "media:1", Name: "voicemail.mp3", ContentType: "audio/mpeg", Bytes: 9, Duration: 23 * time.Second}
	field := integration.AlertField{Label: "Caller Phone", Value: "+12025550143", Format: integration.FieldPhone}
	transcript := integration.AlertField{Label: "Transcript", Value: "Help."}
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok("done"), Session: inCall("holding"), Alert: []integration.AlertCommand{
			{Number: 1, Kind: integration.AlertCreate, AlertKey: "a1", At: at, Draft: &integration.AlertDraft{Title: "Incoming call", Fields: []integration.AlertField{field}}},
			{Number: 2, Kind: integration.AlertRoute, AlertKey: "a1", At: at, Teams: []string{"devops", "support"}},
			{Number: 3, Kind: integration.AlertLog, AlertKey: "a1", At: at, Text: "Alice Example is rung.", Actor: "alice"},
			{Number: 4, Kind: integration.AlertAttach, AlertKey: "a1", At: at, Label: "Voicemail", Media: &voicemail},
			{Number: 5, Kind: integration.AlertAddField, AlertKey: "a1", At: at, Field: &transcript},
			{Number: 6, Kind: integration.AlertEscalate, AlertKey: "a1", At: at, Layer: 1, Text: "nobody in this layer took the call"},
			{Number: 7, Kind: integration.AlertAcknowledge, AlertKey: "a1", At: at, User: "alice"},
		}}, nil
	}
	h.expect(t, "/c/K/x", "done", "the first request")
	want := store.Call{
		Integration: h.id, IntegrationName: "Hotline", Key: "K", Live: true, View: *inCall("holding").Call, Alert: store.CallAlert{Key: "a1", Title: "Incoming call"},
		Fields:     []integration.AlertField{field, transcript},
		Recordings: []store.Recording{{Media: voicemail, Label: "Voicemail", At: at}}, Unheard: 1,
		Story: []store.StoryLine{
			{Command: 1, At: at, Text: "An alert was created."},
			{Command: 2, At: at, Text: "The alert was routed to Team devops and support."},
			{Command: 3, At: at, Text: "Alice Example is rung.", Actor: "alice"},
			{Command: 4, At: at, Text: "Voicemail stored (23 s)."},
			{Command: 6, At: at, Text: "The alert is to go to the next layer: nobody in this layer took the call."},
		},
	}
	got := h.record(t)
	want.StartedAt, want.UpdatedAt = got.StartedAt, got.UpdatedAt
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the record (-want +got):\n%s", diff)
	}

	// What the platform shows joins the story with the commit of the handler that was told.
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		return integration.Outcome{Session: inCall(string(req.Facts.Alert.Status))}, nil
	}
	h.start(t)
	ack := integration.Acknowledgement{ID: "k1", User: "bob", At: at.Add(time.Minute)}
	for _, step := range []struct {
		snap integration.AlertSnapshot
		more []string
	}{
		{integration.AlertSnapshot{Status: integration.AlertOpen, Layer: 2, Round: 1}, []string{"The alert waits for layer 2."}},
		{integration.AlertSnapshot{Status: integration.AlertAcknowledged, Layer: 2, Round: 1, Acknowledgements: []integration.Acknowledgement{ack}}, []string{"The alert was acknowledged. bob"}},
		{integration.AlertSnapshot{Status: integration.AlertOpen, Layer: 1, Round: 2}, []string{"The alert is open again.", "The alert waits for layer 1, in round 2."}},
		// Known.
		{integration.AlertSnapshot{Status: integration.AlertAcknowledged, Layer: 1, Round: 2, Acknowledgements: []integration.Acknowledgement{ack}}, nil},
		{integration.AlertSnapshot{Status: integration.AlertDropped}, []string{"The alert was dropped: nobody on call acknowledged it."}},
		{integration.AlertSnapshot{Status: integration.AlertResolved}, []string{"The alert was resolved."}},
	} {
		story := append(said(h.record(t)), step.more...)
		h.platform.set(func(p *fakePlatform) {
			step.snap.Key, step.snap.ID, step.snap.URL = "a1", "7", "https://hotline.example.com/alerts/7"
			p.alerts["a1"] = step.snap
		})
		h.platform.hints <- hint(h.id, "a1")
		eventually(t, "the commit of "+string(step.snap.Status), func() bool { return h.record(t).View.State == string(step.snap.Status) })
		if diff := cmp.Diff(story, said(h.record(t))); diff != "" {
			t.Errorf("the story after %s (-want +got):\n%s", step.snap.Status, diff)
		}
	}
	if got := h.record(t).Alert; got != (store.CallAlert{Key: "a1", ID: "7", URL: "https://hotline.example.com/alerts/7", Title: "Incoming call"}) {
		t.Errorf("the alert of the record is %+v", got)
	}
}

// A handler that runs again after a conflict decides on the session as it is now: what it decided
// first is nowhere, and what it decides again is there once.
func TestAHandlerThatRunsAgainAddsNoLineTwice(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok("done"), Session: inCall("holding"), Alert: []integration.AlertCommand{
			{Number: 1, Kind: integration.AlertLog, AlertKey: "a1", Text: "One.", At: req.Facts.Now},
		}}, nil
	}
	moved := make(chan error, 1)
	h.store.mu.Lock()
	h.store.before = func() { // another host is faster
		_, err := h.store.Store.Commit(t.Context(), store.Commit{
			Integration: h.id, Key: "K", Now: h.clock.Now(), Session: &store.Session{Live: true, Call: inCall("choosing").Call},
			Call: &store.CallUpdate{New: true, Live: true, View: inCall("choosing").Call, Story: []store.StoryLine{{Text: "Zero."}}},
		})
		moved <- err
	}
	h.store.mu.Unlock()
	for range 3 { // Twilio sends it again, say
		h.expect(t, "/c/K/x", "done", "the request")
	}
	if err := <-moved; err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Zero.", "One."}, said(h.record(t))); diff != "" {
		t.Errorf("the story (-want +got):\n%s", diff)
	}
}

// The view is written when it has changed, and a tick that changes nothing writes nothing at all.
func TestAQuietTickLeavesTheRecordAlone(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	quiet := false
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		if quiet {
			return integration.Outcome{Response: ok("tick")}, nil
		}
		return integration.Outcome{Response: ok("done"), Session: inCall("holding")}, nil
	}
	h.expect(t, "/c/K/x", "done", "the first request")
	written := h.record(t).UpdatedAt
	clk.Advance(time.Minute)
	h.expect(t, "/c/K/x", "done", "the same view again")
	if got := h.record(t).UpdatedAt; !got.Equal(written) {
		t.Errorf("a view that is as it was was written again, at %v", got)
	}
	quiet = true
	commits := h.store.count()
	h.expect(t, "/c/K/x", "tick", "a tick")
	if n := h.store.count() - commits; n != 0 {
		t.Errorf("a quiet tick made %d commits", n)
	}
}

// A snapshot of an earlier change, from a copy of the platform's database that is behind, tells
// nothing.
func TestAnOlderSnapshotTellsNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		return integration.Outcome{Session: inCall(fmt.Sprint(req.Facts.Alert.Change))}, nil
	}
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok("done"), Session: inCall("holding")}, nil
	}
	h.expect(t, "/c/K/x", "done", "the first request")
	h.start(t)
	show := func(change int64, status integration.AlertStatus) {
		h.platform.set(func(p *fakePlatform) {
			p.alerts["a1"] = integration.AlertSnapshot{Key: "a1", ID: "7", Status: status, Change: change}
		})
		reads := h.platform.times("alert")
		h.platform.hints <- hint(h.id, "a1")
		eventually(t, "the reading", func() bool { return h.platform.times("alert") > reads })
	}
	show(5, integration.AlertDropped)
	eventually(t, "the first commit", func() bool { return h.record(t).View.State == "5" })
	show(1, integration.AlertOpen)
	show(6, integration.AlertResolved)
	eventually(t, "the last commit", func() bool { return h.record(t).View.State == "6" })
	want := []string{"The alert was dropped: nobody on call acknowledged it.", "The alert was resolved."}
	if diff := cmp.Diff(want, said(h.record(t))); diff != "" {
		t.Errorf("the story (-want +got):\n%s", diff)
	}
}

func TestRecordsAreKeptForTheirTime(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk), func(c *engine.Config) { c.KeepCalls = 40 * 24 * time.Hour })
	for key, age := range map[string]int{"old": 41, "young": 39} {
		view := &integration.CallView{ID: key, Ended: "hung_up", EndedAt: clk.Now().AddDate(0, 0, -age)}
		_, err := h.store.Commit(t.Context(), store.Commit{Integration: h.id, Key: key, Now: clk.Now(), Call: &store.CallUpdate{New: true, View: view}})
		if err != nil {
			t.Fatal(err)
		}
	}
	h.start(t)
	eventually(t, "the end of the old record", func() bool {
		_, err := h.store.Call(t.Context(), h.id, "old")
		return integration.KindOf(err) == integration.KindNotFound
	})
	if _, err := h.store.Call(t.Context(), h.id, "young"); err != nil {
		t.Errorf("the younger record: %v", err)
	}
}

// On a platform that makes no alert before it is routed, a caller who hangs up first leaves none:
// the story does not speak of one.
func TestAnAlertThatIsNeverMadeIsNotInTheStory(t *testing.T) {
	t.Parallel()
	h := newHost(t, routedOnly)
	commands := []integration.AlertCommand{
		{Number: 1, Kind: integration.AlertCreate, AlertKey: "a1", Draft: &integration.AlertDraft{Title: "Incoming call"}},
		{Number: 2, Kind: integration.AlertLog, AlertKey: "a1", Text: "The caller hears the menu."},
	}
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok("done"), Session: inCall("choosing"), Alert: commands}, nil
	}
	h.expect(t, "/c/K/x", "done", "the call")
	commands = []integration.AlertCommand{
		{Number: 3, Kind: integration.AlertLog, AlertKey: "a1", Text: "The caller hung up."},
		{Number: 4, Kind: integration.AlertResolve, AlertKey: "a1", Text: "the call is over"},
	}
	h.expect(t, "/c/K/x", "done", "its end")
	if diff := cmp.Diff([]string{"The caller hears the menu.", "The caller hung up."}, said(h.record(t))); diff != "" {
		t.Errorf("the story (-want +got):\n%s", diff)
	}
	if title := h.record(t).Alert.Title; title != "Incoming call" {
		t.Errorf("the title is %q", title)
	}
}

// Who has heard a recording on the phone is noted with it, by the commit that says so.
func TestTheRecordOfACallSaysWhoHeardARecording(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	at := h.clock.Now().Truncate(time.Millisecond).UTC()
	voicemail := integration.MediaRef{Ref: "media:1", Name: "voicemail.mp3", ContentType: "audio/mpeg", Bytes: 9}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if req.Path == "/c/K/heard" {
			return integration.Outcome{Response: ok("done"), Heard: []integration.Heard{{Ref: "media:1", User: "alice", At: at}}}, nil
		}
		return integration.Outcome{Response: ok("done"), Session: inCall("ended"), Alert: []integration.AlertCommand{
			{Number: 1, Kind: integration.AlertCreate, AlertKey: "a1", At: at, Draft: &integration.AlertDraft{Title: "Incoming call"}},
			{Number: 2, Kind: integration.AlertAttach, AlertKey: "a1", At: at, Label: "Voicemail", Media: &voicemail},
		}}, nil
	}
	h.expect(t, "/c/K/x", "done", "the message")
	if got := h.record(t); got.Unheard != 1 {
		t.Errorf("%d recordings are unheard, want 1", got.Unheard)
	}
	h.expect(t, "/c/K/heard", "done", "the key after the message")
	got := h.record(t)
	if got.Unheard != 0 {
		t.Errorf("%d recordings are unheard after it was heard", got.Unheard)
	}
	if diff := cmp.Diff([]store.Heard{{By: "alice", At: at}}, got.Recordings[0].Heard); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
}
