package phone

import "github.com/nyaruka/phonenumbers"

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
