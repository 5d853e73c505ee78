package httpkit

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

func TestWrongTokensAreLimitedByNetwork(t *testing.T) {
	t.Parallel()
	hands := clock.NewManual(time.Now())
	a := NewAttempts(hands, 4)
	try := func(from string) (seconds int) {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		seconds = a.Wrong(w, r, "api")
		if after, err := strconv.Atoi(w.Header().Get("Retry-After")); seconds > 0 && (err != nil || after != seconds || seconds > 15) {
			t.Fatalf("Retry-After %q for %d seconds, want 1 to 15", w.Header().Get("Retry-After"), seconds)
		}
		return seconds
	}
	allowed := 0
	for range 150 {
		if try("192.0.2.1:1000") == 0 {
			allowed++
		}
	}
	if allowed != 4 {
		t.Errorf("%d wrong tokens were allowed, want 4", allowed)
	}
	if try("192.0.2.2:1000") != 0 {
		t.Error("a wrong token from another address is limited")
	}
	hands.Advance(16 * time.Second)
	if try("192.0.2.1:1000") != 0 {
		t.Error("a wrong token is limited after the time of Retry-After")
	}
	// One machine has a whole network of IPv6.
	for i, limited := range []bool{false, false, false, false, true} {
		if got := try(fmt.Sprintf("[2001:db8::%d]:1000", i+1)) > 0; got != limited {
			t.Errorf("address %d of an IPv6 network is limited: %v, want %v", i+1, got, limited)
		}
	}
}

func TestCountingWrongTokensTakesBoundedMemory(t *testing.T) {
	t.Parallel()
	a := NewAttempts(clock.NewManual(time.Now()), 1)
	for i := range maxNetworks + 100 {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)
		a.wrong(r)
	}
	if len(a.networks) > maxNetworks {
		t.Errorf("%d networks are remembered, want at most %d", len(a.networks), maxNetworks)
	}
}

func TestTheClientsAddressIsBelievedFromTrustedProxiesAlone(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}
	for _, tc := range []struct {
		name, peer string
		header     []string
		want       string
	}{
		{"a stranger says who he is", "192.0.2.9:5", []string{"198.51.100.1"}, "192.0.2.9"},
		{"one proxy", "127.0.0.1:5", []string{"198.51.100.1"}, "198.51.100.1"},
		{"no header", "127.0.0.1:5", nil, "127.0.0.1"},
		{"an address the client invented", "127.0.0.1:5", []string{"203.0.113.7, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "127.0.0.1:5", []string{"198.51.100.1, 10.1.2.3"}, "198.51.100.1"},
		{"two headers", "127.0.0.1:5", []string{"203.0.113.7", "198.51.100.1,10.1.2.3"}, "198.51.100.1"},
		{"proxies only", "127.0.0.1:5", []string{"10.1.2.3"}, "10.1.2.3"},
		{"garbage at the end", "127.0.0.1:5", []string{"198.51.100.1, unknown"}, "127.0.0.1"},
		{"garbage before a proxy", "127.0.0.1:5", []string{"evil\r\n, 10.1.2.3"}, "10.1.2.3"},
		{"a port", "127.0.0.1:5", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"IPv6", "[fd00::1]:5", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 with a port", "[fd00::1]:5", []string{"[2001:db8::7]:99"}, "2001:db8::7"},
		{"IPv4 in IPv6", "[::ffff:127.0.0.1]:5", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
	} {
		var got string
		h := ClientAddress(proxies, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = peerOf(r).String() }))
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tc.peer
		for _, v := range tc.header {
			r.Header.Add("X-Forwarded-For", v)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got != tc.want {
			t.Errorf("%s: counted as %s, want %s", tc.name, got, tc.want)
		}
	}
}

// TestHostsAllowAsManyWrongTokensAsOneWould spreads tries over hosts that count each for itself.
func TestHostsAllowAsManyWrongTokensAsOneWould(t *testing.T) {
	t.Parallel()
	for hosts, want := range map[int]int{0: 6, 1: 6, 2: 3, 3: 2, 10: 1} { // 0: it is not known yet
		hands := clock.NewManual(time.Now())
		a := NewAttempts(hands, 6).Among(func() int { return hosts })
		allowed := 0
		for range 20 {
			if a.Wrong(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/", nil), "api") == 0 {
				allowed++
			}
		}
		if allowed != want {
			t.Errorf("each of %d hosts allows %d wrong tokens, want %d", hosts, allowed, want)
		}
	}
}
