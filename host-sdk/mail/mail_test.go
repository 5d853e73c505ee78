package mail_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/mail"
	"github.com/livecallrouting/livecall/host-sdk/store"
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

func (v *visit) Reset()        { v.letter.from, v.letter.to = "", "" }
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

// part is a leaf of a message.
type part struct {
	kind, disposition, name string
	body                    []byte
}

func read(t *testing.T, l letter) (*netmail.Message, []part) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(l.data))
	if err != nil {
		t.Fatal(err)
	}
	return m, leaves(t, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Header.Get("Content-Disposition"), m.Body)
}

func leaves(t *testing.T, contentType, encoding, disposition string, body io.Reader) []part {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		var out []part
		r := multipart.NewReader(body, params["boundary"])
		for {
			p, err := r.NextRawPart()
			if errors.Is(err, io.EOF) {
				return out
			}
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, leaves(t, p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p.Header.Get("Content-Disposition"), p)...)
		}
	}
	switch strings.ToLower(encoding) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	p := part{kind: kind, body: data}
	if disposition != "" {
		var params map[string]string
		p.disposition, params, err = mime.ParseMediaType(disposition)
		if err != nil {
			t.Fatal(err)
		}
		p.name = params["filename"]
		if decoded, err := new(mime.WordDecoder).DecodeHeader(p.name); err == nil {
			p.name = decoded
		}
	}
	return []part{p}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	office := open(t, startTLS, &postOffice{})
	s := office.sender(t, "smtp", "tls=required", mail.Options{TLS: &tls.Config{RootCAs: office.roots}})
	audio := make([]byte, 100_000)
	_, err := rand.Read(audio)
	if err != nil {
		t.Fatal(err)
	}
	m := engine.OutgoingMail{
		MessageID: "0123abcd", To: "Alice Example <alice@example.com>", Subject: "Anruf für Zürich ☎ — ein ziemlich langer Betreff, damit er gefaltet werden muss",
		Text: "Grüße,\n.\nein Punkt steht allein.\n", HTML: "<html><body><p>Grüße</p></body></html>", AlertURL: "/alerts/7?a=1&b=2",
		Attachments: []store.Medium{{MediaRef: integration.MediaRef{Name: "Sprachnachricht für Alice.mp3", ContentType: "audio/mpeg"}, Data: audio}},
	}
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}

	letters := office.letters()
	if len(letters) != 2 {
		t.Fatalf("%d letters, want %d", len(letters), 2)
	}
	if letters[0].from != "hotline@example.com" {
		t.Fatalf("letters[0].from is %q, want %q", letters[0].from, "hotline@example.com")
	}
	if letters[0].to != "alice@example.com" {
		t.Fatalf("letters[0].to is %q, want %q", letters[0].to, "alice@example.com")
	}
	if letters[0].user != user {
		t.Fatalf("letters[0].user is %q, want %q", letters[0].user, user)
	}
	if !letters[0].encrypted {
		t.Fatal("letters[0].encrypted is false")
	}
	for _, l := range letters { // the same mail sent twice has the same id
		got, parts := read(t, l)
		if have := got.Header.Get("Message-ID"); have != "<0123abcd@example.com>" {
			t.Fatalf("got.Header.Get('Message-ID') is %q, want %q", have, "<0123abcd@example.com>")
		}
		if have := got.Header.Get("Date"); have != "Mon, 05 Jan 2026 09:30:00 +0000" {
			t.Fatalf("got.Header.Get('Date') is %q, want %q", have, "Mon, 05 Jan 2026 09:30:00 +0000")
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
		if err != nil {
			t.Fatal(err)
		}
		if subject != m.Subject {
			t.Fatalf("subject is %q, want %q", subject, m.Subject)
		}
		if have := got.Header.Get("From"); have != `"Hotline" <hotline@example.com>` {
			t.Fatalf("got.Header.Get('From') is %q, want %q", have, `"Hotline" <hotline@example.com>`)
		}
		if have := got.Header.Get("To"); have != `"Alice Example" <alice@example.com>` {
			t.Fatalf("got.Header.Get('To') is %q, want %q", have, `"Alice Example" <alice@example.com>`)
		}
		if have := got.Header.Get("Auto-Submitted"); have != "auto-generated" {
			t.Fatalf("got.Header.Get('Auto-Submitted') is %q, want %q", have, "auto-generated")
		}

		if len(parts) != 3 {
			t.Fatalf("%d parts, want %d", len(parts), 3)
		}
		if parts[0].kind != "text/plain" {
			t.Fatalf("parts[0].kind is %q, want %q", parts[0].kind, "text/plain")
		}
		if got := strings.ReplaceAll(string(parts[0].body), "\r\n", "\n"); got != "Grüße,\n.\nein Punkt steht allein.\n\nAlert: https://hotline.example.com/base/alerts/7?a=1&b=2\n" {
			t.Fatalf("strings.ReplaceAll(string(parts[0].body), '\r\n', '\n') is %q, want %q", got, "Grüße,\n.\nein Punkt steht allein.\n\nAlert: https://hotline.example.com/base/alerts/7?a=1&b=2\n")
		}
		if parts[1].kind != "text/html" {
			t.Fatalf("parts[1].kind is %q, want %q", parts[1].kind, "text/html")
		}
		if got := string(parts[1].body); got != `<html><body><p>Grüße</p><p>Alert: <a href="https://hotline.example.com/base/alerts/7?a=1&amp;b=2">https://hotline.example.com/base/alerts/7?a=1&amp;b=2</a></p></body></html>` {
			t.Fatalf("string(parts[1].body) is %q, want %q", got, `<html><body><p>Grüße</p><p>Alert: <a href="https://hotline.example.com/base/alerts/7?a=1&amp;b=2">https://hotline.example.com/base/alerts/7?a=1&amp;b=2</a></p></body></html>`)
		}
		if diff := cmp.Diff(part{"audio/mpeg", "attachment", "Sprachnachricht für Alice.mp3", audio}, parts[2], cmp.AllowUnexported(part{})); diff != "" {
			t.Fatalf("parts[2] (-want +got):\n%s", diff)
		}
	}
}

