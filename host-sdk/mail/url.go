package mail

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Ways to use TLS with smtp://. With smtps:// the connection begins with TLS.
const (
	tlsRequired = "required" // STARTTLS, or no mail
	tlsStart    = "starttls" // STARTTLS if the server offers it
	tlsNone     = "none"
)

// server is what an SMTP URL says. It holds the password: never print it.
type server struct {
	host           string
	port           int
	implicitTLS    bool
	tls            string
	user, password string
	from           string
}

const urlForm = "want smtp://user:password@host:587?tls=required or smtps://user:password@host:465" // #nosec G101 -- says the form

// parseURL reads smtp://[user:password@]host[:port][?tls=required|starttls|none&from=address] or
// smtps://…. TLS is required unless the server is this machine. Errors never hold the URL, as it
// holds the password.
func parseURL(text string) (server, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return server{}, errors.New("the SMTP URL cannot be read: " + urlForm + "; write special characters of the password as %XX")
	}
	s := server{host: u.Hostname(), port: 587, tls: tlsRequired}
	switch u.Scheme {
	case "smtp":
		if isLocal(s.host) {
			s.tls = tlsStart
		}
	case "smtps":
		s.implicitTLS, s.port = true, 465
	default:
		return server{}, fmt.Errorf("the SMTP URL begins with %q: %s", u.Scheme, urlForm)
	}
	if port := u.Port(); port != "" {
		if s.port, err = strconv.Atoi(port); err != nil || s.port < 1 || s.port > 65535 {
			return server{}, fmt.Errorf("the SMTP URL's port %q is none", port)
		}
	}
	if u.Path != "" && u.Path != "/" || u.Fragment != "" || u.Opaque != "" {
		return server{}, errors.New("the SMTP URL has something behind the host: " + urlForm + "; write special characters of the password as %XX")
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
		if s.user == "" || s.password == "" {
			return server{}, errors.New("the SMTP URL has a user or a password alone: give both or none")
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return server{}, errors.New("the SMTP URL's part behind ? cannot be read: " + urlForm)
	}
	for name, values := range query {
		switch {
		case len(values) != 1:
			return server{}, fmt.Errorf("the SMTP URL gives %s more than once", name)
		case name == "from":
			s.from = values[0]
		case name == "tls" && slices.Contains([]string{tlsRequired, tlsStart, tlsNone}, values[0]):
			s.tls = values[0]
		case name == "tls":
			return server{}, fmt.Errorf("the SMTP URL's tls is %q: want required, starttls or none", values[0])
		default:
			return server{}, fmt.Errorf("the SMTP URL has an unknown setting %q: it knows tls and from", name)
		}
	}
	if s.implicitTLS && query.Get("tls") == tlsNone {
		return server{}, errors.New("the SMTP URL says smtps and tls=none: write smtp://…?tls=none for a connection without TLS")
	}
	return s, nil
}

func isLocal(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// String shows the server without the password.
func (s server) String() string {
	u := url.URL{Scheme: "smtp", Host: s.host + ":" + strconv.Itoa(s.port)}
	if strings.Contains(s.host, ":") {
		u.Host = "[" + s.host + "]:" + strconv.Itoa(s.port)
	}
	if s.implicitTLS {
		u.Scheme = "smtps"
	} else {
		u.RawQuery = "tls=" + s.tls
	}
	if s.user != "" {
		u.User = url.UserPassword(s.user, "xxxxx")
	}
	return u.String()
}

// parseAddress reads one address, with or without a name, and refuses what could add lines to a
// header.
func parseAddress(text string) (*mail.Address, error) {
	if hasControl(text) {
		return nil, errors.New("holds control characters")
	}
	address, err := mail.ParseAddress(text)
	if err != nil {
		return nil, errors.New("is no e-mail address")
	}
	return address, nil
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 })
}
