package serve

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

// hidden stands in the log where a secret would.
const hidden = "[secret]"

// minHidden: shorter texts would be found in ordinary words.
const minHidden = 6

// Redactor replaces the secrets of the settings wherever they turn up. Nothing is meant to log
// them; this is for the error text of a library that repeats an address with the password in it.
func Redactor(s settings.Settings) *strings.Replacer {
	var pairs []string
	add := func(secret string) {
		if len(secret) >= minHidden {
			pairs = append(pairs, secret, hidden)
		}
	}
	for _, secret := range []settings.Secret{s.SecretKey, s.APIToken, s.DatabaseURL, s.SMTPURL} {
		add(secret.Reveal())
	}
	for _, address := range []settings.Secret{s.DatabaseURL, s.SMTPURL} {
		if u, err := url.Parse(address.Reveal()); err == nil && u.User != nil {
			if password, ok := u.User.Password(); ok {
				add(password)
				add(url.QueryEscape(password))
				add(url.PathEscape(password))
			}
		}
	}
	return strings.NewReplacer(pairs...)
}

// NewLogger writes text or JSON lines to w, without the settings' secrets.
func NewLogger(w io.Writer, s settings.Settings) *slog.Logger {
	redact := Redactor(s)
	options := &slog.HandlerOptions{Level: s.LogLevel, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Value.Kind() {
		case slog.KindString:
			a.Value = slog.StringValue(redact.Replace(a.Value.String()))
		case slog.KindAny: // errors, lists, and whatever else is printed by its own rules
			if text := fmt.Sprint(a.Value.Any()); redact.Replace(text) != text {
				a.Value = slog.StringValue(redact.Replace(text))
			}
		case slog.KindBool, slog.KindDuration, slog.KindFloat64, slog.KindInt64, slog.KindTime, slog.KindUint64, slog.KindGroup, slog.KindLogValuer:
		}
		return a
	}}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