func TestTextAlone(t *testing.T) {
	t.Parallel()
	office := open(t, plain, &postOffice{})
	if err := office.sender(t, "smtp", "tls=none", mail.Options{}).Send(t.Context(), simple()); err != nil {
		t.Fatal(err)
	}
	l := office.letters()[0]
	_, parts := read(t, l)
	if len(parts) != 1 {
		t.Fatalf("%d parts, want %d", len(parts), 1)
	}
	if got := string(parts[0].body); got != "Call back +12025550143.\r\n" {
		t.Fatalf("string(parts[0].body) is %q, want %q", got, "Call back +12025550143.\r\n")
	}
	if l.encrypted {
		t.Fatal("l.encrypted is true")
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, scheme, query string
		server              kind
		trusted, encrypted  bool
		wantErr             string
	}{
		{"smtps", "smtps", "", implicitTLS, true, true, ""},
		{"smtps, unknown authority", "smtps", "", implicitTLS, false, false, "certificate"},
		{"starttls required", "smtp", "tls=required", startTLS, true, true, ""},
		{"starttls required, unknown authority", "smtp", "tls=required", startTLS, false, false, "certificate"},
		{"starttls required, not offered", "smtp", "tls=required", plain, true, false, "does not support STARTTLS; use smtps://"},
		{"starttls if offered: it is", "smtp", "tls=starttls", startTLS, true, true, ""},
		{"starttls if offered: it is not", "smtp", "tls=starttls", plain, true, false, ""},
		{"this machine needs no TLS", "smtp", "", plain, true, false, ""},
		{"none, though offered", "smtp", "tls=none", startTLS, true, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			office := open(t, tt.server, &postOffice{})
			opt := mail.Options{}
			if tt.trusted {
				opt.TLS = &tls.Config{RootCAs: office.roots}
			}
			err := office.sender(t, tt.scheme, tt.query, opt).Send(t.Context(), simple())
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("error %v, want one that contains %q", err, tt.wantErr)
				}
				if got := integration.KindOf(err); got != integration.KindUnavailable {
					t.Fatalf("error kind is %q, want %q", got, integration.KindUnavailable)
				}
				if got := office.letters(); len(got) != 0 {
					t.Fatalf("letters %v, want none", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if office.letters()[0].encrypted != tt.encrypted {
				t.Fatalf("office.letters()[0].encrypted is %v, want %v", office.letters()[0].encrypted, tt.encrypted)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	temporary := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
	permanent := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	for _, tt := range []struct {
		name   string
		server kind
		office *postOffice
		url    func(addr string) string
		kind   integration.Kind
		code   string
	}{
		{"recipient 451", plain, &postOffice{onRcpt: temporary}, nil, integration.KindUnavailable, "451"},
		{"recipient 550", plain, &postOffice{onRcpt: permanent}, nil, integration.KindInvalid, "550"},
		{"content 451", plain, &postOffice{onData: temporary}, nil, integration.KindUnavailable, "451"},
		{"content 554", plain, &postOffice{onData: &smtp.SMTPError{Code: 554, Message: "spam"}}, nil, integration.KindInvalid, "554"},
		{"wrong password", plain, &postOffice{}, func(addr string) string { return "smtp://hotline:wrongpassword@" + addr }, integration.KindUnauthorized, "535"},
		{"credentials cannot be checked now", plain, &postOffice{onAuth: &smtp.SMTPError{Code: 454, Message: "later"}}, nil, integration.KindUnavailable, "454"},
		{"sender 550", plain, &postOffice{onMail: &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 8}, Message: "not your address"}}, nil, integration.KindUnauthorized, "550"},
		{"does not relay", plain, &postOffice{onRcpt: &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "relaying denied"}}, nil, integration.KindUnauthorized, "550"},
		{"serves nobody", plain, &postOffice{onGreeting: &smtp.SMTPError{Code: 554, Message: "no service here"}}, nil, integration.KindUnavailable, "554"},
		{"server takes no credentials", withoutAuth, &postOffice{}, nil, integration.KindUnauthorized, ""},
		{"recipient needs credentials", plain, &postOffice{onRcpt: &smtp.SMTPError{Code: 530, Message: "authenticate first"}}, func(addr string) string { return "smtp://" + addr }, integration.KindUnauthorized, "530"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			office := open(t, tt.server, tt.office)
			s := office.sender(t, "smtp", "", mail.Options{})
			if tt.url != nil {
				s = sender(t, tt.url(office.addr), mail.Options{})
			}
			err := s.Send(t.Context(), simple())
			if err == nil {
				t.Fatal("no error")
			}
			var e *integration.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v, want a %T", err, &e)
			}
			if e.Kind != tt.kind {
				t.Fatalf("%v: e.Kind is %q, want %q", err.Error(), e.Kind, tt.kind)
			}
			if e.Code != tt.code {
				t.Fatalf("%v: e.Code is %q, want %q", err.Error(), e.Code, tt.code)
			}
			if strings.Contains(err.Error(), password) {
				t.Fatalf("%q contains %q", err.Error(), password)
			}
			if strings.Contains(err.Error(), "wrongpassword") {
				t.Fatalf("%q contains %q", err.Error(), "wrongpassword")
			}
			if strings.Contains(errors.Unwrap(err).Error(), password) {
				t.Fatalf("%q contains %q", errors.Unwrap(err).Error(), password)
			}
			if got := office.letters(); len(got) != 0 {
				t.Fatalf("letters %v, want none", got)
			}
		})
	}
}

