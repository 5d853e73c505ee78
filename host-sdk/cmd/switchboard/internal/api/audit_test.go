package api

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/access"
)

// The audit's page names in words whatever the API writes down.
func TestEveryAuditedActionHasWords(t *testing.T) {
	t.Parallel()
	for _, r := range New(Config{}).Routes() {
		if words := access.Words(r.Action); strings.Contains(words, ".") {
			t.Errorf("%s %s is audited as %q, which the page of the audit has no words for", r.Method, r.Path, r.Action)
		}
	}
}
