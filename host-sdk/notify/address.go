// Package notify sends short texts to the services that people have on their phones and in their
// chats: ntfy, Pushover, Slack, Matrix, a webhook of one's own and more. An address is a URL in the
// form of github.com/nicholas-fedor/shoutrrr, which knows the services.
//
//	address.go  an address: read, checked, and never shown
//	send.go     one text to one address, within a time
//	bound.go    how much a service may answer, and for how long
//	failure.go  what a failed attempt means, in words that hold no secret
//	reach.go    whether the services can be reached
package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/matrix"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
	"github.com/nicholas-fedor/shoutrrr/pkg/util"

	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// MaxAddress is how many bytes an address may have.
const MaxAddress = 2000

// Guide is where the addresses of all services are described.
const Guide = "https://shoutrrr.nickfedor.com/services/overview/"

// Address is where a person or a channel is notified. It holds secrets: every way of printing it
// shows the service and its host alone. The zero Address is no address.
type Address struct {
	service string // scheme of the URL, such as ntfy
	host    string // "": the service has one host, or the URL has a secret in its place
	// Of the whole address as it was written: eight hex digits, so that a person's addresses can be
	// told apart where none may be shown.
	id  string
	raw string
}

// names are the services as people write them; others are written as in their addresses.
var names = map[string]string{
	"bark": "Bark", "discord": "Discord", "generic": "webhook", "googlechat": "Google Chat", "gotify": "Gotify", "hangouts": "Google Chat",
	"ifttt": "IFTTT", "join": "Join", "lark": "Lark", "matrix": "Matrix", "mattermost": "Mattermost", "notifiarr": "Notifiarr",
	"opsgenie": "Opsgenie", "pagerduty": "PagerDuty", "pushbullet": "Pushbullet", "pushover": "Pushover", "rocketchat": "Rocket.Chat",
	"signal": "Signal", "slack": "Slack", "smtp": "SMTP", "teams": "Microsoft Teams", "telegram": "Telegram", "wecom": "WeCom", "zulip": "Zulip",
}

// hosted are the services in whose URLs the host is a host. With the others a key, a channel or a
// tenant stands in its place. It must be looked up for each new service of the library: a secret in
// the host's place would be shown.
var hosted = []string{"bark", "generic", "gotify", "matrix", "mattermost", "ntfy", "opsgenie", "rocketchat", "signal", "smtp", "zulip"}

// unusable are services that reach nobody: logger writes into the log of the program.
var unusable = []string{"logger"}

// Services lists the services that an address may have, as schemes in alphabetical order.
func Services() []string {
	all := (&router.ServiceRouter{}).ListServices()
	all = slices.DeleteFunc(all, func(s string) bool { return slices.Contains(unusable, s) })
	slices.Sort(all)
	return all
}

// Parse reads and checks an address. Nothing is sent and nobody is asked. An error says what to do
// and shows nothing of the address but its service.
func Parse(raw string) (Address, error) {
	if len(raw) > MaxAddress {
		return Address{}, fmt.Errorf("has more than the limit of %d bytes", MaxAddress)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" {
		return Address{}, fmt.Errorf("is not an address such as ntfy://ntfy.sh/your-topic: see %s", Guide)
	}
	service, _, _ := strings.Cut(strings.ToLower(u.Scheme), "+")
	if !slices.Contains(Services(), service) {
		text := fmt.Sprintf("begins with %q, which is no service that can be used: one of %s", oneline.Clean(service, 20), strings.Join(Services(), ", "))
		if service == "http" || service == "https" {
			text = "is a plain web address: write generic+" + service + ":// in place of " + service + ":// for a webhook of your own, or the form of the service, see " + Guide
		}
		return Address{}, errors.New(text)
	}
	sum := sha256.Sum256([]byte(raw))
	a := Address{service: service, raw: raw, id: hex.EncodeToString(sum[:4])}
	if slices.Contains(hosted, service) {
		a.host = oneline.Clean(u.Hostname(), 100)
	}
	if err := a.try(); err != nil {
		return Address{}, fmt.Errorf("is no address that %s takes%s: see %s", a.Service(), a.because(err), Guide)
	}
	return a, nil
}

// try has the service read the address. A service's own parser may panic at odd addresses; that is
// a bad address, not a defect of the host.
func (a Address) try() (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it cannot be read")
		}
	}()
	if slices.Contains(hosted, a.service) && a.host == "" {
		return errors.New("it names no host")
	}
	if a.service == matrix.Scheme { // logs in when it is made ready
		u, err := url.Parse(a.raw)
		if err == nil {
			err = (&matrix.Config{}).SetURL(u)
		}
		return err
	}
	_, err = a.open()
	return err
}

// open makes the service's client. Of most services it asks nobody. Matrix is the exception: it
// signs in at once.
func (a Address) open() (types.Service, error) {
	service, err := (&router.ServiceRouter{}).NewService(a.service)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(a.raw)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(u.Scheme, a.service) { // such as generic+https
		custom, ok := service.(types.CustomURLService)
		if !ok {
			return nil, errors.New("it cannot be a web address")
		}
		if u, err = custom.GetConfigURLFromCustom(u); err != nil {
			return nil, err
		}
	}
	return service, service.Initialize(u, util.DiscardLogger)
}

// because is the innermost reason of an error in brackets, if it holds no part of the address.
// Libraries like to quote the URL, so an error is shown only when nothing of the address is in it.
func (a Address) because(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	text := oneline.Clean(err.Error(), 120)
	if text == "" || a.shownIn(text) {
		return ""
	}
	return " (" + text + ")"
}

// shownIn reports whether a text holds a part of the address that may be secret. Parts of less than
// three characters are none. Words that short stand in any sentence.
func (a Address) shownIn(text string) bool {
	parts := []string{a.raw}
	if u, err := url.Parse(a.raw); err == nil {
		password, _ := u.User.Password()
		parts = append(parts, u.User.Username(), password, u.Hostname())
		parts = append(parts, strings.Split(u.Path, "/")...)
		for key, values := range u.Query() {
			parts = append(append(parts, key), values...)
		}
	}
	text = strings.ToLower(text)
	return slices.ContainsFunc(parts, func(part string) bool { return len(part) > 2 && strings.Contains(text, strings.ToLower(part)) })
}

// ID tells the address from the others of a person, and stays the same as long as the address does.
// It is a short digest, of which the address cannot be found again.
func (a Address) ID() string { return a.id }

// Service is the service as people write it, such as "Slack".
func (a Address) Service() string { return cmp.Or(names[a.service], a.service) }

// Scheme is the service as it is written in addresses, such as "slack".
func (a Address) Scheme() string { return a.service }

// String is the service and its host, such as "ntfy (ntfy.example.com)".
func (a Address) String() string {
	if a.host == "" {
		return a.Service()
	}
	return a.Service() + " (" + a.host + ")"
}

// GoString implements fmt.GoStringer without the secret.
func (a Address) GoString() string { return a.String() }

// MarshalText keeps the secret out of JSON and other encodings.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// LogValue implements slog.LogValuer without the secret.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.String()) }

// Format implements fmt.Formatter: every verb prints what String does.
func (a Address) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, a.String()) }
