package record

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
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
		{integration.AlertCommand{Kind: integration.AlertAttach, Label: "Voicemail 2", Media: media(2 * time.Minute)}, "Voicemail 2 stored (2 min)."},
		{integration.AlertCommand{Kind: integration.AlertAttach, Media: media(0)}, "Recording stored."},
		{integration.AlertCommand{Kind: integration.AlertAttach}, ""},
		{integration.AlertCommand{Kind: integration.AlertAddField, Field: &integration.AlertField{Label: "a"}}, ""},
		{integration.AlertCommand{Kind: integration.AlertAddField}, ""},
		{integration.AlertCommand{Kind: integration.AlertAcknowledge}, ""},
	} {
		tt.cmd.Number, tt.cmd.At, tt.cmd.Actor = 7, at, "alice"
		for _, made := range []bool{true, false} {
			var u store.CallUpdate
			Command(&u, tt.cmd, made, view, known)
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
	Command(&u, integration.AlertCommand{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Call from +12025550143", Fields: fields}}, true, &integration.CallView{}, nil)
	if diff := cmp.Diff(fields, u.Fields); diff != "" || u.Alert.Title != "Call from +12025550143" {
		t.Errorf("title %q, fields (-want +got):\n%s", u.Alert.Title, diff)
	}
}
