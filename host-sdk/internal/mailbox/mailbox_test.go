package mailbox

import "testing"

// Addresses that only look alike are two people's.
func TestKey(t *testing.T) {
	for email, want := range map[string]string{
		"Kim@EXAMPLE.com":      "kim@example.com",
		"\u212Aim@example.com": "\u212Aim@example.com",
		"al\u0130ce@x":         "al\u0130ce@x",
	} {
		if got := Key(email); got != want {
			t.Errorf("Key(%q) is %q, want %q", email, got, want)
		}
	}
}
