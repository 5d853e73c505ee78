package main

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

// mailServer takes every mail.
type mailServer struct {
	mu    sync.Mutex
	mails []string
}

func (s *mailServer) NewSession(*smtp.Conn) (smtp.Session, error) { return s, nil }
func (s *mailServer) Mail(string, *smtp.MailOptions) error        { return nil }
func (s *mailServer) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (s *mailServer) Reset()                                      {}
func (s *mailServer) Logout() error                               { return nil }

func (s *mailServer) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, string(text))
	return err
}

func (s *mailServer) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.mails, "\n")
}

// Whoever is on call is told by mail that an alert waits.
func TestPagesByMail(t *testing.T) {
	t.Parallel()
	inbox := &mailServer{}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own port
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(inbox)
	server.Domain = "mail.example.com"
	go func() { _ = server.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })

	file := strings.Replace(hosttest.File, "rotation: {start: \"2026-01-05T09:00\", every: 1w, users: [alice, bob]}", "users: [alice]", 1)
	if file == hosttest.File {
		t.Fatalf("file is %v", file)
	}
	p := start(t, newDir(t, file), "SWITCHBOARD_SMTP_URL=smtp://"+listener.Addr().String()+"?tls=none&from=hotline@example.com").ready()
	id := p.create(p.token())
	status, _ := p.webhook(id, "Call=CA01&From=%2B12025550143")
	if status != 200 {
		t.Fatalf("status = %v, want %v", status, 200)
	}
	hosttest.Eventually(t, "alice has mail", func() bool { return strings.Contains(inbox.all(), "alice@example.com") })
	if got := inbox.all(); !strings.Contains(got, "Subject: Call from +12025550143") {
		t.Fatalf("inbox.all() does not contain %q:\n%s", "Subject: Call from +12025550143", got)
	}
	if got := inbox.all(); !strings.Contains(got, p.url+"/page/") {
		t.Fatalf("inbox.all() does not contain the personal link %q:\n%s", p.url+"/page/", got)
	}
	if got := p.stop(); got != 0 {
		t.Fatalf("p.stop() = %v, want 0", got)
	}
}
