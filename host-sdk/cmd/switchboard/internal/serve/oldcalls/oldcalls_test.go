package oldcalls

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Calls of a release that kept stories and recordings on the alert alone have them in their records
// after the upgrade, each once, and calls since have no copy beside what they recorded themselves.
func TestOlderCallsGetTheHistoryOfTheirAlerts(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	began := h.Clock.Now()
	for i, at := range []time.Time{began.Add(-time.Hour), began.Add(-time.Minute), began.Add(time.Hour)} {
		key := fmt.Sprint("CA", i)
		view := &integration.CallView{ID: key}
		_, err := h.Store.Commit(t.Context(), store.Commit{Integration: "a", Key: key, Now: at, Session: &store.Session{Call: view, AlertKey: key},
			Call: &store.CallUpdate{New: true, View: view, Alert: store.CallAlert{Key: key}}})
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			continue // its alert is gone
		}
		for n, cmd := range []integration.AlertCommand{
			{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Incoming call", Fields: []integration.AlertField{{Label: "Caller", Value: "Joe"}}}},
			{Kind: integration.AlertLog, Text: "Alice Example talks with the caller.", Actor: "alice"},
			{Kind: integration.AlertAttach, Label: "Voicemail", Media: &integration.MediaRef{Ref: "media:1", Name: "voicemail.wav"}},
		} {
			cmd.AlertKey, cmd.Number, cmd.At = key, int64(n+1), at
			if err := h.Platform.Apply(t.Context(), platform.Scope{Integration: "a"}, cmd); err != nil {
				t.Fatal(err)
			}
		}
	}
	old := Copier{Store: h.Store, Platform: h.Platform, Clock: h.Clock, Log: h.Logger}
	for range 2 {
		// As if the first attempt was cut off.
		if err := old.copyAll(t.Context(), h.Platform, began); err != nil {
			t.Fatal(err)
		}
		if err := old.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[string][]string{"CA0": {"Created", "Alice Example talks with the caller.", "Voicemail stored"}, "CA1": nil, "CA2": nil} {
		c, err := h.Store.Call(t.Context(), "a", key)
		if err != nil {
			t.Fatal(err)
		}
		var story []string
		for _, l := range c.Story {
			story = append(story, l.Text)
		}
		if diff := cmp.Diff(want, story); diff != "" {
			t.Errorf("%s: the story (-want +got):\n%s", key, diff)
		}
		if key != "CA0" {
			continue
		}
		if len(c.Recordings) != 1 || c.Recordings[0].Media.Ref != "media:1" || len(c.Fields) != 1 || c.Alert.Title != "Incoming call" || c.Alert.ID == "" || c.Alert.URL == "" {
			t.Errorf("the record is %+v", c)
		}
	}
	if value, err := h.Store.Setting(t.Context(), recordsBegan); err != nil || value != copied {
		t.Errorf("the setting is %q, %v; it would be done again", value, err)
	}
}
