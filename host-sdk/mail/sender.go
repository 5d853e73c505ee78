package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	netmail "net/mail"
	"net/url"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// DefaultAttachmentLimit is how much is attached to a mail when Options do not say: with the coding
// of mails that stays below what common servers take.
const DefaultAttachmentLimit = 10 << 20

// DefaultTimeout is how long one mail may take when neither Options nor the context say less.
const DefaultTimeout = 30 * time.Second

// Options of a sender; the zero value is usable.
type Options struct {
	Clock clock.Clock // for the Date header; nil: the system's

	// AttachmentLimit bounds the bytes attached to one mail, before coding; 0:
	// DefaultAttachmentLimit; negative: nothing is attached.
	AttachmentLimit int64
	// AttachmentURL gives the guarded page of a medium that is not attached; nil, or "": the mail
	// says where to look instead.
	AttachmentURL func(m store.Medium) string

	// For a server whose certificate the machine does not trust; nil: the machine's trust.
	TLS     *tls.Config
	Timeout time.Duration // of the wall clock, for one mail; 0: DefaultTimeout
}

// Sender implements [engine.Mailer]. It may be used by many goroutines; each mail has a connection
// of its own. It never shows the password, however it is printed. It keeps no connection between
// mails: a server closes idle ones, and a first attempt would fail each time.
type Sender struct {
	server server
	from   *netmail.Address
	public *url.URL
	opt    Options
}

var _ engine.Mailer = (*Sender)(nil)

// New reads smtp://user:password@host:587?tls=required|starttls|none&from=address, or
// smtps://user:password@host:465. The URL's from wins over from, which may have a name ("Hotline
// <hotline@example.com>"). publicURL is the host's own address, for links to its pages. It does not
// connect.
func New(smtpURL, from, publicURL string, opt Options) (*Sender, error) {
	s, err := parseURL(smtpURL)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	if s.from != "" {
		from = s.from
	}
	if from == "" {
		return nil, errors.New("mail: no sender: add from=address to the SMTP URL")
	}
	address, err := parseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("mail: the sender %q %w", from, err)
	}
	public, err := url.Parse(publicURL)
	if err != nil || publicURL != "" && (public.Host == "" || public.Scheme != "http" && public.Scheme != "https") {
		return nil, fmt.Errorf("mail: the public URL %q: want https://host", publicURL)
	}
	if opt.Clock == nil {
		opt.Clock = clock.System()
	}
	if opt.AttachmentLimit == 0 {
		opt.AttachmentLimit = DefaultAttachmentLimit
	}
	if opt.Timeout <= 0 {
		opt.Timeout = DefaultTimeout
	}
	return &Sender{server: s, from: address, public: public, opt: opt}, nil
}

// From is the address in whose name mails are sent, without a name.
func (s *Sender) From() string { return s.from.Address }

// String is the server's URL without the password.
func (s *Sender) String() string { return s.server.String() }

// GoString is String.
func (s *Sender) GoString() string { return s.String() }

