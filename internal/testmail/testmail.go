// Package testmail is for tests alone: a mail server that takes every mail and keeps it.
package testmail

import (
	"errors"
	"io"
	"log"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/livecallrouting/livecall/internal/freeport"
)

// Mail is one as it was handed over.
type Mail struct {
	To   []string // recipients of the envelope
	Text string   // header and body
}

// Options change what a server does.
type Options struct {
	User, Password string // what it asks for; "" for none
	// Not nil: each mail is kept at once and answered when this is closed.
	Hold <-chan struct{}
}

// Server is a mail server on the loopback interface.
type Server struct {
	// Address is host and port. After Close nobody listens there.
	Address string
	opt     Options
	server  *smtp.Server

	mu    sync.Mutex
	mails []Mail
}

// Start starts a server. It serves until Close.
func Start(opt Options) (*Server, error) {
	address, err := freeport.Take()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Server{Address: address, opt: opt}
	s.server = smtp.NewServer(smtp.BackendFunc(s.session))
	s.server.Domain = "mail.example.com"
	s.server.AllowInsecureAuth = true
	s.server.ErrorLog = log.New(io.Discard, "", 0)
	go func() { _ = s.server.Serve(l) }() // ends with Close
	return s, nil
}

// Close ends the server and its connections. What it has taken can still be read.
func (s *Server) Close() error { return s.server.Close() }

// URL is the server as senders name it, with user and password. Their connections are not
// encrypted.
func (s *Server) URL() string {
	u := url.URL{Scheme: "smtp", Host: s.Address, RawQuery: "tls=none&from=hotline@example.com"}
	if s.opt.User != "" {
		u.User = url.UserPassword(s.opt.User, s.opt.Password)
	}
	return u.String()
}

// Mails are those that it has taken, in their order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Forget drops the mails so far.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = nil
}

// Texts are the mails, each with the recipients of its envelope in the first line.
func (s *Server) Texts() []string {
	var out []string
	for _, m := range s.Mails() {
		out = append(out, "To: "+strings.Join(m.To, ", ")+"\r\n"+m.Text)
	}
	return out
}

func (s *Server) session(*smtp.Conn) (smtp.Session, error) {
	if s.opt.User == "" {
		return &session{of: s}, nil
	}
	return &login{session{of: s}}, nil
}

// session is one connection.
type session struct {
	of *Server
	to []string
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.to = nil }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// Mail implements smtp.Session.
func (s *session) Mail(string, *smtp.MailOptions) error {
	s.to = nil
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.of.mu.Lock()
	s.of.mails = append(s.of.mails, Mail{s.to, string(text)})
	s.of.mu.Unlock()
	if s.of.opt.Hold != nil {
		<-s.of.opt.Hold
	}
	return nil
}

// login is a session of a server that asks who sends.
type login struct{ session }

// AuthMechanisms implements smtp.AuthSession.
func (l *login) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (l *login) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != l.of.opt.User || password != l.of.opt.Password {
			return errors.New("wrong password")
		}
		return nil
	}), nil
}