// A password must not travel in clear to another machine, even if the server would take it.
func TestNoPasswordInClear(t *testing.T) {
	t.Parallel()
	// 127.0.0.2 is this machine too, but nobody knows it by that name.
	office := open(t, plain, &postOffice{addr: "127.0.0.2:0"})
	err := sender(t, "smtp://hotline:secret12@"+office.addr+"?tls=none", mail.Options{}).Send(t.Context(), simple())
	if got := integration.KindOf(err); got != integration.KindUnauthorized {
		t.Fatalf("%v: error kind is %q, want %q", err, got, integration.KindUnauthorized)
	}
	if err == nil || !strings.Contains(err.Error(), "in clear") {
		t.Fatalf("error %v, want one that contains %q", err, "in clear")
	}
	if got := office.letters(); len(got) != 0 {
		t.Fatalf("letters %v, want none", got)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	err = sender(t, "smtp://"+addr, mail.Options{}).Send(t.Context(), simple())
	if got := integration.KindOf(err); got != integration.KindUnavailable {
		t.Fatalf("error kind is %q, want %q", got, integration.KindUnavailable)
	}
}

// A server that says nothing, at any stage, holds nobody up for longer than the context allows.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	for _, greeting := range []string{"", "220 hello\r\n"} {
		for _, scheme := range []string{"smtp", "smtps"} {
			t.Run(fmt.Sprintf("%s %q", scheme, greeting), func(t *testing.T) {
				t.Parallel()
				listener, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				accepted, closed := make(chan struct{}), make(chan struct{})
				go func() {
					defer close(closed)
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					close(accepted)
					_, _ = io.WriteString(conn, greeting)
					_, _ = io.Copy(io.Discard, conn) // until the sender hangs up
					_ = conn.Close()
				}()
				s := sender(t, scheme+"://"+listener.Addr().String(), mail.Options{})
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				err = s.Send(ctx, simple())
				if integration.KindOf(err) != integration.KindDeadline {
					// A TLS client may stumble over the greeting before time is up.
					if scheme != "smtps" {
						t.Fatalf("%v: scheme is %q, want %q", err, scheme, "smtps")
					}
					if len(greeting) == 0 {
						t.Fatal("greeting is empty")
					}
				}
				<-accepted
				<-closed
				if err := listener.Close(); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// TestAServerThatNeverStopsTalking holds the memory: the library keeps an answer however long it is.
func TestAServerThatNeverStopsTalking(t *testing.T) {
	t.Parallel()
	for name, piece := range map[string]string{"lines": "220-" + strings.Repeat("x", 1000) + "\r\n", "a line": strings.Repeat("2", 1000)} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		sent := make(chan int, 1)
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				sent <- 0
				return
			}
			total := 0
			for err == nil && total < 1<<30 {
				var n int
				n, err = io.WriteString(conn, piece)
				total += n
			}
			_ = conn.Close()
			sent <- total
		}()
		err = sender(t, "smtp://"+listener.Addr().String(), mail.Options{}).Send(t.Context(), simple())
		if integration.KindOf(err) != integration.KindUnavailable || !strings.Contains(err.Error(), "the mail server sent more than") {
			t.Errorf("%s: %.300v", name, err)
		}
		if total := <-sent; total >= 64<<20 { // what lies in the sockets' buffers included
			t.Errorf("%s: %d bytes were read", name, total)
		}
		_ = listener.Close()
	}
}

// TestALongAnswerIsNotRepeatedWhole: errors of mails are logged and kept.
func TestALongAnswerIsNotRepeatedWhole(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if conn, err := listener.Accept(); err == nil {
			_, _ = io.WriteString(conn, "554 "+strings.Repeat("no ", 100_000)+"\r\n")
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	err = sender(t, "smtp://"+listener.Addr().String(), mail.Options{}).Send(t.Context(), simple())
	var fault *integration.Error
	if !errors.As(err, &fault) || len(fault.Message) > 1200 || fault.Code != "554" {
		t.Errorf("%.300v", err)
	}
	<-done
}

func TestCancelledSend(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		cancel()
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}()
	err = sender(t, "smtp://"+listener.Addr().String(), mail.Options{}).Send(ctx, simple())
	if got := integration.KindOf(err); got != integration.KindUnavailable {
		t.Fatalf("error kind is %q, want %q", got, integration.KindUnavailable)
	}
	<-closed
}

// What goes wrong after the server has taken the mail is no reason to send it again.
func TestLostAfterDelivery(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	office := &postOffice{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	done := make(chan struct{})
	go func() { // a server that hangs up as soon as it has the mail
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "220 hello\r\n")
		buffer := make([]byte, 64<<10)
		var seen string
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			seen += string(buffer[:n])
			switch {
			case strings.HasSuffix(seen, "\r\n.\r\n"):
				_, _ = io.WriteString(conn, "250 taken\r\n")
				office.mails = append(office.mails, letter{data: []byte(seen)})
				return
			case strings.HasSuffix(seen, "DATA\r\n"):
				_, _ = io.WriteString(conn, "354 go on\r\n")
			case strings.HasSuffix(seen, "\r\n") && !strings.Contains(seen, "DATA\r\n"):
				_, _ = io.WriteString(conn, "250 fine\r\n")
			}
		}
	}()
	err = sender(t, "smtp://"+listener.Addr().String()+"?tls=none", mail.Options{}).Send(ctx, simple())
	<-done
	cancel()
	if err != nil {
		t.Fatal(err)
	}
	if len(office.mails) != 1 {
		t.Fatalf("%d office.mails, want %d", len(office.mails), 1)
	}
}

