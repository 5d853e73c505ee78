package transport

import (
	"context"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestTextThatIsNotUTF8CostsNoCall sends such text both ways, in fields, lists and maps.
func TestTextThatIsNotUTF8CostsNoCall(t *testing.T) {
	t.Parallel()
	const odd, mended = "caf\xe9", "caf\ufffd"
	var got integration.PerformRequest
	conn := dial(t, scripted{
		perform: func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
			got = req
			return integration.TaskResult{Media: []integration.MediaContent{{Name: odd}}}, nil
		},
	})
	req := integration.PerformRequest{Task: integration.Task{Name: odd}, Facts: integration.Facts{
		Instance:     integration.Instance{MediaURLs: map[string]string{odd: odd}},
		Destinations: []integration.Destination{{Name: odd}},
	}}
	result, err := conn.Perform(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if got.Task.Name != mended || got.Facts.Instance.MediaURLs[mended] != mended || got.Facts.Destinations[0].Name != mended {
		t.Errorf("the plugin got %+v", got)
	}
	if len(result.Media) != 1 || result.Media[0].Name != mended {
		t.Errorf("the host got %+v", result)
	}
	if req.Facts.Instance.MediaURLs[odd] != odd {
		t.Errorf("the host's own facts were changed: %v", req.Facts.Instance.MediaURLs)
	}
}
