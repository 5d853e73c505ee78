package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// What is not there need not be cleared; what nobody knows of may be there.
func TestOnlyFindingsThatAreThereAreCleared(t *testing.T) {
	t.Parallel()
	list := []integration.Finding{{Code: "a", Severity: integration.FindingClear}, {Code: "b", Severity: integration.FindingClear}, {Code: "c", Severity: integration.FindingError}}
	known := integration.Facts{Findings: []integration.Finding{{Code: "b", Severity: integration.FindingWarning}}}
	if d := cmp.Diff(list[1:], newFindings(known, list)); d != "" {
		t.Errorf("with b among the findings (-want +got):\n%s", d)
	}
	if d := cmp.Diff(list, newFindings(integration.Facts{FindingsUnknown: true}, list)); d != "" {
		t.Errorf("with unknown findings (-want +got):\n%s", d)
	}
}
