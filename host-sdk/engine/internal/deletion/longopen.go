package deletion

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// FindingLongOpen is the code of the finding that somebody still has to do with alerts that are
// old.
const FindingLongOpen = "host-long-open"

const (
	// LongOpen is the age at which an alert that is neither resolved nor dropped becomes a finding.
	// After a week the next shift is on call, and the links in the pages about it have ended.
	LongOpen       = 7 * 24 * time.Hour
	longOpenRead   = 100 // alerts of each status that are read
	longOpenNamed  = 3   // that the finding names
	longOpenTitled = 80  // characters of a title
)

// findLongOpen raises or clears the findings about alerts that have been open for very long, where
// the platform lists its alerts. While it cannot say, what was said stays.
func (ds *Deletions) findLongOpen(ctx context.Context, now time.Time) {
	if ds.cfg.Browser == nil {
		return
	}
	integrations, err := ds.patient.ListIntegrations(ctx)
	if err != nil {
		return // the next sweep comes
	}
	for _, in := range integrations {
		list, more, err := longOpen(ctx, ds.cfg.Browser, in.ID, now.Add(-LongOpen))
		if err != nil {
			if ctx.Err() == nil {
				ds.cfg.Log.Warn("cannot see which alerts have been open for long", "integration", in.ID, "error", err)
			}
			return
		}
		f := integration.Finding{Code: FindingLongOpen, Severity: integration.FindingClear, At: now}
		if len(list) > 0 {
			f.Severity, f.Message = integration.FindingWarning, longOpenText(list, more)
		}
		ds.cfg.Known.Show(ctx, in.ID, f)
	}
}

// longOpen reads the alerts of an integration that were made before a time and are not over; more:
// there are others.
func longOpen(ctx context.Context, browser platform.AlertBrowser, id string, before time.Time) (list []platform.AlertRecord, more bool, err error) {
	for _, status := range []integration.AlertStatus{integration.AlertOpen, integration.AlertAcknowledged, integration.AlertQueued} {
		found, next, err := browser.ListAlerts(ctx, platform.AlertFilter{Status: status, Integration: id, Until: before, Limit: longOpenRead})
		if err != nil {
			return nil, false, err
		}
		list, more = append(list, found...), more || next != ""
	}
	return list, more, nil
}

// longOpenText names the first few alerts, and says what to do.
func longOpenText(list []platform.AlertRecord, more bool) string {
	days := int(LongOpen / (24 * time.Hour))
	text := fmt.Sprintf("%d alerts are neither resolved nor dropped after more than %d days", len(list), days)
	switch {
	case more:
		text = "At least " + text
	case len(list) == 1:
		text = fmt.Sprintf("An alert is neither resolved nor dropped after more than %d days", days)
	}
	var named []string
	for _, a := range list[:min(len(list), longOpenNamed)] {
		named = append(named, fmt.Sprintf("%q, %s since %s", oneline.Clean(a.Title, longOpenTitled), a.Status, a.CreatedAt.UTC().Format("2 January 2006")))
	}
	if len(list) > len(named) || more {
		named = append(named, "and others")
	}
	return text + ": " + strings.Join(named, "; ") + ". Resolve what nobody has to do with any more: until then its calls and recordings are kept, whatever their retention says."
}