func medium(name string, n int) store.Medium {
	return store.Medium{MediaRef: integration.MediaRef{Ref: "media:" + name, Name: name, ContentType: "audio/mpeg"}, Data: bytes.Repeat([]byte("x"), n)}
}

func TestAttachmentLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		opt      mail.Options
		attached []string
		text     string
	}{
		{"all fit", mail.Options{AttachmentLimit: 3000}, []string{"a.mp3", "b.mp3"}, ""},
		{"one fits", mail.Options{AttachmentLimit: 2000}, []string{"a.mp3"}, "b.mp3 (1.5 kB) is not attached: it is kept with the alert."},
		{"none wanted", mail.Options{AttachmentLimit: -1}, nil, "a.mp3 (1.0 kB) is not attached: it is kept with the alert.\nb.mp3 (1.5 kB) is not attached: it is kept with the alert."},
		{"a link instead", mail.Options{AttachmentLimit: 2000, AttachmentURL: func(m store.Medium) string { return "/media/" + m.Name }}, []string{"a.mp3"}, "b.mp3: https://hotline.example.com/base/media/b.mp3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			office := open(t, plain, &postOffice{})
			m := simple()
			m.Attachments = []store.Medium{medium("a.mp3", 1000), medium("b.mp3", 1500)}
			if err := office.sender(t, "smtp", "", tt.opt).Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			_, parts := read(t, office.letters()[0])
			var attached []string
			for _, p := range parts[1:] {
				attached = append(attached, p.name)
			}
			if diff := cmp.Diff(tt.attached, attached); diff != "" {
				t.Fatalf("attached (-want +got):\n%s", diff)
			}
			want := "Call back +12025550143.\n"
			if tt.text != "" {
				want += "\n" + tt.text + "\n"
			}
			if got := strings.ReplaceAll(string(parts[0].body), "\r\n", "\n"); got != want {
				t.Fatalf("strings.ReplaceAll(string(parts[0].body), '\r\n', '\n') is %q, want %q", got, want)
			}
		})
	}
}

