package wording

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

// Hidden stands in the log where a secret would.
const Hidden = "[secret]"

// minHidden: shorter texts would be found in ordinary words.
const minHidden = 6

// Redactor replaces the secrets of the settings wherever they turn up. Nothing is meant to log
// them; this is for the error text of a library that repeats an address with the password in it.
// What is shorter than minHidden is left alone. The replacer may be used by several goroutines.
func Redactor(s settings.Settings) *strings.Replacer {
	var pairs []string
	add := func(secret string) {
		if len(secret) >= minHidden {
			pairs = append(pairs, secret, Hidden)
		}
	}
	// Whole values first: an address with a password is hidden whole where it stands whole.
	for _, secret := range []settings.Secret{s.SecretKey, s.NextSecretKey, s.APIToken, s.DatabaseURL, s.DatabaseDirectURL, s.SMTPURL, s.OpenID.Secret} {
		add(secret.Reveal())
	}
	for _, secret := range s.Platform.Secrets() {
		add(secret)
	}
	// Then the passwords in them, in each of the forms in which libraries have been seen to print
	// them.
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
