package httpkit

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// forwardedHops bounds how many addresses of one X-Forwarded-For are looked at: chains of proxies
// are short, and a client may send a header as long as it likes.
const forwardedHops = 16

// ClientAddress makes RemoteAddr the address of the client where the request came through trusted
// proxies. X-Forwarded-For is read from its end, as each proxy adds the address that it saw: the
// first one that is no trusted proxy is the client. Everything to the left of it may be invented.
// From any other peer the header means nothing, so that nobody chooses the address they count
// under. Without trusted proxies it costs nothing.
func ClientAddress(trusted []netip.Prefix, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if client, ok := forwardedFor(trusted, r); ok {
			r = r.WithContext(r.Context()) // a copy: the server still uses its own request
			// The port is the proxy's and means nothing; others expect one.
			r.RemoteAddr = net.JoinHostPort(client.String(), "0")
		}
		next.ServeHTTP(w, r)
	})
}

// forwardedFor is the client's address of a request that a trusted proxy has passed on. false: it
// came from elsewhere, or the header is empty or spoilt, and the peer counts.
func forwardedFor(trusted []netip.Prefix, r *http.Request) (netip.Addr, bool) {
	peer := peerOf(r)
	if !contains(trusted, peer) {
		return netip.Addr{}, false
	}
	// Several headers of the name are one list (RFC 9110, 5.3).
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	client, found := peer, false
	for i := len(hops) - 1; i >= 0 && i >= len(hops)-forwardedHops; i-- {
		addr, ok := parseHop(hops[i])
		if !ok {
			break // what a trusted proxy vouches for ends here
		}
		client, found = addr, true
		if !contains(trusted, addr) {
			break
		}
	}
	return client, found
}

// parseHop reads an address of X-Forwarded-For; some proxies add the port. Zones and addresses of
// IPv4 in IPv6 are taken off, or one client would have several names.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(text)
	return addr.Unmap().WithZone(""), err == nil
}

// contains reports whether one of the networks has the address.
func contains(networks []netip.Prefix, addr netip.Addr) bool {
	for _, network := range networks {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// peerOf is the address that a request came from; the zero one if it has none, as on a Unix socket.
func peerOf(r *http.Request) netip.Addr {
	addr, err := netip.ParseAddr(host(r.RemoteAddr))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}
