package phone

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// unknownRegion is libphonenumber's word for "no default country".
const unknownRegion = "ZZ"

// e164 is the international form: a plus sign and at most 15 digits (ITU-T E.164).
var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// IsE164 reports whether s has the form of an international number. It does not look at the
// country's numbering plan: see [Read].
func IsE164(s string) bool { return e164.MatchString(s) }

// maxLength bounds what is looked at: no telephone number is longer, whatever its punctuation.
const maxLength = 64

// Read reads a number as people write it ("+1 (202) 555-0143", "tel:+12025550143", "020 7946 0123"
// with the country GB) and returns its E.164 form. The country is an ISO 3166 code of two letters
// that applies to numbers without a plus sign; "" means none.
//
// The error is a sentence for people that says what is wrong and how to write the number. A number
// that is too short or too long for its country is refused. One whose range the numbering plan does
// not list is not, because plans grow: [Doubtful] tells.
func Read(text, country string) (string, error) {
	n, err := parse(text, country)
	if err != nil {
		return "", err
	}
	if n.GetExtension() != "" {
		return "", fmt.Errorf("%q has an extension, which cannot be dialed: leave it out", text)
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// parse reads a number and checks its length against its country's plan.
func parse(text, country string) (*phonenumbers.PhoneNumber, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, errors.New("the number is empty")
	case len(text) > maxLength:
		return nil, fmt.Errorf("%.20q… is too long for a telephone number", text)
	}
	region := strings.ToUpper(country)
	if region == "" {
		region = unknownRegion
	}
	n, err := phonenumbers.Parse(text, region)
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode) && !strings.Contains(text, "+"):
		return nil, fmt.Errorf("%q has no country code: write it as +12025550143, with + and the country code", text)
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return nil, fmt.Errorf("%q begins with a country code that does not exist", text)
	case err != nil:
		return nil, fmt.Errorf("%q is not a telephone number: write it as +12025550143, with + and the country code", text)
	}
	switch phonenumbers.IsPossibleNumberWithReason(n) {
	case phonenumbers.IS_POSSIBLE:
		return n, nil
	case phonenumbers.TOO_SHORT:
		return nil, fmt.Errorf("%q is too short for a number of %s", text, itsCountry(n))
	case phonenumbers.TOO_LONG:
		return nil, fmt.Errorf("%q is too long for a number of %s", text, itsCountry(n))
	case phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return nil, fmt.Errorf("%q lacks its area code", text)
	default:
		return nil, fmt.Errorf("%q does not have a length that numbers of %s have", text, itsCountry(n))
	}
}

// itsCountry names a number's country for a sentence.
func itsCountry(n *phonenumbers.PhoneNumber) string {
	return fmt.Sprintf("the country code +%d", n.GetCountryCode())
}

// Doubtful reports whether an E.164 number lies in no range that its country has given out, as far
// as is known. A new range may be missing, so this is a reason to ask, not to refuse.
func Doubtful(number string) bool {
	n, err := phonenumbers.Parse(number, unknownRegion)
	return err != nil || !phonenumbers.IsValidNumber(n)
}

// IsCountry reports whether code is a country for [Read]: two letters of ISO 3166, such as US.
func IsCountry(code string) bool {
	return phonenumbers.GetSupportedRegions()[strings.ToUpper(code)]
}
