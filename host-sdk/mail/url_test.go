package mail_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/mail"
)

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
