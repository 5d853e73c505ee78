package phone

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
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
// The error completes a sentence that begins with the number or with the name of its field: "is too
// short for the country code +1". It does not repeat the text, which may be a secret in the wrong
// place. A number that is too short or too long for its country is refused. One whose range the
// numbering plan does not list is not, because plans grow: see [Doubtful].
func Read(text, country string) (string, error) {
	if len(text) > maxLength {
		return read(text, country) // not worth being remembered
	}
	if known, ok := lately.Get(asked{text, country}); ok {
		return known.number, known.err
	}
	number, err := read(text, country)
	lately.Add(asked{strings.Clone(text), strings.Clone(country)}, answer{number, err})
	return number, err
}

// lately are the last numbers that were read: each call names the number that was called, and a
// caller who is not put through calls again.
var lately, _ = lru.New[asked, answer](256) // fails only for sizes below 1

// asked is what was read; the strings are copies, as a text may be a part of a whole request.
type asked struct{ text, country string }

// answer is what it was read as.
type answer struct {
	number string
	err    error
}

// read is Read of a number that is not remembered.
func read(text, country string) (string, error) {
	n, err := parse(text, country)
	if err != nil {
		return "", err
	}
	if n.GetExtension() != "" {
		return "", errors.New("has an extension, which cannot be dialed: leave it out")
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// ReadCalled reads the number of somebody who has called: one in E.164 form as it is, since plans
// have gaps from which calls come, and others as Read does without a country. The error is a
// sentence with the number, for a field of that name.
func ReadCalled(text string) (string, error) {
	if IsE164(text) {
		return text, nil
	}
	number, err := Read(text, "")
	if err != nil {
		return "", fmt.Errorf("number: %.40q %w", text, err)
	}
	return number, nil
}

// parse reads a number and checks its length against its country's plan.
func parse(text, country string) (*phonenumbers.PhoneNumber, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, errors.New("is empty")
	case len(text) > maxLength:
		return nil, errors.New("is too long for a telephone number")
	}
	region := strings.ToUpper(country)
	if region == "" {
		region = unknownRegion
	}
	n, err := phonenumbers.Parse(text, region)
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode) && !strings.Contains(text, "+"):
		return nil, errors.New("has no country code: write it as +12025550143, with + and the country code")
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return nil, errors.New("begins with a country code that does not exist")
	case err != nil:
		return nil, errors.New("is not a telephone number: write it as +12025550143, with + and the country code")
	}
	switch phonenumbers.IsPossibleNumberWithReason(n) {
	case phonenumbers.IS_POSSIBLE:
		return n, nil
	case phonenumbers.TOO_SHORT:
		return nil, fmt.Errorf("is too short for %s", itsCountry(n))
	case phonenumbers.TOO_LONG:
		return nil, fmt.Errorf("is too long for %s", itsCountry(n))
	case phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return nil, errors.New("lacks its area code")
	default:
		return nil, fmt.Errorf("does not have a length that is used with %s", itsCountry(n))
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
