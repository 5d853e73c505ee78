package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/mail"
)

// sendMail connects to the mail server and signs in. With send, it also sends a mail to the
// sender's own address. A failure of the connection ends it.
func sendMail(ctx context.Context, sender *mail.Sender, send bool) []inspect.Line {
	if sender == nil {
		return []inspect.Line{warning("there is no mail server: nobody is told of anything by mail. Set smtp_url")}
	}
	if err := sender.Check(ctx); err != nil {
		return []inspect.Line{failure("mail server %s: %s", sender, reason(err))}
	}
	lines := []inspect.Line{ok("the mail server %s takes the connection and the sign-in", sender)}
	if !send {
		return lines
	}
	to := sender.From()
	err := sender.Send(ctx, engine.OutgoingMail{MessageID: "doctor." + rand.Text(), To: to, Subject: "A test of switchboard", Text: "switchboard doctor --send has sent this mail. You need not do anything.\n"})
	if err != nil {
		return append(lines, failure("a test mail to %s: %s", to, reason(err)))
	}
	return append(lines, ok("a test mail to %s is on its way: see whether it arrives, and not as spam", to))
}

// reason is an error without its kind, which is for programs. Without a full stop, as more of the
// sentence follows.
func reason(err error) string {
	var known *integration.Error
	if errors.As(err, &known) {
		return strings.TrimSuffix(known.Message, ".")
	}
	return strings.TrimSuffix(err.Error(), ".")
}
