// Package publicurl judges whether an address can be called from the Internet, without a request. A
// host warns with it at its start, and a plugin before it hands the address to somebody outside.
package publicurl

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// localSuffixes end names that only a private network resolves (RFC 6761, RFC 6762, RFC 8375, and
// the name that ICANN reserves for private use).
var localSuffixes = []string{".localhost", ".local", ".internal", ".home.arpa", ".lan", ".test", ".invalid"}

// Check says why an address cannot be called from the Internet, as a sentence without a full stop
// ("it is a name of a private network"); nil if it may be. Only what is certain from the address
// itself counts. Plain http is refused too: it would carry callers' numbers and the tokens in
// addresses in clear.
func Check(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return errors.New("it is no web address")
	}
	name := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if ip, err := netip.ParseAddr(name); err == nil {
		if reason := unreachableIP(ip.Unmap()); reason != "" {
			return errors.New(reason)
		}
	} else if reason := unreachableName(name); reason != "" {
		return errors.New(reason)
	}
	if !strings.EqualFold(u.Scheme, "https") {
		return errors.New("it is not an https address")
	}
	return nil
}

// OfThisMachine reports whether an address is one that reaches this machine alone, as in a trial
// without the Internet.
func OfThisMachine(address string) bool {
	err := Check(address)
	return err != nil && err.Error() == thisMachine
}

// thisMachine is the reason given for addresses that no other machine reaches.
const thisMachine = "it is an address of this machine alone"

func unreachableIP(ip netip.Addr) string {
	switch {
	case ip.IsLoopback(), ip.IsUnspecified():
		return thisMachine
	case ip.IsPrivate(), ip.IsLinkLocalUnicast(), sharedNetwork.Contains(ip), !ip.IsGlobalUnicast():
		return "it is an address of a private network"
	}
	return ""
}

// sharedNetwork is what providers use behind their own address translation (RFC 6598).
var sharedNetwork = netip.MustParsePrefix("100.64.0.0/10")

func unreachableName(name string) string {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return thisMachine
	}
	last := name[strings.LastIndex(name, ".")+1:]
	switch {
	case last == name:
		return "it is a name of a private network"
	case last == "" || last[0] >= '0' && last[0] <= '9':
		// No top-level domain; 127.1 and 0x7f.0.0.1 are read as numbers.
		return "it has no name that the Internet knows"
	}
	for _, suffix := range localSuffixes {
		if strings.HasSuffix(name, suffix) {
			return "it is a name of a private network"
		}
	}
	return ""
}
