package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	user     = "hotline"
	password = "s3cret/p@ss word"
)

// postOffice is an SMTP server on this machine that keeps what it gets and refuses what it is told
// to.
type postOffice struct {
	addr   string
	roots  *x509.CertPool
	onMail error
	onAuth error // answer to right credentials
	// onGreeting is the answer to the first command of a visit.
	onGreeting error
	onRcpt     error
	onData     error
	limit      int // bytes of a mail; more: 552

	mu    sync.Mutex
	mails []letter
}

type letter struct {
	from, to, user string
	encrypted      bool
	data           []byte
}

type visit struct {
	office *postOffice
	conn   *smtp.Conn
	letter letter
}

type noAuth struct{ *visit } // hides AuthMechanisms: a server that takes no credentials

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, name, pass string) error {
		if name != user || pass != password {
			return smtp.ErrAuthFailed
		}
		v.letter.user = name
		return v.office.onAuth
	}), nil
}

func (v *visit) Reset() { v.letter.from, v.letter.to = "", "" }

func (v *visit) Logout() error { return nil }

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	v.letter.from = from
	return v.office.onMail
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.letter.to = to
	return v.office.onRcpt
}

func (v *visit) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if v.office.onData != nil {
		return v.office.onData
	}
	if v.office.limit > 0 && len(data) > v.office.limit {
		return &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "too large"}
	}
	v.letter.data = data
	_, v.letter.encrypted = v.conn.TLSConnectionState()
	v.office.mu.Lock()
	v.office.mails = append(v.office.mails, v.letter)
	v.office.mu.Unlock()
	return nil
}

type kind int

const (
	plain kind = iota
	startTLS
	implicitTLS
	withoutAuth
)

func open(t *testing.T, k kind, office *postOffice) *postOffice {
	t.Helper()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		if office.onGreeting != nil {
			return nil, office.onGreeting
		}
		v := &visit{office: office, conn: c}
		if k == withoutAuth {
			return struct{ smtp.Session }{noAuth{v}}, nil
		}
		return v, nil
	}))
	server.Domain = "localhost"
	server.AllowInsecureAuth = true
	server.EnableSMTPUTF8 = true
	server.ErrorLog = log.New(io.Discard, "", 0)
	if office.addr == "" {
		office.addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", office.addr)
	if err != nil {
		t.Fatal(err)
	}
	office.addr = listener.Addr().String()
	config, roots := certificate(t)
	office.roots = roots
	switch k {
	case startTLS:
		server.TLSConfig = config
	case implicitTLS:
		listener = tls.NewListener(listener, config)
	case plain, withoutAuth:
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return office
}

func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example.com"}, DNSNames: []string{"mail.example.com"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, roots
}

func (o *postOffice) letters() []letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]letter(nil), o.mails...)
}

func (o *postOffice) sender(t *testing.T, scheme, query string, opt mail.Options) *mail.Sender {
	t.Helper()
	u := url.URL{Scheme: scheme, Host: o.addr, User: url.UserPassword(user, password), RawQuery: query}
	return sender(t, u.String(), opt)
}

func sender(t *testing.T, smtpURL string, opt mail.Options) *mail.Sender {
	t.Helper()
	if opt.Clock == nil {
		opt.Clock = clock.NewManual(time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC))
	}
	s, err := mail.New(smtpURL, "Hotline <hotline@example.com>", "https://hotline.example.com/base", opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func simple() engine.OutgoingMail {
	return engine.OutgoingMail{MessageID: "0123abcd", To: "alice@example.com", Subject: "Voicemail", Text: "Call back +12025550143.\n"}
}
