package draft

import (
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
)

// New is the alert of a caller, as far as the caller makes it: title, description, and a field for
// everything that is known. Labels are part of what routers' rules and people's filters match. What
// Twilio does not say makes no field, so that an empty one does not seem to be known.
func New(c call.Caller) integration.AlertDraft {
	// The title is all that a pager may show, so it names the caller.
	d := integration.AlertDraft{Title: "Incoming call from " + c.Label()}
	add := func(f integration.AlertField) {
		if f.Value != "" {
			d.Fields = append(d.Fields, f)
		}
	}
	add(PhoneField("Caller Phone", c.Number))
	add(TextField("Caller Address", c.Address))
	add(PhoneField("Called Number", c.Called))
	add(TextField("Caller Name", c.Name))
	add(TextField("Caller City", c.City))
	add(TextField("Caller State", c.State))
	add(TextField("Caller Zipcode", c.Zip))
	add(TextField("Caller Country", c.Country))
	add(PhoneField("Forwarded From", c.Forward))
	add(TextField("Caller ID Verification", attestation(c.Attest)))
	// Withheld callers are named as such by Label.
	d.Description = "A call from " + c.Label()
	if c.Called != "" {
		d.Description += " to " + c.Called
	}
	d.Description += "."
	return d
}

// TextField and PhoneField are fields of an alert; a phone number can be called with a touch. The
// format says how pages and platforms show the value.
func TextField(label, value string) integration.AlertField {
	return integration.AlertField{Label: label, Value: value, Format: integration.FieldText}
}

func PhoneField(label, value string) integration.AlertField {
	return integration.AlertField{Label: label, Value: value, Format: integration.FieldPhone}
}

// attestation is what Twilio says of the caller's number, in words (Twilio docs:
// voice/trusted-calling-with-shakenstir). Words that are not known are shown as they came, since
// carriers add some.
func attestation(word string) string {
	switch {
	case word == "":
		return ""
	case strings.HasPrefix(word, "TN-Validation-Passed-A"):
		return "verified: the caller may use this number"
	case strings.HasPrefix(word, "TN-Validation-Passed"):
		return "verified in part: the carrier knows the call, not the right to the number"
	case strings.HasPrefix(word, "TN-Validation-Failed"):
		return "failed: the number may be forged"
	case word == "No-TN-Validation":
		return "none: the carrier says nothing of the number"
	}
	return word
}
