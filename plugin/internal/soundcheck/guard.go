package soundcheck

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Limits of a request.
const (
	timeout      = 5 * time.Second
	maxRedirects = 3
	maxHeader    = 64 << 10
)

var (
	errNotPublic  = errors.New("the address is not public")
	errNotHTTPS   = errors.New("it leads to an address without https")
	errRedirected = fmt.Errorf("it redirects more than %d times", maxRedirects)
)

// special are networks that are no public ones although they look like it (IANA: special-purpose
// address registries). The last four carry other addresses within themselves.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
}

// public reports whether an address belongs to somebody on the internet. A form can name any
// address, and this process stands inside somebody's network: it must not be made to ask there.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// guard refuses a connection to anything but a public address. It runs after the name is resolved,
// so that a name cannot lead somewhere else than it was checked for.
func guard(loopback bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return errNotPublic
		}
		if loopback && at.Addr().Unmap().IsLoopback() || public(at.Addr()) {
			return nil
		}
		return errNotPublic
	}
}

// client makes the guarded client. It uses no proxy, which would resolve names itself, and keeps no
// connection.
func client(loopback bool, roots *x509.CertPool) *http.Client {
	dialer := net.Dialer{Timeout: timeout, Control: guard(loopback)}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeader, TLSHandshakeTimeout: timeout,
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		},
		// A redirect is guarded by the dialer as well; here it only must stay encrypted and end.
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			switch {
			case req.URL.Scheme != "https":
				return errNotHTTPS
			case len(via) > maxRedirects:
				return errRedirected
			}
			return nil
		},
	}
}