// A mail that is too large for the server is better without the recording than not at all.
func TestTooLargeForTheServer(t *testing.T) {
	t.Parallel()
	office := open(t, plain, &postOffice{limit: 5000})
	m := simple()
	m.Attachments = []store.Medium{medium("a.mp3", 20_000)}
	s := office.sender(t, "smtp", "", mail.Options{})
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	_, parts := read(t, office.letters()[0])
	if len(parts) != 1 {
		t.Fatalf("%d parts, want %d", len(parts), 1)
	}
	if got := string(parts[0].body); !strings.Contains(got, "a.mp3 (20.0 kB) is not attached") {
		t.Fatalf("%q, want it to contain %q", got, "a.mp3 (20.0 kB) is not attached")
	}
	m.Text = strings.Repeat("long ", 2000)
	err := s.Send(t.Context(), m)
	if got := integration.KindOf(err); got != integration.KindInvalid {
		t.Fatalf("error kind is %q, want %q", got, integration.KindInvalid)
	}
	if got := len(office.letters()); got != 1 {
		t.Fatalf("%d letters, want %d", got, 1)
	}
}

func TestALineBreakInANameNeitherStopsAMailNorAddsAHeader(t *testing.T) {
	t.Parallel()
	office := open(t, plain, &postOffice{})
	s := office.sender(t, "smtp", "", mail.Options{})
	for name, change := range map[string]func(*engine.OutgoingMail){
		"to":          func(m *engine.OutgoingMail) { m.To = "alice@example.com\r\nBcc: bob@example.com" },
		"to two":      func(m *engine.OutgoingMail) { m.To = "alice@example.com, bob@example.com" },
		"to empty":    func(m *engine.OutgoingMail) { m.To = "" },
		"to nonsense": func(m *engine.OutgoingMail) { m.To = "alice" },
		"id":          func(m *engine.OutgoingMail) { m.MessageID = "x>\r\nBcc: bob@example.com" },
		"id empty":    func(m *engine.OutgoingMail) { m.MessageID = "" },
	} {
		m := simple()
		change(&m)
		err := s.Send(t.Context(), m)
		if got := integration.KindOf(err); got != integration.KindInvalid {
			t.Fatalf("%s: %v: error kind is %q, want %q", name, err, got, integration.KindInvalid)
		}
	}
	if got := office.letters(); len(got) != 0 {
		t.Fatalf("letters %v, want none", got)
	}

	m := simple()
	m.Subject = "Dev\r\nBcc: bob@example.com \u202eOps\x00"
	m.To = "\"Alice\n Example\" <alice@example.com>"
	m.AlertURL = "javascript:alert(1)"
	m.HTML = "<p>x</p>"
	m.Attachments = []store.Medium{
		{MediaRef: integration.MediaRef{Name: "../a\r\nBcc: bob@example.com\".mp3", ContentType: "audio/mpeg\r\nX: y"}, Data: []byte("1")},
		{MediaRef: integration.MediaRef{ContentType: "message/rfc822"}, Data: []byte("2")},
	}
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got, parts := read(t, office.letters()[0])
	if subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject")); err != nil || subject != "Dev Bcc: bob@example.com Ops" {
		t.Fatalf("subject is %q, %v", subject, err)
	}
	if to, err := got.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Name != "Alice Example" {
		t.Fatalf("To is %v, %v", to, err)
	}
	if got := got.Header.Get("Bcc"); len(got) != 0 {
		t.Fatalf("Bcc is %v, want it empty", got)
	}
	if len(parts) != 4 {
		t.Fatalf("%d parts, want %d", len(parts), 4)
	}
	if got := string(office.letters()[0].data); strings.Contains(got, "javascript") {
		t.Fatalf("%q contains %q", got, "javascript")
	}
	if diff := cmp.Diff(part{"application/octet-stream", "attachment", "a Bcc_ bob@example.com_.mp3", []byte("1")}, parts[2], cmp.AllowUnexported(part{})); diff != "" {
		t.Fatalf("parts[2] (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(part{"application/octet-stream", "attachment", "attachment", []byte("2")}, parts[3], cmp.AllowUnexported(part{})); diff != "" {
		t.Fatalf("parts[3] (-want +got):\n%s", diff)
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"smtp://mail.example.com":                                          "smtp://mail.example.com:587?tls=required",
		"smtp://localhost:1025":                                            "smtp://localhost:1025?tls=starttls",
		"smtp://[::1]:25?tls=none":                                         "smtp://[::1]:25?tls=none",
		"smtps://hotline:s%2Fcret@mail.example.com/":                       "smtps://hotline:xxxxx@mail.example.com:465",
		"smtp://h%40example.com:pw@mail.example.com:2525?from=a@b.example": "smtp://h%40example.com:xxxxx@mail.example.com:2525?tls=required",
	} {
		s, err := mail.New(text, "hotline@example.com", "", mail.Options{})
		if err != nil {
			t.Fatalf("%v: %v", text, err)
		}
		if got := s.String(); got != want {
			t.Fatalf("s.String() is %q, want %q", got, want)
		}
		for _, shown := range []string{fmt.Sprintf("%v", s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), s.LogValue().String()} {
			if shown != want {
				t.Fatalf("shown is %q, want %q", shown, want)
			}
		}
	}
	for text, want := range map[string]string{
		"":                                      "cannot be read",
		"mail.example.com:25":                   "cannot be read",
		"http://mail.example.com":               `begins with "http"`,
		"smtp://u:se#cret@mail.example":         "cannot be read",
		"smtp://u:se/cret@mail.example":         "cannot be read",
		"smtp://u:se%cret@mail.example":         "cannot be read",
		"smtp://u@mail.example":                 "both or none",
		"smtp://mail.example:0":                 "port",
		"smtp://mail.example/x":                 "behind the host",
		"smtp://mail.example?tls=maybe":         "want required, starttls or none",
		"smtp://mail.example?tsl=none":          `unknown setting "tsl"`,
		"smtp://mail.example?from=a&from=b":     "more than once",
		"smtps://mail.example?tls=none":         "smtps and tls=none",
		"smtp://mail.example?from=x%0d%0aBcc:y": "control characters",
	} {
		_, err := mail.New(text, "hotline@example.com", "", mail.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("%v: error %v, want one that contains %q", text, err, want)
		}
		if strings.Contains(err.Error(), "cret") {
			t.Fatalf("%q contains %q", err.Error(), "cret")
		}
	}
	_, err := mail.New("smtp://mail.example.com", "", "", mail.Options{})
	if err == nil || !strings.Contains(err.Error(), "no sender") {
		t.Fatalf("error %v, want one that contains %q", err, "no sender")
	}
	_, err = mail.New("smtp://mail.example.com", "nobody", "", mail.Options{})
	if err == nil || !strings.Contains(err.Error(), "no e-mail address") {
		t.Fatalf("error %v, want one that contains %q", err, "no e-mail address")
	}
	_, err = mail.New("smtp://mail.example.com", "hotline@example.com", "hotline.example.com", mail.Options{})
	if err == nil || !strings.Contains(err.Error(), "public URL") {
		t.Fatalf("error %v, want one that contains %q", err, "public URL")
	}
}

