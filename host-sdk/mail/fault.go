package mail

import (
	"context"
	"errors"
	"net"
	"net/textproto"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// fault says what an error of a mail server means for the mail (RFC 5321: 4xx may pass, 5xx will
// not; RFC 4954: 53x concerns the credentials).
func (s *Sender) fault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	code := replyCode(err)
	out := &integration.Error{Kind: integration.KindUnavailable, Message: "the mail server " + s.server.host + ": " + s.hide(err.Error()), Err: hidden{s, err}}
	if code > 0 {
		out.Code = strconv.Itoa(code)
	}
	switch {
	case code == 530 || code == 534 || code == 535 || code == 538:
		out.Kind = integration.KindUnauthorized
		out.Message += "; check user and password of the SMTP URL"
	case code >= 500:
		out.Kind = integration.KindInvalid
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

// hide takes the password out of a text that a server or the library wrote.
func (s *Sender) hide(text string) string {
	if s.server.password == "" {
		return text
	}
	return strings.ReplaceAll(text, s.server.password, "xxxxx")
}

// hidden keeps the cause for errors.Is and errors.As; its text has no password.
type hidden struct {
	sender *Sender
	err    error
}

// Error implements error.
func (h hidden) Error() string { return h.sender.hide(h.err.Error()) }

// Unwrap returns the cause, password and all.
func (h hidden) Unwrap() error { return h.err }
