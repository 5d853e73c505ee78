package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestNothingOfARequestIsLeftForTheNext makes requests one after the other where the messages of
// the one before lay, large ones and small ones, and compares each with one that is made anew.
func TestNothingOfARequestIsLeftForTheNext(t *testing.T) {
	t.Parallel()
	large, _ := tickMessages()
	small := integration.WebhookRequest{Method: "GET", Header: map[string][]string{"A": {"", "1"}, "B": nil}}
	larger := large
	larger.Header = map[string][]string{"User-Agent": {"another caller"}, "X-One": {"1"}, "X-Two": {"2"}, "X-Three": {"3", "4"}, "X-Four": {"5"}}
	for range 20 {
		larger.Facts.Findings = append(larger.Facts.Findings, large.Facts.Findings...)
		larger.Facts.Destinations = append(larger.Facts.Destinations, large.Facts.Destinations...)
	}
	again := new(messages)
	for i, req := range []integration.WebhookRequest{large, small, {}, larger, small, large, larger, {}, large} {
		got, want := webhookRequestToPB(again, req), webhookRequestToPB(new(messages), req)
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("request %d (-anew +where another lay):\n%s", i, diff)
		}
		if _, err := proto.Marshal(got); err != nil {
			t.Error(err)
		}
		again.reset()
	}
}
