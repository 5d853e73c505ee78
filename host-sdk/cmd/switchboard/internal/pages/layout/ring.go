package layout

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// ringPoll is after how many seconds a page looks how far a ring has come.
const ringPoll = 2

// Ring is a test ring on a page: who can ring, and how far the last ring of a person has come. Over
// is also true where nothing rings, so that the page does not look again and again.
type Ring struct {
	By    []store.Integration // that can ring, the host's choice first
	Shown bool                // there is something to say of a ring
	Over  bool
	Now   string // what happens, a sentence; "": it is over
	Done  []Notice
	Lost  bool // a ring was asked for of which this host knows nothing
}

// RingOf is the test ring of a person for a page; "" is nobody. asked: the page is that of a ring.
// Only the host that rings knows how far it is: behind a load balancer another one may be asked,
// which then says that it knows nothing.
func (s *Site) RingOf(r *http.Request, user string, asked bool) (Ring, error) {
	if s.Ringer == nil {
		return Ring{Over: true}, nil
	}
	by, err := s.Ringer.Able(r.Context())
	if err != nil {
		return Ring{}, err
	}
	ring := Ring{By: by, Over: true, Lost: asked}
	p, known := s.Ringer.Progress(user)
	if !known {
		return ring, nil
	}
	ring.Shown, ring.Lost, ring.Over = true, false, p.Over
	for _, result := range p.Done {
		ring.Done = append(ring.Done, noticeOf(result))
	}
	// In the order of what says most: refused, over, a phone that rings, a call that begins.
	switch {
	case p.Refused != "":
		ring.Done = append(ring.Done, Notice{Tone: "warn", Text: p.Refused})
	case p.Over:
	case p.Rings != "":
		ring.Now = p.Via + " calls " + p.Rings + ": " + p.Text
	case p.Via != "":
		ring.Now = p.Via + " begins the call…"
	default:
		ring.Now = "The call begins…"
	}
	return ring, nil
}

// Poll is [Page.Poll] of the page: it looks while the phone rings.
func (r Ring) Poll() int {
	if r.Over {
		return 0
	}
	return ringPoll
}

// StartRing begins a test ring that a form asks for. Where it is refused, the notices say why. The
// error is for the host's own faults. No notices and no error: it rings, in the background.
func (s *Site) StartRing(r *http.Request, user string) ([]Notice, error) {
	if s.Ringer == nil {
		return []Notice{{Tone: "warn", Text: "This host cannot ring anybody for a test."}}, nil
	}
	return refusedTest(s.Ringer.Start(r.Context(), user, r.PostFormValue("integration")))
}

// WantsRing reports whether a form asks for a test ring.
func WantsRing(r *http.Request) bool { return r.PostFormValue("way") == ways.Ring }
