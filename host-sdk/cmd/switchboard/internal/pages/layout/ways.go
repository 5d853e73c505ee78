package layout

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestWays sends a person a test by the ways of a kind, and says what came of each. The error is for
// the host's own faults: what cannot be tested is a notice, too.
func (s *Site) TestWays(ctx context.Context, user, kind string) ([]Notice, error) {
	if s.Ways == nil {
		return []Notice{{Tone: "warn", Text: "Another platform has the people and pages them: try it there."}}, nil
	}
	results, err := s.Ways.Test(ctx, user, kind)
	if integration.KindOf(err) == integration.KindInternal {
		return nil, err
	}
	if err != nil {
		return []Notice{{Tone: "warn", Text: httpkit.Message(err)}}, nil
	}
	var out []Notice
	for _, r := range results {
		tone, by := "ok", "Mail to "
		if !r.OK {
			tone = "bad"
		}
		if r.Way == ways.Notify {
			by = ""
		}
		out = append(out, Notice{Tone: tone, Text: by + r.To + ": " + r.Text})
	}
	return out, nil
}

// WaysOf are the ways of a person, for a page; none where another platform has the people.
func (s *Site) WaysOf(user string) []ways.Way {
	if s.Ways == nil || user == "" {
		return nil
	}
	p, _ := s.Ways.Of(user)
	return p.Ways
}
