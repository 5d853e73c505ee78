package mail_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/mail"
	"github.com/livecallrouting/livecall/internal/freeport"
)

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
			if said := err.Error(); strings.Contains(said, "affected") || strings.Contains(said, simple().MessageID) {
				t.Fatalf("%q tells of the mail itself, which whoever reads it knows", said)
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

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	err := sender(t, "smtp://"+freeport.Address(t), mail.Options{}).Send(t.Context(), simple())
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
				send := func(limit time.Duration) error {
					ctx, cancel := context.WithTimeout(t.Context(), limit)
					defer cancel()
					return s.Send(ctx, simple())
				}
				err = send(100 * time.Millisecond)
				for limit := 200 * time.Millisecond; !over(accepted) && limit < time.Minute; limit *= 2 {
					err = send(limit) // a busy machine did not get as far as the server
				}
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

// over reports whether what c stands for is over within a moment.
func over(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-time.After(100 * time.Millisecond):
		return false
	}
}

// TestAServerThatNeverStopsTalking holds the memory: the library keeps an answer however long it
// is.
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
