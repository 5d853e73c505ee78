package settings

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// OpenID are the settings of an OpenID provider; Issuer "": there is none.
type OpenID struct {
	Issuer, ClientID string
	Secret           Secret
	Domains          []string // of e-mail addresses; none: any
	RoleClaim        string   // "": only accounts are admitted
}

// resolvePeople completes the settings about who may use the host, and reports each that cannot be
// used. from has what flags and environment do not say.
func (s *Settings) resolvePeople(flags Flags, from source) (errs []error) {
	s.SharedToken, errs = from.pickSwitch(flags.SharedToken, "shared_token", "on", errs)
	s.OpenID = OpenID{
		Issuer: from.pick(flags.OpenIDIssuer, "openid_issuer", ""), ClientID: from.pick(flags.OpenIDClientID, "openid_client_id", ""),
		Secret: Secret(from.pick(string(flags.OpenIDSecret), "openid_client_secret", "")), RoleClaim: from.pick(flags.OpenIDRoleClaim, "openid_role_claim", ""),
		Domains: strings.FieldsFunc(from.pick(flags.OpenIDDomains, "openid_domains", ""), func(r rune) bool { return r == ',' || r == ' ' }),
	}
	for i, d := range s.OpenID.Domains {
		s.OpenID.Domains[i] = strings.TrimPrefix(strings.ToLower(d), "@")
	}
	// Only the first problem, as the others mostly follow from it.
	if name, err := s.OpenID.check(); err != nil {
		errs = append(errs, &Problem{name, err})
	}
	return errs
}

// check is the first problem, with the setting's name. "" and nil: it can be used, or there is
// none. The provider is not asked.
func (o OpenID) check() (string, error) {
	if o.Issuer == "" {
		if o.ClientID != "" || o.Secret != "" || o.RoleClaim != "" || len(o.Domains) > 0 {
			return "openid_issuer", errors.New("openid_issuer is missing, though other settings of an OpenID provider are there: give the address by which the provider names itself")
		}
		return "", nil
	}
	// http is for tests and for a provider on the same machine: elsewhere the client's secret would
	// be readable on the way.
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !ThisMachine(u.Hostname())) {
		return "openid_issuer", errors.New("openid_issuer is not the address of a provider: use one such as https://id.example.com, which may be http on this machine alone")
	}
	if o.ClientID == "" {
		return "openid_client_id", errors.New("openid_client_id is missing: register this switchboard with the provider, which gives it one")
	}
	return "", nil
}

// ThisMachine reports whether a host's name is that of the machine itself: what is sent there
// unencrypted passes no network.
func ThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
