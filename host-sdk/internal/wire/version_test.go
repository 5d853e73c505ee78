package wire

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// TestProtocolVersion holds together what the contract, the .proto files and the generated code
// say.
func TestProtocolVersion(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../proto/livecall/v1/integration.proto")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("Protocol version %d, minor %d.", integration.ProtocolVersion, integration.ProtocolMinor),
		fmt.Sprintf("package livecall.v%d;", integration.ProtocolVersion),
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("integration.proto does not say %q", want)
		}
	}
	if got := pb.IntegrationService_ServiceDesc.ServiceName; got != Service {
		t.Errorf("the generated service is %s, a drain counts calls of %s", got, Service)
	}
}
