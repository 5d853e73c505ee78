package serve

import (
	"log/slog"
	"net/url"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/tell"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// newPeople makes what knows who uses the host. Its work beside requests is started with that of
// the host.
func newPeople(s settings.Settings, p *parts, attempts *httpkit.Attempts, public string, log *slog.Logger) (*people.People, error) {
	address, err := url.Parse(public)
	if err != nil {
		return nil, err
	}
	who := people.New(people.Config{
		Store: p.people, File: p.file, Token: s.APIToken.Reveal(), TokenOff: !s.SharedToken, PublicURL: address, Mailer: p.mail.Mailer(tell.MailOfLink),
		OpenID: people.OpenID{Issuer: s.OpenID.Issuer, ClientID: s.OpenID.ClientID, Secret: s.OpenID.Secret.Reveal(), Domains: s.OpenID.Domains, RoleClaim: s.OpenID.RoleClaim},
		Pages:  p.links, Attempts: attempts, KeepAudit: time.Duration(s.KeepAudit) * 24 * time.Hour, Clock: s.Clock, Log: log,
	})
	if !s.SharedToken && !adminCanLogIn(who, s) {
		log.Warn("nobody can log in as admin: the API token is switched off (shared_token), and there is no account of this role that could log in by mail or with an OpenID provider. Give somebody role: admin in the switchboard file, and set smtp_url or openid_issuer")
	}
	return who, nil
}

// adminCanLogIn reports whether an admin can log in without the API token. A role in a provider's
// claim may be admin, which only the provider knows.
func adminCanLogIn(who *people.People, s settings.Settings) bool {
	if s.OpenID.RoleClaim != "" {
		return true
	}
	if !who.MailWorks() && s.OpenID.Issuer == "" {
		return false
	}
	for _, a := range who.Accounts() {
		if a.Role == switchboardfile.RoleAdmin && a.Email != "" {
			return true
		}
	}
	return false
}
