package record_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
)

// What is recorded arrives as it was sent, with its length: a server that knows no chunks would
// take the end of an empty body for the next request.
func TestARecordedRequestArrivesAsItWasSent(t *testing.T) {
	t.Parallel()
	doc, err := record.NewDocument()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%d %s %v", r.ContentLength, body, r.TransferEncoding)
	}))
	t.Cleanup(server.Close)
	client := &http.Client{Transport: record.New(http.DefaultTransport, "", doc)}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost} {
		for body, want := range map[string]string{"": "0  []", "{}": "2 {} []"} {
			req, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/v1/health", bytes.NewReader([]byte(body)))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || string(got) != want {
				t.Errorf("%s %q arrives as %q (%v), want %q", method, body, got, err, want)
			}
		}
	}
}
