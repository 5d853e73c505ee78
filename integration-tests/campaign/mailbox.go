package campaign

import (
	"bytes"
	"encoding/base64"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// What the mail server does.
const (
	mailWorks   = ""
	mailDown    = "down"
	mailHangs   = "hangs"
	mailRefuses = "refuses for now"
	mailNever   = "refuses for good"
)

// delivery is one mail that the server took, or refused for good.
type delivery struct {
	MessageID, To string
	Alert         string // id, of the link in the text
	Sounds        int    // attached
	Refused       bool
}

// postOffice is a mail server that can be disturbed.
type postOffice struct {
	server   *smtp.Server
	listener net.Listener

	mu         sync.Mutex
	mode       string
	held       []net.Conn
	deliveries []delivery
}

// openPostOffice starts the server on a port of its own.
func openPostOffice() (*postOffice, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &postOffice{listener: l}
	p.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &letter{office: p}, nil }))
	p.server.Domain = "mail.example.com"
	p.server.ErrorLog = log.New(io.Discard, "", 0)
	p.server.ReadTimeout, p.server.WriteTimeout = time.Minute, time.Minute
	go func() { _ = p.server.Serve(disturbed{l, p}) }()
	return p, nil
}

// URL is the server's address for switchboard.
func (p *postOffice) URL() string {
	return "smtp://" + p.listener.Addr().String() + "?tls=none&from=hotline@example.com"
}

func (p *postOffice) close() {
	p.set(mailWorks)
	_ = p.server.Close()
}

// set changes what the server does. Connections that it left hanging are cut.
func (p *postOffice) set(mode string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = mode
	for _, c := range p.held {
		_ = c.Close()
	}
	p.held = nil
}

func (p *postOffice) now() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode
}

// take returns the mails so far and forgets them.
func (p *postOffice) take() []delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.deliveries
	p.deliveries = nil
	return out
}

// disturbed is the listener of a server that may be down or hang.
type disturbed struct {
	net.Listener
	office *postOffice
}

// Accept implements net.Listener.
func (d disturbed) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		d.office.mu.Lock()
		mode := d.office.mode
		if mode == mailHangs {
			d.office.held = append(d.office.held, c)
		}
		d.office.mu.Unlock()
		switch mode {
		case mailHangs:
		case mailDown:
			_ = c.Close()
		default:
			return c, nil
		}
	}
}

// letter is one mail while it is handed over.
type letter struct {
	office *postOffice
	to     []string
}

// Reset implements smtp.Session.
func (l *letter) Reset() { l.to = nil }

// Logout implements smtp.Session.
func (l *letter) Logout() error { return nil }

// Mail implements smtp.Session.
func (l *letter) Mail(string, *smtp.MailOptions) error {
	if l.office.now() == mailRefuses {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "come again"}
	}
	return nil
}

// Rcpt implements smtp.Session.
func (l *letter) Rcpt(to string, _ *smtp.RcptOptions) error {
	l.to = append(l.to, to)
	return nil
}

// Data implements smtp.Session.
func (l *letter) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	d := readMail(raw)
	l.office.mu.Lock()
	defer l.office.mu.Unlock()
	d.Refused = l.office.mode == mailNever
	for _, to := range l.to {
		d.To = to
		l.office.deliveries = append(l.office.deliveries, d)
	}
	if d.Refused {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not wanted"}
	}
	return nil
}

var alertLink = regexp.MustCompile(`/(alerts|page)/([A-Za-z0-9_-]+)`)

// linkedAlert is the alert that a mail's text links to, by its address or by a personal link, which
// names person, alert and time behind 16 bytes of signature; "" if there is none.
func linkedAlert(text []byte) string {
	found := alertLink.FindSubmatch(text)
	if found == nil {
		return ""
	}
	if string(found[1]) == "alerts" {
		return string(found[2])
	}
	token, err := base64.RawURLEncoding.DecodeString(string(found[2]))
	if err != nil || len(token) < 16 {
		return ""
	}
	if parts := strings.Split(string(token[16:]), "\x00"); len(parts) == 3 {
		return parts[1]
	}
	return ""
}

// readMail finds what the checks want to know of a mail. What cannot be read stays empty.
func readMail(raw []byte) (d delivery) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return d
	}
	d.MessageID = m.Header.Get("Message-Id")
	d.part(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
	return d
}

// part reads one part of a mail and those within it.
func (d *delivery) part(contentType, encoding string, body io.Reader) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return
	}
	if strings.HasPrefix(kind, "multipart/") {
		for parts := multipart.NewReader(body, params["boundary"]); ; {
			p, err := parts.NextRawPart()
			if err != nil {
				return
			}
			d.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p)
		}
	}
	switch strings.ToLower(encoding) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	content, _ := io.ReadAll(body)
	switch {
	case strings.HasPrefix(kind, "audio/"):
		d.Sounds++
	case d.Alert == "":
		d.Alert = linkedAlert(content)
	}
}
