package wire

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// tickMessages are a request about a call on hold, with facts as they are then, and its outcome.
func tickMessages() (integration.WebhookRequest, integration.Outcome) {
	now := time.Unix(1_800_000_000, 0)
	req := integration.WebhookRequest{
		Method: "POST", URL: "https://hotline.example.com/integrations/01/c/CA1/tick?v=1&s=1&n=3&t=AAAAAAAAAAAAAAAAAAAAAA", Path: "/c/CA1/tick",
		Header: map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Some-Signature": {"AAAAAAAAAAAAAAAAAAAAAAAAAAA="}, "User-Agent": {"caller"}},
		Body:   []byte(strings.Repeat("Parameter=0123456789&", 20)), RemoteAddr: "192.0.2.1", ReceivedAt: now,
		Facts: integration.Facts{
			Now: now, SessionKey: "CA1", SeenAt: now, HearingSince: now, WriteFormats: integration.Formats{State: 3, Task: 1, Path: 1, Options: 1},
			Instance:     integration.Instance{ID: "01", Name: "Hotline", Revision: 1, SavedAt: now, Options: make([]byte, 1500), EndpointURL: "https://hotline.example.com/integrations/01", TokenKey: make([]byte, 32), State: integration.HostActive},
			Session:      &integration.Session{Key: "CA1", Version: 4, State: make([]byte, 900), Format: 3, CreatedAt: now, UpdatedAt: now},
			Destinations: []integration.Destination{{Kind: integration.DestinationTeam, ID: "devops", Name: "DevOps"}, {Kind: integration.DestinationTeam, ID: "support", Name: "Support"}},
			Alert:        &integration.AlertSnapshot{Key: "CA1", ID: "7", Status: integration.AlertOpen, Teams: []string{"devops"}, Layer: 1, Round: 1, ReadAt: now},
			Findings:     []integration.Finding{{Code: "signature-valid", Severity: integration.FindingInfo, Field: "auth_token", At: now, Message: "Requests carry valid signatures."}},
		},
	}
	return req, integration.Outcome{Seen: true, Response: &integration.Response{
		Status: 200, Header: map[string][]string{"Content-Type": {"text/xml"}, "Cache-Control": {"no-store"}}, Body: make([]byte, 700),
	}}
}

// TestTheMessagesOfATickAllocateLittle counts what both sides allocate to write and read them,
// without the connection. It runs beside no other test, and nothing of it depends on time.
func TestTheMessagesOfATickAllocateLittle(t *testing.T) {
	req, outcome := tickMessages()
	asked, err := proto.Marshal(webhookRequestToPB(new(messages), req))
	if err != nil {
		t.Fatal(err)
	}
	answered, err := proto.Marshal(webhookResponseToPB(outcome))
	if err != nil {
		t.Fatal(err)
	}
	write := func(m proto.Message) {
		data, err := Codec().Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		data.Free()
	}
	read := func(data []byte, m proto.Message) {
		if err := proto.Unmarshal(data, m); err != nil {
			t.Fatal(err)
		}
	}
	// When it was written: 20 objects and 1.9 kB, and 87 and 8.7 kB. The race detector empties
	// pools.
	for _, side := range []struct {
		name            string
		most, mostBytes uint64
		run             func()
	}{
		{"host", 40, 6_500, func() {
			room := freeMessages.Get().(*messages)
			write(webhookRequestToPB(room, req))
			room.free()
			var m pb.HandleWebhookResponse
			read(answered, &m)
			webhookResponseFromPB(&m)
		}},
		{"plugin", 105, 11_000, func() {
			var m pb.HandleWebhookRequest
			read(asked, &m)
			webhookRequestFromPB(&m)
			write(webhookResponseToPB(outcome))
		}},
	} {
		objects, bytes := allocated(side.run)
		t.Logf("%s: %d objects, %d bytes", side.name, objects, bytes)
		if objects > side.most || bytes > side.mostBytes {
			t.Errorf("the %s allocates %d objects and %d bytes for the messages of a tick, want at most %d and %d", side.name, objects, bytes, side.most, side.mostBytes)
		}
	}
}

// allocated is how many objects and bytes f allocates, on average of many runs.
func allocated(f func()) (objects, bytes uint64) {
	const runs = 500
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f() // fills pools and caches
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.Mallocs - before.Mallocs) / runs, (after.TotalAlloc - before.TotalAlloc) / runs
}
