package settings

import (
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/mail"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// NewMailer makes the sender that SMTPURL describes; nil without one. Where the address names no
// sender by from=, it is the user, if that is a mail address. attachment gives the guarded address
// of a recording too large to be attached. An error names what is wrong with the address, without
// its password. Nothing is connected.
func NewMailer(smtp Secret, publicURL string, c clock.Clock, attachment func(store.Medium) string) (*mail.Sender, error) {
	if smtp == "" {
		return nil, nil //nolint:nilnil // no mail server is a setting like any other
	}
	sender := ""
	if u, err := url.Parse(smtp.Reveal()); err == nil && u.User != nil && strings.Contains(u.User.Username(), "@") {
		sender = u.User.Username()
	}
	return mail.New(smtp.Reveal(), sender, publicURL, mail.Options{Clock: c, AttachmentURL: attachment})
}
