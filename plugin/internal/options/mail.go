package options

import (
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// mailsKnown is the host's protocol minor from which on it says whether it can send mail.
const mailsKnown = 1

// Unmailed says why no mail about a voice message reaches anybody, whoever is on call: the rest of a
// sentence that begins with "nobody is mailed, because". "" means that somebody may be mailed, or
// that there is no voicemail.
func (o Options) Unmailed(in integration.Instance) string {
	caps := in.Capabilities
	switch {
	case !o.Flow.Voicemail:
		return ""
	case len(o.MailTo) == 0:
		return "nobody is named in " + title("voicemail_emails")
	case in.ProtocolMinor >= mailsKnown && !caps.Mail:
		return "this host has no mail server"
	case !caps.Audiences && !slices.ContainsFunc(o.MailTo, func(r Recipient) bool { return r.Address != "" }):
		return "this platform cannot resolve the words team, team-admin and on-call"
	}
	return ""
}

// OnlyOnCall reports whether messages are mailed to nobody but the people on call.
func (o Options) OnlyOnCall() bool {
	return len(o.MailTo) > 0 && !slices.ContainsFunc(o.MailTo, func(r Recipient) bool { return r.Audience != integration.AudienceOnCall })
}
