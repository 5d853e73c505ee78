package app

import (
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/actions"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/render"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

const (
	// ringRounds is how often a test ring asks for a key.
	ringRounds = 3
	// ringKept is how long it is remembered that a test ring was confirmed: longer than a host
	// looks.
	ringKept = time.Hour
)

// testRing answers the requests of a test ring, whose session the key names. Its token says that
// the address is ours; nothing is looked up, and the key 1 alone is remembered. A signature is not
// asked for: the token is in the address, and the worst that a forger could do is confirm a test.
func (a *App) testRing(req integration.WebhookRequest, key string) integration.Outcome {
	f := req.Facts
	parsed := twilio.ParseForm(req.Method, req.URL, req.Body)
	if parsed.TooMany {
		return refused(req, "it has more fields than a request of Twilio")
	}
	o := a.documents.load(f.Instance)
	w := twilio.ParseWebhook(parsed.Values)
	links := endpoint.NewLinks(f.Instance, key)
	switch {
	case f.SessionKey != "" && f.SessionKey != key, w.AccountSID != o.Account.SID:
		return refused(req, "the request is about another account or session")
	case !links.Valid(req.Path, parsed.Values.Get(endpoint.QueryToken)):
		return refused(req, "the token in the address is wrong")
	}
	if parsed.Values.Get("Digits") == "1" {
		resp := render.TestRingHeard(o.Options)
		return integration.Outcome{Response: &resp, Session: &integration.SessionUpdate{
			State: encode(actions.RingState{Confirmed: true}), Format: actions.RingFormat, ExpiresAt: f.Now.Add(ringKept),
		}}
	}
	// Anything else than a round that is still to come ends the ring, so no address makes it
	// endless.
	round, err := strconv.Atoi(parsed.Values.Get(endpoint.QueryStep))
	resp := render.Farewell(o.Options)
	if err == nil && round >= 0 && round < ringRounds {
		resp = render.TestRing(o.Options, f.Instance.Name, links.Ring(round+1))
	}
	return integration.Outcome{Response: &resp}
}
