package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// The story of a call says in words what was asked of its alert; what comes of some commands is
// seen on the alert itself, and of an alert that is perhaps never made nothing is said.
func TestTheStorySaysWhatWasAskedOfTheAlert(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	view := &integration.CallView{Team: "devops", TeamName: "DevOps as it was"}
	known := []integration.Destination{
		{Kind: integration.DestinationTeam, ID: "ops", Name: "Operations"},
		{Kind: integration.DestinationRouter, ID: "web", Name: "A router"},
		{Kind: integration.DestinationTeam, ID: "nameless"},
	}
	media := func(length time.Duration) *integration.MediaRef {
		return &integration.MediaRef{Ref: "media:1", Duration: length}
	}
	for _, tt := range []struct {
		cmd  integration.AlertCommand
		want string
	}{
		{integration.AlertCommand{Kind: integration.AlertCreate}, "An alert was created."},
		{integration.AlertCommand{Kind: integration.AlertRoute, Teams: []string{"devops"}}, "The alert was routed to DevOps as it was."},
		{integration.AlertCommand{Kind: integration.AlertRoute, Teams: []string{"ops", "devops", "web", "nameless"}}, "The alert was routed to Operations, DevOps as it was, web and nameless."},
		{integration.AlertCommand{Kind: integration.AlertLog, Text: "Alice was called."}, "Alice was called."},
		{integration.AlertCommand{Kind: integration.AlertReopen, Ack: "ack-1", Text: "she passed"}, "The acknowledgement is taken back: she passed."},
		{integration.AlertCommand{Kind: integration.AlertReopen, Text: " Nobody answered. "}, "The alert is to be opened again: Nobody answered."},
		{integration.AlertCommand{Kind: integration.AlertEscalate}, "The alert is to go to the next layer."},
		{integration.AlertCommand{Kind: integration.AlertResolve, Text: "."}, "The alert is to be resolved."},
		{integration.AlertCommand{Kind: integration.AlertAttach, Label: "Voicemail", Media: media(61400 * time.Millisecond)}, "Voicemail stored (1 min 1 s)."},
		{integration.AlertCommand{Kind: integration.AlertAttach, Media: media(100 * time.Millisecond)}, "Recording stored (1 s)."},
		{integration.AlertCommand{Kind: integration.AlertAttach, Media: media(0)}, "Recording stored."},
		{integration.AlertCommand{Kind: integration.AlertAttach}, ""},
		{integration.AlertCommand{Kind: integration.AlertAddField, Field: &integration.AlertField{Label: "a"}}, ""},
		{integration.AlertCommand{Kind: integration.AlertAddField}, ""},
		{integration.AlertCommand{Kind: integration.AlertAcknowledge}, ""},
	} {
		tt.cmd.Number, tt.cmd.At, tt.cmd.Actor = 7, at, "alice"
		for _, made := range []bool{true, false} {
			var u store.CallUpdate
			recordCommand(&u, tt.cmd, made, view, known)
			var want []store.StoryLine
			if tt.want != "" && made {
				want = []store.StoryLine{{Command: 7, At: at, Actor: "alice", Text: tt.want}}
			}
			if diff := cmp.Diff(want, u.Story); diff != "" {
				t.Errorf("%s, made %v (-want +got):\n%s", tt.cmd.Kind, made, diff)
			}
			if got := len(u.Recordings); (got == 1) != (tt.cmd.Media != nil) || got == 1 && u.Recordings[0].Label != tt.cmd.Label {
				t.Errorf("%s: recordings %+v", tt.cmd.Kind, u.Recordings)
			}
			if got := len(u.Fields); (got == 1) != (tt.cmd.Field != nil) {
				t.Errorf("%s: fields %+v", tt.cmd.Kind, u.Fields)
			}
		}
	}
}

// The record has the title and the fields that an alert is made with.
func TestTheRecordHasWhatTheAlertIsMadeWith(t *testing.T) {
	t.Parallel()
	var u store.CallUpdate
	fields := []integration.AlertField{{Label: "Caller", Value: "+12025550143"}}
	recordCommand(&u, integration.AlertCommand{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Call from +12025550143", Fields: fields}}, true, &integration.CallView{}, nil)
	if diff := cmp.Diff(fields, u.Fields); diff != "" || u.Alert.Title != "Call from +12025550143" {
		t.Errorf("title %q, fields (-want +got):\n%s", u.Alert.Title, diff)
	}
}

// A finding about old alerts names the first few, and says whether there are others.
func TestOldAlertsAreNamedUpToThree(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	alert := platform.AlertRecord{AlertSnapshot: integration.AlertSnapshot{Status: integration.AlertOpen}, Title: "Call", CreatedAt: made}
	const (
		one = `"Call", open since 4 March 2026`
		end = ". Resolve what nobody has to do with any more: until then its calls and recordings are kept, whatever their retention says."
	)
	for _, tt := range []struct {
		alerts int
		more   bool
		want   string
	}{
		{1, false, "An alert is neither resolved nor dropped after more than 7 days: " + one + end},
		{3, false, "3 alerts are neither resolved nor dropped after more than 7 days: " + one + "; " + one + "; " + one + end},
		{4, false, "4 alerts are neither resolved nor dropped after more than 7 days: " + one + "; " + one + "; " + one + "; and others" + end},
		{1, true, "At least 1 alerts are neither resolved nor dropped after more than 7 days: " + one + "; and others" + end},
	} {
		var list []platform.AlertRecord
		for range tt.alerts {
			list = append(list, alert)
		}
		if got := longOpenText(list, tt.more); got != tt.want {
			t.Errorf("%d alerts, more %v:\n got %s\nwant %s", tt.alerts, tt.more, got, tt.want)
		}
	}
}

// A commit whose alert is not as it was is made without the alert's change; one that failed for
// another reason would fail without it as well.
func TestOnlyWhatAnAlertsChangeSpoilsIsCommittedWithoutIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{&integration.Error{Kind: integration.KindConflict, Code: store.CodeApart, Message: "the alert is not as it was"}, true},
		{integration.Errorf(integration.KindConflict, "the session has moved"), false},
		{integration.Errorf(integration.KindUnavailable, "the store is down"), false},
		{integration.Errorf(integration.KindDeadline, "not in time"), false},
		{integration.Errorf(integration.KindInternal, "the statements fail"), true},
	} {
		if got := apart(tt.err); got != tt.want {
			t.Errorf("%v: committed apart: %v, want %v", tt.err, got, tt.want)
		}
	}
}
