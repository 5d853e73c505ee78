package layout

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
)

// TestWays sends a person a test by the ways of the kind that a form names, and says what came of
// each. The error is for the host's own faults: what cannot be tested is a notice, too. Notices, of
// what was sent and of what was refused alike, are shown in their order.
func (s *Site) TestWays(r *http.Request, user string) ([]Notice, error) {
	if s.Ways == nil {
		return []Notice{{Tone: "warn", Text: "Another platform has the people and pages them: try it there."}}, nil
	}
	results, err := s.Ways.Test(r.Context(), user, r.PostFormValue("way"))
	if notices, err := refusedTest(err); err != nil || notices != nil {
		return notices, err
	}
	var out []Notice
	for _, r := range results {
		out = append(out, noticeOf(r))
	}
	return out, nil
}

// refusedTest is the notice that a test was refused. The error is for the host's own faults. nil,
// nil: it was not refused.
func refusedTest(err error) ([]Notice, error) {
	if err == nil || integration.KindOf(err) == integration.KindInternal {
		return nil, err
	}
	return []Notice{{Tone: "warn", Text: httpkit.Message(err)}}, nil
}

// noticeOf says what came of a test. An occupied phone was never called, so it must not read as if
// it had rung.
func noticeOf(r ways.Result) Notice {
	tone, by := "ok", "Mail to "
	if !r.OK {
		tone = "bad"
	}
	switch r.Way {
	case ways.Notify:
		by = ""
	case ways.Ring:
		by = r.Via + " rang "
		if r.Outcome == integration.RingOccupied {
			by = r.Via + " did not ring "
		}
	}
	return Notice{Tone: tone, Text: by + phone.DisplayIn(r.To) + ": " + r.Text}
}

// WaysOf are the ways of a person, for a page; none where another platform has the people.
func (s *Site) WaysOf(user string) []ways.Way {
	if s.Ways == nil || user == "" {
		return nil
	}
	p, _ := s.Ways.Of(user)
	return p.Ways
}
