package mail_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/mail"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

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

func TestTheDateFollowsAClockThatIsSet(t *testing.T) {
	t.Parallel()
	office := open(t, plain, &postOffice{})
	now := time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC)
	hands := clock.NewManual(now)
	s := office.sender(t, "smtp", "tls=none", mail.Options{Clock: hands})
	var want, got []string
	for _, by := range []time.Duration{0, -time.Hour, 25 * time.Hour} {
		hands.Set(by)
		now = now.Add(by)
		if err := s.Send(t.Context(), simple()); err != nil {
			t.Fatal(err)
		}
		want = append(want, now.Format(time.RFC1123Z))
	}
	for _, l := range office.letters() {
		m, _ := read(t, l)
		got = append(got, m.Header.Get("Date"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
