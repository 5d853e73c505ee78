package known

import (
	"context"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Findings reads the findings of an integration, at most once a second. While the store fails the
// last known ones serve; known is false if there are none, which does not mean that there is no
// finding.
func (k *Known) Findings(ctx context.Context, id string) (list []integration.Finding, known bool) {
	now := k.clock.Now()
	last, ok := k.findings.Get(id)
	if ok && now.Sub(last.At) < instanceTTL {
		return slices.Clone(last.Value), true
	}
	list, err := k.store.Findings(ctx, id)
	if err != nil {
		k.log.Warn("cannot read findings; using last known ones", "integration", id, "error", err)
		return slices.Clone(last.Value), ok
	}
	k.findings.Put(id, list, now)
	return slices.Clone(list), true
}

// Find saves a finding of the host's own.
func (k *Known) Find(ctx context.Context, id string, f integration.Finding) {
	if err := k.store.SaveFindings(ctx, id, []integration.Finding{f}); err != nil {
		k.log.Warn("cannot save finding", "integration", id, "finding", f.Code, "error", err)
		return
	}
	k.findings.Forget(id)
}

// Show saves a finding of the host's own. One that is to be cleared, and of which it is known that
// it is not there, costs no write.
func (k *Known) Show(ctx context.Context, id string, f integration.Finding) {
	there, known := k.Finding(ctx, id, f.Code)
	if f.Severity != integration.FindingClear || there || !known {
		k.Find(ctx, id, f)
	}
}

// Finding reports whether there is a finding of this code; known is false if that cannot be said
// now.
func (k *Known) Finding(ctx context.Context, id, code string) (there, known bool) {
	list, known := k.Findings(ctx, id)
	return slices.ContainsFunc(list, func(f integration.Finding) bool {
		return f.Code == code && f.Severity != integration.FindingClear
	}), known
}

// FindingsChanged makes the next reader ask the store.
func (k *Known) FindingsChanged(id string) { k.findings.Forget(id) }
