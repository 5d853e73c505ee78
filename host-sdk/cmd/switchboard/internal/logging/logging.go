package serve

import (
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
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
	for _, secret := range []settings.Secret{s.SecretKey, s.NextSecretKey, s.APIToken, s.DatabaseURL, s.DatabaseDirectURL, s.SMTPURL, s.OpenID.Secret} {
		add(secret.Reveal())
	}
	for _, secret := range s.Platform.Secrets() {
		add(secret)
	}
	for _, address := range []settings.Secret{s.DatabaseURL, s.DatabaseDirectURL, s.SMTPURL} {
		// What follows may be several servers, which package url does not read.
		user := address.Reveal()
		user = user[:max(0, strings.LastIndex(user, "@"))]
		if u, err := url.Parse(user + "@host"); err == nil && u.User != nil {
			if password, ok := u.User.Password(); ok {
				add(password)
				add(url.QueryEscape(password))
				add(url.PathEscape(password))
				add(strings.Trim(strconv.Quote(password), `"`)) // as %q prints it
				add(base64.StdEncoding.EncodeToString([]byte(password)))
				add(base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password)))
				// As AUTH PLAIN sends it.
				add(base64.StdEncoding.EncodeToString([]byte("\x00" + u.User.Username() + "\x00" + password)))
			}
		}
	}
	return strings.NewReplacer(pairs...)
}

// NewLogger writes text or JSON lines to w, without the settings' secrets, each text cut to a
// length for people, and not more lines of one message than anybody would read.
func NewLogger(w io.Writer, s settings.Settings) *slog.Logger {
	redact := Redactor(s)
	options := &slog.HandlerOptions{Level: s.LogLevel, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Value.Kind() {
		case slog.KindString:
			most := maxLogText
			if a.Key == "stack" {
				most = maxLogStack
			}
			a.Value = slog.StringValue(cut(redact.Replace(a.Value.String()), most))
		case slog.KindAny: // errors, lists, and whatever else is printed by its own rules
			text := fmt.Sprint(a.Value.Any())
			if shown := cut(redact.Replace(text), maxLogText); shown != text {
				a.Value = slog.StringValue(shown)
			}
		case slog.KindBool, slog.KindDuration, slog.KindFloat64, slog.KindInt64, slog.KindTime, slog.KindUint64, slog.KindGroup, slog.KindLogValuer:
		}
		return a
	}}
	if s.LogFormat == "json" {
		return slog.New(newLimited(slog.NewJSONHandler(w, options)))
	}
	return slog.New(newLimited(slog.NewTextHandler(w, options)))
}
