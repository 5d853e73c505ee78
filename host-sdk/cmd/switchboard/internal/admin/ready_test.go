package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

// TestAHostThatHangsIsNotReady asks a host that takes the request and never answers, as one that is
// stopped or swaps: a health check hears of it before it is given up itself.
func TestAHostThatHangsIsNotReady(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	host := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(host.Close)
	t.Cleanup(func() { close(over) })
	err := AskReady(t.Context(), settings.Settings{Host: host.URL})
	if err == nil || !strings.Contains(err.Error(), "has not answered for 5s") {
		t.Errorf("AskReady: %v", err)
	}
}
