package mail_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/mail"
)

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
