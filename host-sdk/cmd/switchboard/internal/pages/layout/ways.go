package layout

import (
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestWays sends a person a test by the ways of the kind that a form names, and says what came of each. The error is for
// the host's own faults: what cannot be tested is a notice, too.
func (s *Site) TestWays(w http.ResponseWriter, r *http.Request, user string) ([]Notice, error) {
	kind, ctx := r.PostFormValue("way"), r.Context()
	var results []ways.Result
	var err error
	switch {
	case kind == ways.Ring && s.Ringer != nil:
		httpkit.Extend(w, time.Now(), ways.RingTime) // wall clock: a deadline of real I/O
		results, err = s.Ringer.Ring(ctx, user, r.PostFormValue("integration"))
	case s.Ways == nil:
		return []Notice{{Tone: "warn", Text: "Another platform has the people and pages them: try it there."}}, nil
	default:
		results, err = s.Ways.Test(ctx, user, kind)
	}
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
		switch r.Way {
		case ways.Notify:
			by = ""
		case ways.Ring:
			by = r.Via + " rang "
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
