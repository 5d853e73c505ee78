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

func TestTheRightTokenIsLetInAfterAnyNumberOfWrongOnes(t *testing.T) {
	t.Parallel()
	const token = "a-long-token-4711"
	hands := clock.NewManual(time.Now())
	api := NewGuard(token).Limit(hands, 4).API(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	try := func(from, authorization string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = from
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w
	}
	counts := map[int]int{}
	for i := range 150 {
		w := try("192.0.2.1:1000", fmt.Sprintf("Bearer wrong%d", i))
		counts[w.Code]++
		if seconds, err := strconv.Atoi(w.Header().Get("Retry-After")); w.Code == 429 && (err != nil || seconds < 1 || seconds > 15) {
			t.Fatalf("Retry-After %q, want 1 to 15 seconds", w.Header().Get("Retry-After"))
		}
		if w := try("192.0.2.1:1000", "Bearer "+token); w.Code != 204 {
			t.Fatalf("the right token after %d wrong ones: %d", i+1, w.Code)
		}
	}
	if counts[401] != 4 || counts[429] != 146 {
		t.Errorf("wrong tokens were answered %v, want 4 times 401 and then 429", counts)
	}
	if w := try("192.0.2.2:1000", "Bearer wrong"); w.Code != 401 {
		t.Errorf("a wrong token from another address: %d", w.Code)
	}
	if w := try("192.0.2.1:1000", ""); w.Code != 401 {
		t.Errorf("no token is no wrong one: %d", w.Code)
	}
	hands.Advance(16 * time.Second)
	if w := try("192.0.2.1:1000", "Bearer wrong"); w.Code != 401 {
		t.Errorf("after the time of Retry-After: %d", w.Code)
	}
	for i, want := range []int{401, 401, 401, 401, 429} { // one machine has a whole network of IPv6
		if w := try(fmt.Sprintf("[2001:db8::%d]:1000", i+1), "Bearer wrong"); w.Code != want {
			t.Errorf("address %d of an IPv6 network: %d, want %d", i+1, w.Code, want)
		}
	}
}

func TestCountingWrongTokensTakesBoundedMemory(t *testing.T) {
	t.Parallel()
	a := newAttempts(clock.NewManual(time.Now()), 1)
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
		api := NewGuard("a-long-token-4711").Limit(hands, 6).Among(func() int { return hosts }).API(http.NotFoundHandler())
		allowed := 0
		for range 20 {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
			r.Header.Set("Authorization", "Bearer wrong")
			w := httptest.NewRecorder()
			if api.ServeHTTP(w, r); w.Code == http.StatusUnauthorized {
				allowed++
			}
		}
		if allowed != want {
			t.Errorf("each of %d hosts allows %d wrong tokens, want %d", hosts, allowed, want)
		}
	}
}