// LogValue is String.
func (s *Sender) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Send implements [engine.Mailer]. Kinds: invalid (the server refuses the recipient or the content,
// or the mail is no mail), unauthorized (the server refuses the credentials, the sender or to
// relay: it is about the account, not about the mail), deadline (ctx or Options.Timeout ended it:
// it may have been sent), unavailable (everything that may pass). A server that finds the mail too
// large gets it once more without attachments.
func (s *Sender) Send(ctx context.Context, m engine.OutgoingMail) error {
	limit := s.opt.AttachmentLimit
	err := s.send(ctx, m, limit)
	var e *integration.Error
	// 552 is the answer to a mail beyond the server's limit (RFC 5321, RFC 1870). Composed with a
	// limit of -1 it has links in place of attachments.
	if errors.As(err, &e) && e.Code == "552" && len(m.Attachments) > 0 && limit > 0 {
		err = s.send(ctx, m, -1)
	}
	return err
}

// send makes one attempt; limit is as in Options.AttachmentLimit. It composes first: a mail that
// cannot be composed must not cost a connection.
func (s *Sender) send(ctx context.Context, m engine.OutgoingMail, limit int64) error {
	message, err := s.compose(m, limit)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	line := &line{ctx: ctx, server: s.server}
	defer line.hangUp()
	client, err := s.client(line)
	if err != nil {
		return s.fault(ctx, err)
	}
	err = client.DialAndSendWithContext(ctx, message)
	if message.IsDelivered() {
		return nil // the server has it: what went wrong afterwards must not make it go twice
	}
	return s.fault(ctx, err)
}

// client prepares the library for one mail. TLS below 1.2 is never used. Nothing is connected yet.
func (s *Sender) client(line *line) (*gomail.Client, error) {
	config := &tls.Config{}
	if s.opt.TLS != nil {
		config = s.opt.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = s.server.host
	}
	// A caller's own configuration may only raise it.
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	line.tls = config
	options := []gomail.Option{
		gomail.WithPort(s.server.port), gomail.WithTimeout(s.opt.Timeout), gomail.WithTLSConfig(config), gomail.WithoutNoop(),
		gomail.WithDialContextFunc(line.dial),
	}
	// Servers distrust a greeting without a full name; the machine's own, which the library takes
	// otherwise, often is none.
	if name := s.public.Hostname(); strings.Contains(name, ".") {
		options = append(options, gomail.WithHELO(name))
	}
	switch {
	case s.server.implicitTLS:
		options = append(options, gomail.WithSSL())
	case s.server.tls == tlsRequired:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case s.server.tls == tlsStart:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.server.user != "" {
		// PLAIN and LOGIN refuse to show the password on a connection without TLS, except to this
		// machine.
		options = append(options, gomail.WithUsername(s.server.user), gomail.WithPassword(s.server.password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	return gomail.NewClient(s.server.host, options...)
}

// line is the connection of one mail. It ends with its context, which the library looks at only
// while it connects, and it is closed in any case, which the library forgets when a server refuses
// its greeting or the credentials.
type line struct {
	ctx    context.Context
	server server
	tls    *tls.Config
	conn   net.Conn
}

// dial is called by the library. It connects, binds the connection to the mail's context, and
// speaks TLS at once where the URL says smtps: the library leaves that to whoever brings a dialer.
func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn := &boundConn{Conn: raw}
	conn.stop = context.AfterFunc(l.ctx, conn.end)
	l.conn = conn
	if !l.server.implicitTLS {
		return conn, nil
	}
	encrypted := tls.Client(conn, l.tls)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return encrypted, nil
}

// hangUp must run after every attempt, also after one that never connected.
func (l *line) hangUp() {
	if l.conn != nil {
		_ = l.conn.Close() // usually closed already
	}
}

// maxAnswers bounds what a server may send while it takes one mail, in bytes. The library keeps
// lines, and answers of several lines, however long they are.
const maxAnswers = 1 << 20

// boundConn is a connection whose deadline is in the past, whatever the library sets, once its
// context is over, and that does not read more than maxAnswers. The library sets a new deadline for
// each command, so a server that says one byte a second could hold a mail for ever.
type boundConn struct {
	net.Conn
	stop func() bool
	read int // bytes; only one goroutine reads

	mu   sync.Mutex
	over bool
}

// past is a deadline that has always passed. The zero time would mean no deadline at all.
var past = time.Unix(1, 0)

// end wakes whoever reads or writes.
func (c *boundConn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	_ = c.Conn.SetDeadline(past)
}

// set passes a deadline on, unless all is over.
func (c *boundConn) set(deadline func(time.Time) error, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		t = past
	}
	return deadline(t)
}

// Read implements net.Conn.
func (c *boundConn) Read(p []byte) (int, error) {
	if c.read >= maxAnswers {
		return 0, fmt.Errorf("the mail server sent more than %d bytes", maxAnswers)
	}
	n, err := c.Conn.Read(p)
	c.read += n
	return n, err
}

// SetDeadline implements net.Conn.
func (c *boundConn) SetDeadline(t time.Time) error { return c.set(c.Conn.SetDeadline, t) }

// SetReadDeadline implements net.Conn.
func (c *boundConn) SetReadDeadline(t time.Time) error { return c.set(c.Conn.SetReadDeadline, t) }

// SetWriteDeadline implements net.Conn.
func (c *boundConn) SetWriteDeadline(t time.Time) error { return c.set(c.Conn.SetWriteDeadline, t) }

// Close implements net.Conn.
func (c *boundConn) Close() error {
	c.stop()
	return c.Conn.Close()
}