func TestSenderOfTheURL(t *testing.T) {
	t.Parallel()
	office := open(t, plain, &postOffice{})
	s := sender(t, "smtp://"+office.addr+"?from="+url.QueryEscape("Night Desk <night@example.org>"), mail.Options{})
	if err := s.Send(t.Context(), simple()); err != nil {
		t.Fatal(err)
	}
	got, _ := read(t, office.letters()[0])
	if have := got.Header.Get("From"); have != `"Night Desk" <night@example.org>` {
		t.Fatalf("got.Header.Get('From') is %q, want %q", have, `"Night Desk" <night@example.org>`)
	}
	if have := got.Header.Get("Message-ID"); have != "<0123abcd@example.org>" {
		t.Fatalf("got.Header.Get('Message-ID') is %q, want %q", have, "<0123abcd@example.org>")
	}
}

// A host asks from time to time whether mails would go, without sending any.
func TestCheckSignsInAndSendsNothing(t *testing.T) {
	t.Parallel()
	office := open(t, plain, &postOffice{})
	if err := office.sender(t, "smtp", "tls=none", mail.Options{}).Check(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(office.letters()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	wrong := sender(t, "smtp://hotline:wrong@"+office.addr+"?tls=none", mail.Options{})
	if err := wrong.Check(t.Context()); integration.KindOf(err) != integration.KindUnauthorized {
		t.Errorf("with a wrong password: %v", err)
	}
}

// echo is a mail server that takes no password, and repeats each line of the log-in in its answer.
func echo(t *testing.T, mechanism string, cut int) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		lines := bufio.NewScanner(conn)
		say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
		say("220 echo")
		for lines.Scan() {
			line := lines.Text()
			switch {
			case strings.HasPrefix(line, "EHLO"):
				say("250-echo\r\n250 AUTH " + mechanism)
			case strings.HasPrefix(line, "AUTH LOGIN"):
				say("334 VXNlcm5hbWU6")
				lines.Scan()
				say("334 UGFzc3dvcmQ6")
				lines.Scan()
				say("535 5.7.8 not understood: <" + lines.Text()[:len(lines.Text())-cut] + ">")
			case strings.HasPrefix(line, "AUTH"):
				say("535 5.7.8 not understood: " + line[:len(line)-cut])
			case strings.HasPrefix(line, "QUIT"):
				say("221 bye")
				return
			default:
				say("250 ok")
			}
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-served })
	return listener.Addr().String()
}

