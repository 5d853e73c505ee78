package call

import (
	"strings"
	"time"
)

// Caller is what is known of the caller and the number that was called.
type Caller struct {
	Sid string `json:"sid,omitempty"` // the caller's CallSid: the session key
	// E.164, to call back; "" = withheld, or no telephone number.
	Number string `json:"number,omitempty"`
	Called string `json:"called,omitempty"` // E.164
	// Address is what came in place of a number: sip:alice@example.com, an extension, a short code.
	// It is shown and read aloud; nothing can be dialed. Withheld: the caller hides the number.
	Address  string `json:"address,omitempty"`
	Withheld bool   `json:"withheld,omitempty"`
	// Banned and Loop concern the arrival: the number is on the list of banned ones; the call comes
	// from the number that was called.
	Banned  bool   `json:"-"`
	Loop    bool   `json:"-"`
	Name    string `json:"name,omitempty"` // looked-up caller name, if Twilio sent one
	City    string `json:"city,omitempty"`
	State   string `json:"state,omitempty"`
	Zip     string `json:"zip,omitempty"`
	Country string `json:"country,omitempty"`
	// Twilio's word on whether the number is the caller's (StirVerstat).
	Attest  string `json:"attest,omitempty"`
	Forward string `json:"forward,omitempty"` // the number the call was forwarded from
}

// Team is a team of the platform.
type Team struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Verdict says whether the call is known to be real.
type Verdict string

// The verdicts. Nobody is woken before one of Signed, Found and Unverified.
const (
	VerdictPending    Verdict = ""           // Twilio is being asked
	VerdictSigned     Verdict = "signed"     // a request of the call had a valid signature
	VerdictFound      Verdict = "found"      // Twilio confirmed it
	VerdictNotFound   Verdict = "not_found"  // Twilio says there is no such call
	VerdictUnverified Verdict = "unverified" // Twilio could not be asked
)

// Verify is the progress of finding out whether the call is real.
type Verify struct {
	Verdict  Verdict `json:"verdict,omitempty"`
	NotFound int     `json:"not_found,omitempty"` // answers "no such call" so far
	// Without any answer by then the call is served unverified.
	GiveUpAt time.Time `json:"give_up_at,omitzero"`
	Wrong    bool      `json:"wrong,omitempty"` // the signature was wrong
	// Busy: the last answer was that too many requests are made, to Twilio or to us. NoVerdict:
	// Twilio was asked once at least and could not say.
	Busy      bool `json:"busy,omitempty"`
	NoVerdict bool `json:"no_verdict,omitempty"`
	Asked     int  `json:"asked,omitempty"` // requests to Twilio for the call before it was proven
}

// Proven reports whether the call is known to be real, or served as such: somebody may be woken for
// it. It is true also of a call that is served unverified: Twilio could not say, and callers must
// not suffer for that.
func (v Verify) Proven() bool {
	switch v.Verdict {
	case VerdictSigned, VerdictFound, VerdictUnverified:
		return true
	case VerdictPending, VerdictNotFound:
		return false
	}
	return false
}

// longestNumber is the most digits that are read aloud: no telephone number is longer (ITU-T E.164,
// with room for a prefix).
const longestNumber = 20

// Label names the caller in a sentence.
func (c Caller) Label() string {
	switch {
	case c.Number != "":
		return c.Number
	case c.Address != "":
		return c.Address
	}
	return "a withheld number"
}

// Aloud is what of the caller is read aloud: the number, or the address where it is made of digits.
func (c Caller) Aloud() string {
	if c.Number == "" && len(c.Address) <= longestNumber && strings.Trim(c.Address, "0123456789") == "" {
		return c.Address
	}
	return c.Number
}

// CallBack tells whoever reads the alert how to reach the caller.
func (c Caller) CallBack() string {
	switch {
	case c.Number != "":
		return "Call back " + c.Number + "."
	case c.Address != "":
		return "The caller's address is " + c.Address + "; it is no number to call back."
	}
	return "The caller's number was withheld."
}

// Shown is the caller's number or address; "" where it is withheld.
func (c Caller) Shown() string {
	if c.Number != "" {
		return c.Number
	}
	return c.Address
}
