package draft

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/wording"
)

// Mail is the mail about a message that a caller left. Its key tells several messages of a call
// apart, and keeps each from being mailed twice. It is made once for each message, with or without
// audio; the host adds recipients' addresses, the attachment and links. taken are the names of
// those who have acknowledged the alert: whoever is mailed is to know whether somebody sees to it.
func Mail(s *call.State, r *call.Recording, lead string, taken []string, now time.Time) effect.Mail {
	c, v := s.Caller, &s.Voicemail
	out := effect.Mail{
		Key: "voicemail", Teams: s.TeamIDs(), Subject: "Voicemail from " + c.Label(), Lead: lead,
		Transcript: r.Transcript, Media: r.Media.Reference(), At: now,
	}
	// A message that came to light without the offer, by a look-up, has no better time than now.
	// Nor has a further one: the offer may be that of the first.
	left := v.OfferedAt
	if left.IsZero() {
		left = now
	}
	// Each message of a call is a mail of its own.
	if n := v.Told(); n > 1 {
		out.Key += "-" + strconv.Itoa(n)
		out.Subject, left = "Further voicemail from "+c.Label(), now
	}
	var names []string
	for _, t := range s.Teams {
		names = append(names, t.Name)
	}
	// A caller who chose a team left the message for it; otherwise it is everybody's.
	if s.Team != nil {
		names = []string{s.Team.Name}
		out.Subject += " for " + s.Team.Name
	}
	caller := c.Shown()
	if caller == "" {
		caller = "withheld"
	}
	// The place is that of the number's registration and not where the caller is.
	place := slices.DeleteFunc([]string{c.City, c.State, c.Zip, c.Country}, func(s string) bool { return s == "" })
	for _, f := range []integration.AlertField{
		TextField("Caller", caller), TextField("Caller's name", c.Name),
		TextField("From", strings.Join(place, ", ")),
		PhoneField("Called", c.Called), TextField("Team", strings.Join(names, ", ")), TextField("Taken by", strings.Join(taken, ", ")),
		TextField("Time", left.UTC().Format("Mon 2 Jan 2006 15:04 UTC")),
		TextField("Length", wording.Lasting(time.Duration(r.Seconds)*time.Second)),
	} {
		// A withheld caller, or an address, cannot be called with a touch.
		if f.Label == "Caller" && c.Number != "" {
			f.Format = integration.FieldPhone
		}
		if f.Value != "" {
			out.Fields = append(out.Fields, f)
		}
	}
	return out
}
