package publicurl

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// FuzzCheck holds that only an https address of a public name or number passes, however it is
// written.
func FuzzCheck(f *testing.F) {
	for _, address := range []string{"https://calls.example.com/x", "https://127.1/", "https://0x7f.0.0.1/", "https://[::1%25lo]/", "https://a@b@c/", "https://LOCALHOST./", "https://%31%32%37.0.0.1/", "https://.:1/", "https://2130706433"} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if Check(address) != nil {
			return
		}
		u, err := url.Parse(address)
		if err != nil || !strings.EqualFold(u.Scheme, "https") {
			t.Fatalf("%q passes", address)
		}
		host := strings.TrimSuffix(u.Hostname(), ".")
		if ip, err := netip.ParseAddr(host); err == nil {
			if ip = ip.Unmap(); ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() || ip.IsMulticast() {
				t.Fatalf("%q passes", address)
			}
			return
		}
		last := host[strings.LastIndex(host, ".")+1:]
		// Browsers and Twilio read such a name as numbers of an IPv4 address.
		if last == "" || last[0] >= '0' && last[0] <= '9' {
			t.Fatalf("%q passes", address)
		}
	})
}