func TestAServerThatRepeatsTheLogInGivesNothingAway(t *testing.T) {
	t.Parallel()
	const password = "Tr0ub4dor&3-horse"
	for _, tc := range []struct {
		mechanism string
		cut       int
		secrets   []string
	}{
		{"PLAIN", 0, []string{base64.StdEncoding.EncodeToString([]byte("\x00hotline\x00" + password))}},
		{"PLAIN", 7, []string{base64.StdEncoding.EncodeToString([]byte("\x00hotline\x00" + password))[:28]}},
		{"LOGIN", 0, []string{base64.StdEncoding.EncodeToString([]byte(password))}},
		{"LOGIN", 6, []string{base64.StdEncoding.EncodeToString([]byte(password))[:16]}},
	} {
		s := sender(t, "smtp://hotline:"+url.QueryEscape(password)+"@"+echo(t, tc.mechanism, tc.cut)+"?tls=none", mail.Options{})
		err := s.Send(t.Context(), simple())
		if integration.KindOf(err) != integration.KindUnauthorized || !strings.Contains(err.Error(), "not understood") {
			t.Fatalf("%s: %v", tc.mechanism, err)
		}
		for _, secret := range append(tc.secrets, password) {
			if strings.Contains(err.Error(), secret) || strings.Contains(fmt.Sprintf("%+v", errors.Unwrap(err)), secret) {
				t.Errorf("%s: the error has the password: %v", tc.mechanism, err)
			}
		}
	}
}
