package callflow

import (
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// NewDraft is the alert of a caller, as far as the caller makes it: title, description, and a field
// for everything that is known. Labels are part of what routers' rules and people's filters match.
func NewDraft(c Caller) integration.AlertDraft {
	d := integration.AlertDraft{Title: "Incoming call from " + c.label()}
	add := func(f integration.AlertField) {
		if f.Value != "" {
			d.Fields = append(d.Fields, f)
		}
	}
	add(phoneField("Caller Phone", c.Number))
	add(textField("Caller Address", c.Address))
	add(phoneField("Called Number", c.Called))
	add(textField("Caller Name", c.Name))
	add(textField("Caller City", c.City))
	add(textField("Caller State", c.State))
	add(textField("Caller Zipcode", c.Zip))
	add(textField("Caller Country", c.Country))
	add(phoneField("Forwarded From", c.Forward))
	add(textField("Caller ID Verification", attestation(c.Attest)))
	d.Description = "A call from " + c.label()
	if c.Called != "" {
		d.Description += " to " + c.Called
	}
	d.Description += "."
	return d
}

// textField and phoneField are fields of an alert; a phone number can be called with a touch.
func textField(label, value string) integration.AlertField {
	return integration.AlertField{Label: label, Value: value, Format: integration.FieldText}
}

func phoneField(label, value string) integration.AlertField {
	return integration.AlertField{Label: label, Value: value, Format: integration.FieldPhone}
}

// attestation is what Twilio says of the caller's number, in words (Twilio docs:
// voice/trusted-calling-with-shakenstir).
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
