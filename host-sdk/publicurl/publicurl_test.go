package publicurl

import (
	"strings"
	"testing"
)

func TestAnAddressThatTheInternetCannotCallIsRefused(t *testing.T) {
	t.Parallel()
	for address, say := range map[string]string{
		"https://calls.example.com/integrations/int_1": "", "https://198.51.100.7/x": "", "https://[2001:db8::1]/x": "", "https://calls.example.com:8443/x": "",
		"":                            "no web address",
		"/integrations/int_1":         "no web address",
		"http://127.0.0.1:8080/x":     "this machine",
		"https://localhost/x":         "this machine",
		"https://[::1]/x":             "this machine",
		"https://0.0.0.0/x":           "this machine",
		"https://[::ffff:10.0.0.1]/x": "private network",
		"https://192.168.1.2/x":       "private network",
		"https://169.254.1.1/x":       "private network",
		"https://100.64.0.9/x":        "private network",
		"https://[fd00::1]/x":         "private network",
		"https://calls.internal/x":    "private network",
		"https://calls.local./x":      "private network",
		"https://calls/x":             "private network",
		"http://calls.example.com/x":  "not an https address",
		"https://127.1/x":             "no name",
		"https://0x7f.0.0.1/x":        "no name",
		"https://0177.0.0.1/x":        "no name",
		"https://calls..":             "no name",
	} {
		err := Check(address)
		if got := err != nil; got != (say != "") || got && !strings.Contains(err.Error(), say) {
			t.Errorf("Check(%q) = %v, want %q", address, err, say)
		}
	}
}
