package phone

import (
	"regexp"

	"github.com/nyaruka/phonenumbers"
)

// written finds telephone numbers in a sentence. Seven digits at least, so that small numbers in
// sentences are left alone.
var written = regexp.MustCompile(`\+[1-9][0-9]{6,14}`)

// DisplayIn makes the numbers in a sentence readable, as [Display] does.
func DisplayIn(text string) string { return EachIn(text, Display) }

// EachIn puts what shown makes of each number in a sentence in its place. Numbers are those with
// plus sign and country code, and nothing between their digits.
func EachIn(text string, shown func(number string) string) string {
	return written.ReplaceAllStringFunc(text, shown)
}

// Display returns a number as people read it, in the international grouping of its country
// ("+1 202-555-0143"). What is no number is returned as it is.
func Display(number string) string {
	if !IsE164(number) {
		return number
	}
	n, err := phonenumbers.Parse(number, unknownRegion)
	if err != nil {
		return number
	}
	return phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
}
