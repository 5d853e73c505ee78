package mail

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/textproto"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// maxSaid bounds what an error repeats of a server's words, in bytes: it is logged and kept.
const maxSaid = 1000

// fault says what an error of a mail server means for the mail (RFC 5321: 4xx may pass, 5xx will
// not). A 5xx is about the mail only if it answers the recipient or the content; before that the
// server speaks of itself, of our account or of our sender, which somebody can put right. So do 53x
// anywhere (RFC 4954: the credentials), and 5.7.x for a recipient (RFC 3463: policy, such as a
// server that does not relay for us). The engine goes by the kind: it repeats what is unavailable
// or a matter of time, and gives a mail up that is invalid. Of unauthorized it makes a finding and
// goes on trying for a day.
func (s *Sender) fault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	code := replyCode(err)
	// To whom and what it was, which the library adds, is known to whoever sends, and noise in the
	// story of an alert.
	said, _, _ := strings.Cut(s.hide(err.Error()), ", affected recipient(s): ")
	said, _, _ = strings.Cut(said, ", affected message ID: ")
	if len(said) > maxSaid {
		said = strings.ToValidUTF8(said[:maxSaid], "") + "…"
	}
	out := &integration.Error{Kind: integration.KindUnavailable, Message: "the mail server " + s.server.host + ": " + said, Err: hidden{s, err}}
	if code > 0 {
		out.Code = strconv.Itoa(code)
	}
	// The order counts: a wrong password may be answered at any step, also where a 5xx would be
	// about the mail.
	switch {
	case code == 530 || code == 534 || code == 535 || code == 538:
		out.Kind = integration.KindUnauthorized
		out.Message += "; check user and password of the SMTP URL"
	case code >= 500 && aboutTheMail(err):
		out.Kind = integration.KindInvalid
	case code >= 500 && answers(err, gomail.ErrSMTPMailFrom):
		out.Kind = integration.KindUnauthorized
		out.Message += "; check the sender (from=) and what the account may send as"
	case code >= 500 && answers(err, gomail.ErrSMTPRcptTo):
		out.Kind = integration.KindUnauthorized
		out.Message += "; check whether the server relays mails for this host or account"
	// A 4xx, or a 5xx before the recipient: unavailable, as it stands above.
	case code >= 400:
	case errors.Is(err, smtp.ErrUnencrypted):
		out.Kind = integration.KindUnauthorized
		out.Message += "; the password would travel in clear: use tls=required"
	case errors.Is(err, gomail.ErrNoSupportedAuthDiscovered), strings.Contains(err.Error(), "does not support SMTP AUTH"):
		out.Kind = integration.KindUnauthorized
		out.Message += "; the server takes no password on this connection: leave user and password out, or use TLS"
	case errors.Is(ctx.Err(), context.DeadlineExceeded), ctx.Err() == nil && isTimeout(err):
		out.Kind = integration.KindDeadline
	case strings.Contains(err.Error(), "does not support STARTTLS"):
		out.Message += "; use smtps://, or tls=none on a network you trust"
	}
	return out
}

// answers reports whether an error is the server's answer to a step of the delivery.
func answers(err error, step gomail.SendErrReason) bool {
	var refused *gomail.SendError
	return errors.As(err, &refused) && refused.Reason == step
}

// aboutTheMail reports whether a refusal concerns this mail alone: its recipient or its content.
func aboutTheMail(err error) bool {
	var refused *gomail.SendError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Reason {
	case gomail.ErrSMTPRcptTo:
		return !strings.HasPrefix(refused.EnhancedStatusCode(), "5.7.")
	case gomail.ErrSMTPData, gomail.ErrSMTPDataClose, gomail.ErrWriteContent:
		return true
	default:
		return false
	}
}

// isTimeout reports whether the network gave up waiting.
func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// replyCode finds the server's answer in an error; 0: there was none.
func replyCode(err error) int {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return reply.Code
	}
	var refused *gomail.SendError
	if errors.As(err, &refused) {
		return refused.ErrorCode()
	}
	return 0
}

// maxReply bounds what is repeated of a server's answer, in bytes.
const maxReply = 500

// hide takes the password out of a text that a server or the library wrote, and shortens it.
// Servers repeat what they did not understand, so the password comes back as it was sent, too: in
// base64, alone or behind the user, or quoted. Errors are logged, kept in stories and shown to
// every administrator; the URL is known to the operator alone.
func (s *Sender) hide(text string) string {
	if password := s.server.password; password != "" {
		text = base64Run.ReplaceAllStringFunc(text, func(run string) string {
			if s.holds(run) {
				return hiddenText
			}
			return run
		})
		for _, form := range []string{password, strings.Trim(strconv.Quote(password), `"`), url.QueryEscape(password), url.PathEscape(password)} {
			text = strings.ReplaceAll(text, form, hiddenText)
		}
	}
	if len(text) > maxReply {
		text = strings.ToValidUTF8(text[:maxReply], "") + "…"
	}
	return text
}

// hiddenText stands where the password was.
const hiddenText = "xxxxx"

// base64Run finds what may be base64.
var base64Run = regexp.MustCompile(`[A-Za-z0-9+/_-]{4,}={0,2}`)

// holds reports whether a text is base64 of something with the password in it, or of its beginning:
// a server may have cut it off. Text before it may have been taken for a part of it, so each of the
// four ways to begin is tried.
func (s *Sender) holds(run string) bool {
	run = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(run, "="))
	for skip := range min(4, len(run)) {
		part := run[skip:]
		if len(part)%4 == 1 { // no base64 has such a length
			part = part[:len(part)-1]
		}
		raw, err := base64.RawStdEncoding.DecodeString(part)
		text := string(raw)
		if err == nil && len(text) >= 3 && (strings.Contains(text, s.server.password) || strings.HasPrefix(s.server.password, text) ||
			strings.Contains(text, "\x00"+s.server.user+"\x00")) {
			return true
		}
	}
	return false
}

// hidden keeps the cause for errors.Is and errors.As; its text has no password. Whoever prints the
// cause instead of asking for its type would print the password.
type hidden struct {
	sender *Sender
	err    error
}

// Error implements error.
func (h hidden) Error() string { return h.sender.hide(h.err.Error()) }

// Unwrap returns the cause, password and all.
func (h hidden) Unwrap() error { return h.err }
