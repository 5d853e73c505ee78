package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/formats"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// FindingPlatform is the code of the finding that the host raises with every integration while the
// platform has findings of its own, and clears when it has none; see platform.Finder.
const FindingPlatform = "host-platform"

// FindingNewerFormat is the code of the finding that the host raises when its plugin is older than
// the one that wrote a call's state or task.
const FindingNewerFormat = formats.FindingNewerFormat

const (
	platformFindingsEvery = 30 * time.Second
	platformFindingsShown = 5 // sentences in one finding; the rest is counted
)

// watchFindings brings what the platform finds to the integrations until ctx ends. For a platform
// that finds nothing it only clears what the one of the last start may have left.
func (e *Engine) watchFindings(ctx context.Context) error {
	finds := e.platform.Finds()
	for {
		err := e.showPlatformFindings(ctx)
		if err != nil && ctx.Err() == nil {
			e.log.Warn("cannot save what the platform finds, will retry", "error", err)
		}
		if err == nil && !finds {
			return nil
		}
		if err := clock.Sleep(ctx, e.clock, platformFindingsEvery); err != nil {
			return err
		}
	}
}

// showPlatformFindings makes the finding of every integration say what the platform finds now. What
// is there already, with the same words, costs no write.
func (e *Engine) showPlatformFindings(ctx context.Context) error {
	sentences, err := e.platform.Findings(ctx)
	if err != nil {
		return err
	}
	now := integration.Finding{Code: FindingPlatform, Severity: integration.FindingClear, At: e.clock.Now(), Message: inOneFinding(sentences)}
	if now.Message != "" {
		now.Severity = integration.FindingWarning
	}
	list, err := e.store.ListIntegrations(ctx)
	if err != nil {
		return err
	}
	for _, in := range list {
		have, err := e.store.Findings(ctx, in.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(have, func(f integration.Finding) bool { return f.Code == FindingPlatform })
		if i < 0 && now.Message == "" || i >= 0 && have[i].Message == now.Message {
			continue
		}
		e.known.Find(ctx, in.ID, now)
	}
	return nil
}

// inOneFinding joins a platform's sentences; "" if there are none. One finding holds them all, as
// findings are distinguished by code, and the sentences have none.
func inOneFinding(sentences []string) string {
	more := ""
	if n := len(sentences) - platformFindingsShown; n > 0 {
		sentences, more = sentences[:platformFindingsShown], fmt.Sprintf(" And %d more.", n)
	}
	if len(sentences) == 0 {
		return ""
	}
	return "The platform reports: " + strings.Join(sentences, ". ") + "." + more
}
