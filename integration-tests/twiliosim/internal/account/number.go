package account

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// Number is a telephone number of the account. Source of the fields: Twilio docs,
// phone-numbers/api/incomingphonenumber-resource.
type Number struct {
	Sid, PhoneNumber, FriendlyName string
	VoiceURL, VoiceMethod          string // method default POST
	VoiceFallbackURL               string
	VoiceFallbackMethod            string
	StatusCallback                 string
	StatusCallbackMethod           string
	VoiceCallerIDLookup            bool
	VoiceApplicationSid, TrunkSid  string // while one is set, VoiceURL is not used

	// Created and Updated are set by the account.
	Created, Updated time.Time
}

// AddNumber gives the account a number (+E.164) and returns its SID. It fails if the account has
// the number already.
func (a *Account) AddNumber(n Number) (string, error) {
	if !IsE164(n.PhoneNumber) {
		return "", fmt.Errorf("number %q: %s", n.PhoneNumber, WantE164)
	}
	if n.Sid == "" {
		n.Sid = NewSid("PN")
	}
	orDefault(&n.FriendlyName, n.PhoneNumber)
	n.VoiceMethod = webhook.MethodOr(n.VoiceMethod, http.MethodPost)
	n.VoiceFallbackMethod = webhook.MethodOr(n.VoiceFallbackMethod, http.MethodPost)
	n.StatusCallbackMethod = webhook.MethodOr(n.StatusCallbackMethod, http.MethodPost)
	n.Created = a.Clock.Now()
	n.Updated = n.Created
	a.Lock()
	defer a.Unlock()
	if a.NumberLocked(n.PhoneNumber) != nil {
		return "", fmt.Errorf("number %s: the account has it already", n.PhoneNumber)
	}
	a.Numbers = append(a.Numbers, &n)
	return n.Sid, nil
}

// AllNumbers returns copies of the account's numbers, oldest first.
func (a *Account) AllNumbers() []Number {
	a.Lock()
	defer a.Unlock()
	out := make([]Number, 0, len(a.Numbers))
	for _, n := range a.Numbers {
		out = append(out, *n)
	}
	return out
}

// NumberLocked finds a number of the account; nil if it has no such number.
func (a *Account) NumberLocked(phone string) *Number {
	for _, n := range a.Numbers {
		if n.PhoneNumber == phone {
			return n
		}
	}
	return nil
}

// MayShow reports whether a call may show a number as caller: the account's own and verified ones.
func (a *Account) MayShow(number string) bool {
	a.Lock()
	defer a.Unlock()
	return a.NumberLocked(number) != nil || slices.Contains(a.Config.VerifiedCallerIDs, number)
}

// RegionEdges maps a region to the edge that its API host names. Source: Twilio docs,
// global-infrastructure.
var RegionEdges = map[string]string{"us1": "ashburn", "ie1": "dublin", "au1": "sydney", "jp1": "tokyo"}

// MediaURL returns where Twilio says that a recording is.
func (a *Account) MediaURL(r *Recording) string {
	host := "api.twilio.com"
	if a.Config.Region != "us1" {
		host = "api." + RegionEdges[a.Config.Region] + "." + a.Config.Region + ".twilio.com"
	}
	return (&url.URL{Scheme: "https", Host: host, Path: "/2010-04-01/Accounts/" + a.Config.AccountSid + "/Recordings/" + r.Sid}).String()
}
