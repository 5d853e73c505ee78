package record

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// What a request and what follows it say of a call are one update, in which the later word counts
// and no line, field or recording is lost.
func TestTwoUpdatesOfARecordAreOne(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	first := store.CallUpdate{
		New: true, IntegrationName: "Hotline", View: &integration.CallView{ID: "K", State: "menu"}, Live: true,
		Alert:      store.CallAlert{Key: "K", ID: "7", URL: "https://hotline.example.com/alerts/7", Title: "A call"},
		Fields:     []integration.AlertField{{Label: "Caller", Value: "+12025550100"}},
		Story:      []store.StoryLine{{At: at, Text: "An alert was created."}},
		Recordings: []store.Recording{{Media: integration.MediaRef{Ref: "media:1"}, Label: "Voicemail", At: at}},
		Heard:      []store.RecordingHeard{{Ref: "media:1"}},
	}
	second := store.CallUpdate{
		IntegrationName: "Support", View: &integration.CallView{ID: "K", State: "paged"},
		Alert:      store.CallAlert{Key: "L", ID: "8", URL: "https://hotline.example.com/alerts/8", Title: "Another call"},
		Fields:     []integration.AlertField{{Label: "Team", Value: "DevOps"}},
		Story:      []store.StoryLine{{At: at, Text: "Layer 1 is being paged."}},
		Recordings: []store.Recording{{Media: integration.MediaRef{Ref: "media:2"}, Label: "Voicemail", At: at}},
		Heard:      []store.RecordingHeard{{Ref: "media:2"}},
	}
	whole := second
	whole.New = true
	whole.Fields = append(first.Fields[:1:1], second.Fields...)
	whole.Story = append(first.Story[:1:1], second.Story...)
	whole.Recordings = append(first.Recordings[:1:1], second.Recordings...)
	whole.Heard = append(first.Heard[:1:1], second.Heard...)
	one, two := first, second
	for name, tc := range map[string]struct{ first, second, want *store.CallUpdate }{
		"both":                    {&first, &second, &whole},
		"the first alone":         {&first, nil, &one},
		"the second alone":        {nil, &second, &two},
		"none":                    {nil, nil, nil},
		"a second that is silent": {&first, &store.CallUpdate{}, &one},
	} {
		if diff := cmp.Diff(tc.want, Join(tc.first, tc.second)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
