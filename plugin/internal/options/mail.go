package options

import (
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
)

// mailsKnown is the host's protocol minor from which on it says whether it can send mail.
const mailsKnown = 1

// Unmailed says why no mail about a voice message reaches anybody, whoever is on call: the rest of
// a sentence that begins with "nobody is mailed, because". "" means that somebody may be mailed, or
// that there is no voicemail. The first reason is said, in the order in which somebody would put
// things right.
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

// Undelivered says why nobody is called to hear a voice message: the rest of a sentence that begins
// with "nobody is called, because". "" means that people are, or that there is no voicemail. It
// looks at the document and the host; whether anybody is on call is not asked.
func (o Options) Undelivered(in integration.Instance) string {
	switch caps := in.Capabilities; {
	case !o.Flow.Voicemail, o.Flow.Delivers(caps):
		return ""
	case o.Flow.Deliver == config.DeliverOff:
		return title("deliver_messages") + " is off"
	case !caps.CallMedia:
		return "this host gives no addresses at which messages can be played"
	}
	return "the platform pages people by phone itself"
}

// OnlyOnCall reports whether messages are mailed to nobody but the people on call.
func (o Options) OnlyOnCall() bool {
	return len(o.MailTo) > 0 && !slices.ContainsFunc(o.MailTo, func(r Recipient) bool { return r.Audience != integration.AudienceOnCall })
}
