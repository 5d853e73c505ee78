package notify

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// reachTime bounds one attempt to connect.
const reachTime = 5 * time.Second

// servers are the hosts of services that have one for everybody.
var servers = map[string]string{
	"discord": "discord.com", "googlechat": "chat.googleapis.com", "hangouts": "chat.googleapis.com", "ifttt": "maker.ifttt.com", "notifiarr": "notifiarr.com",
	"pagerduty": "events.pagerduty.com", "pushbullet": "api.pushbullet.com", "pushover": "api.pushover.net", "slack": "slack.com", "telegram": "api.telegram.org",
}

// Reach connects to the host of the service, within five seconds, and sends nothing. It returns the
// host, "" where it is not known or behind a proxy: then nothing was tried. The error holds nothing
// of the address. The doctor asks it: a firewall that lets nothing out is found before somebody has
// to be woken.
func (a Address) Reach(ctx context.Context) (host string, err error) {
	u, err := url.Parse(a.raw)
	if err != nil {
		return "", nil //nolint:nilerr // cannot be: it was parsed before
	}
	host, port := servers[a.service], "443"
	if a.host != "" {
		host, port = a.host, cmp.Or(u.Port(), port)
		plain := strings.HasSuffix(u.Scheme, "+http") || strings.EqualFold(u.Query().Get("disabletls"), "yes") || strings.EqualFold(u.Query().Get("scheme"), "http")
		switch {
		case u.Port() != "":
		case a.service == "smtp":
			port = "25"
		case plain:
			port = "80"
		}
	}
	if host == "" {
		return "", nil
	}
	proxied := &http.Request{URL: &url.URL{Scheme: "https", Host: net.JoinHostPort(host, port)}}
	if proxy, err := http.ProxyFromEnvironment(proxied); err == nil && proxy != nil {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err == nil {
		return host, conn.Close()
	}
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &dns):
		return host, errors.New(dns.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return host, errors.New("no answer")
	case errors.As(err, &op):
		return host, op.Err
	}
	return host, err
}
