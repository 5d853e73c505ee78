package people

import (
	"encoding/json"
	"testing"
)

// That one address is verified says nothing of another: an address and the word about it come from
// the same answer of the provider.
func TestAnAddressIsVerifiedByTheAnswerThatNamesItAlone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		signed, told string
		email        string
		verified     bool
	}{
		"all signed":                     {`{"email": "a@example.com", "email_verified": true}`, `{"email": "b@example.com", "email_verified": false}`, "a@example.com", true},
		"all told":                       {`{}`, `{"email": "b@example.com", "email_verified": "true"}`, "b@example.com", true},
		"another address verified":       {`{"email": "a@example.com"}`, `{"email": "b@example.com", "email_verified": true}`, "b@example.com", true},
		"verified, whichever it may be":  {`{"email": "a@example.com"}`, `{"email_verified": true}`, "a@example.com", false},
		"not verified, told otherwise":   {`{"email": "a@example.com", "email_verified": false}`, `{"email": "a@example.com", "email_verified": true}`, "a@example.com", false},
		"another address, and none told": {`{"email": "a@example.com", "email_verified": true}`, `{}`, "a@example.com", true},
	} {
		signed, told := claims{}, claims{}
		if json.Unmarshal([]byte(test.signed), &signed) != nil || json.Unmarshal([]byte(test.told), &told) != nil {
			t.Fatal(name)
		}
		signed.add(told)
		if got := signed.text("email"); got != test.email || signed.verified() != test.verified {
			t.Errorf("%s: %s verified: %v, want %s: %v", name, got, signed.verified(), test.email, test.verified)
		}
	}
}
