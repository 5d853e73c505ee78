package attacks

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// poison are texts that somebody else than the operator chooses. Each has the word poison in it, so
// that a row can tell that it was shown at all.
var poison = []struct{ name, text string }{
	{"a script", `poison<script>alert(1)</script>`},
	{"an image with a script", `poison<img src=x onerror=alert(1)>`},
	{"the end of an attribute", `poison" onmouseover="alert(1)`},
	{"the end of an attribute, single", `poison' onmouseover='alert(1)`},
	{"the end of an element", `poison</title></textarea></style><script>alert(1)</script>`},
	{"an address of a script", `poison javascript:alert(1)`},
	{"a template", `poison{{.}}${7*7}<%=7*7%>`},
	{"a header", "poison\r\nBcc: evil@example.com\r\n\r\nevil body"},
	{"a log line", "poison\ntime=2026-01-01T00:00:00Z level=ERROR msg=forged"},
	{"the other direction", "poison\u202egnp.exe\u2066\u2067"},
	{"terminal codes", "poison\x1b[2J\x1b]0;owned\x07"},
	{"NUL and DEL", "poison\x00\x7f"},
	{"a broken letter", "poison\xff\xfe"},
	{"invisible letters", "poi\u200bson\ufeffpoison"},
	{"a line separator", "poison\u2028evil\u2029evil"},
	{"markdown and links", "poison[click](https://evil.example.com) https://evil.example.com/"},
	{"a formula", "=HYPERLINK(\"https://evil.example.com\",\"poison\")"},
	{"4,000 letters", "poison" + strings.Repeat("A", 4000)},
}

// markup would be taken for a part of a page or document; controls would change how a terminal or a
// reader shows what follows.
var (
	markup   = []string{"<script>alert", "<img src=x", `" onmouseover="`, `' onmouseover='`, "</title></textarea>"}
	controls = []string{"\x1b", "\x00", "\u202e", "\u2066", "\u2067", "\u2028", "\u2029", "\x07"}
)

// clean checks a text that is shown to people.
func clean(t *testing.T, where, text string) {
	t.Helper()
	lacks(t, where, text, markup)
	lacks(t, where, text, controls)
}

func lacks(t *testing.T, where, text string, forbidden []string) {
	t.Helper()
	for _, f := range forbidden {
		if at := strings.Index(text, f); at >= 0 {
			t.Errorf("%s has %q: …%.200q", where, f, text[max(0, at-60):])
		}
	}
}

// pagesOf are pages that show an alert and its call.
func (h *hotline) pagesOf(a alert, sid string) []string {
	return []string{"/alerts", "/alerts/" + a.ID, "/calls", "/calls/" + sid}
}

// pageLink is the personal link in the mail of a page: its token names person, alert and time.
var pageLink = regexp.MustCompile(`/page/([A-Za-z0-9_-]+)`)

// opens reports whether a mail has the personal link to an alert.
func opens(mail, alert string) bool {
	for _, found := range pageLink.FindAllStringSubmatch(mail, -1) {
		if token, err := base64.RawURLEncoding.DecodeString(found[1]); err == nil && strings.Contains(string(token), "\x00"+alert+"\x00") {
			return true
		}
	}
	return false
}

func TestWhatCallersBringAlong(t *testing.T) {
	b := target.loggedIn(t)
	for _, p := range poison {
		t.Run(p.name, func(t *testing.T) {
			logged, letters := len(target.log.String()), len(target.mails.Texts())
			c := target.arrive(t, "CallerName", p.text, "FromCity", p.text, "FromState", p.text, "FromZip", p.text, "FromCountry", p.text, "ForwardedFrom", p.text, "StirVerstat", p.text, "SpeechResult", p.text)
			c.follow(t, "menu", "Digits", "2", "SpeechResult", p.text)
			a := target.alertOf(t, c)
			for _, path := range target.pagesOf(a, c.sid) {
				got := b.get(t, path)
				if got.status != 200 {
					t.Errorf("%s: %d", path, got.status)
				}
				clean(t, path, got.body)
			}
			if got := b.get(t, "/alerts/"+a.ID); !strings.Contains(got.body, "poison") {
				t.Errorf("the alert's page does not show what the caller brought along")
			}
			lacks(t, "the API", a.raw, controls)
			// The page of the layer is mailed.
			eventually(t, "the mail about the alert", func() bool {
				for _, letter := range target.mails.Texts()[letters:] {
					if opens(plainText(t, letter), a.ID) {
						return true
					}
				}
				return false
			})
			for _, letter := range target.mails.Texts()[letters:] {
				if opens(plainText(t, letter), a.ID) {
					checkLetter(t, letter)
				}
			}
			c.over(t)
			for _, line := range target.linesSince(logged) {
				if strings.HasPrefix(line, "time=2026-01-01") || len(line) > 4000 {
					t.Errorf("log line of %d bytes: %.200s", len(line), line)
				}
				lacks(t, "the log", line, controls)
			}
		})
	}
}

// checkLetter checks a mail's headers and text.
func checkLetter(t *testing.T, letter string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(letter))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Bcc", "Cc", "Reply-To"} {
		if m.Header.Get(name) != "" {
			t.Errorf("the mail has %s: %s", name, m.Header.Get(name))
		}
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || strings.ContainsAny(subject, "\r\n") || len(subject) > 400 {
		t.Errorf("subject %.500q, %v", subject, err)
	}
	for _, to := range strings.Split(m.Header.Get("To"), ",") {
		if strings.Contains(to, "evil") {
			t.Errorf("the mail goes to %s", to)
		}
	}
	text := plainText(t, letter)
	for _, f := range []string{"\x1b", "\x00", "\u202e", "\u2066", "\u2028", "\nBcc:", "\nevil body"} {
		if strings.Contains(text, f) {
			t.Errorf("the mail has %q: %.300q", f, text)
		}
	}
	if strings.Contains(strings.ToLower(m.Header.Get("Content-Type")), "html") {
		clean(t, "the mail", text)
	}
}

// plainText is a mail without its transfer encoding.
func plainText(t *testing.T, letter string) string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(letter))
	if err != nil {
		t.Fatal(err)
	}
	var body io.Reader = m.Body
	switch strings.ToLower(m.Header.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCallersNumbersAreNoText(t *testing.T) {
	b := target.loggedIn(t)
	for _, p := range poison {
		t.Run(p.name, func(t *testing.T) {
			logged := len(target.log.String())
			c := target.arrive(t, "From", "sip:"+p.text+"@example.com", "To", "+12025550100")
			c.follow(t, "menu", "Digits", p.text)
			for _, path := range []string{"/alerts", "/calls", "/calls/" + c.sid} {
				clean(t, path, b.get(t, path).body)
			}
			c.over(t)
			for _, line := range target.linesSince(logged) {
				lacks(t, "the log", line, controls)
			}
		})
	}
}

func TestWhatMessagesSay(t *testing.T) {
	id, endpoint, err := target.AddHotline(context.Background(), "+12025550110", []string{"devops"}, map[string]any{
		"send_straight_to_voicemail": true, "voicemail": true, "deliver_messages": "off", "transcribe": true, "voicemail_emails": []string{"on-call"},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := target.loggedIn(t)
	for i, p := range poison {
		t.Run(p.name, func(t *testing.T) {
			c := target.arriveAt(t, endpoint, "To", "+12025550110")
			rec := fmt.Sprintf("RE%032x", 0xbad0+i)
			fields := []string{"RecordingSid", rec, "RecordingUrl", "https://api.twilio.com/2010-04-01/Accounts/" + twiliosim.DefaultAccountSid + "/Recordings/" + rec, "RecordingDuration", "5", "RecordingStatus", "completed"}
			c.follow(t, "recorded", fields...)
			c.follow(t, "transcription", append(fields, "TranscriptionStatus", "completed", "TranscriptionText", p.text)...)
			c.ask(t, target.path(endpoint)+"/status", "CallStatus", "completed", "To", "+12025550110")
			a := target.alertOf(t, c)
			eventually(t, "the transcript beside the alert", func() bool { return strings.Contains(b.get(t, "/alerts/"+a.ID).body, "poison") })
			for _, path := range target.pagesOf(a, c.sid) {
				clean(t, path, b.get(t, path).body)
			}
		})
	}
	for _, letter := range target.mails.Texts() {
		checkLetter(t, letter)
	}
	_ = id
}

func TestWhatFormsSay(t *testing.T) {
	b := target.loggedIn(t)
	for _, p := range poison {
		t.Run(p.name, func(t *testing.T) {
			body := map[string]any{
				"plugin": "livecall", "name": p.text, "enabled": true, "destinations": []map[string]string{{"kind": "team", "id": "devops"}},
				"options": map[string]any{
					"account_sid": twiliosim.DefaultAccountSid, "api_key": twiliosim.DefaultAPIKey, "api_secret": twiliosim.DefaultAPISecret, "auth_token": twiliosim.DefaultAuthToken,
					"welcome": p.text, "no_answer": p.text, "voicemail_greeting": p.text,
				},
			}
			var made struct {
				ID       string `json:"id"`
				Endpoint string `json:"endpoint_url"`
			}
			if err := target.API(t.Context(), "POST", "/api/v1/integrations", body, &made); err != nil {
				if !strings.Contains(err.Error(), "422") && !strings.Contains(err.Error(), "400") {
					t.Errorf("%.300v", err)
				}
				return // refused, which is right as well
			}
			defer func() { _ = target.API(context.Background(), "DELETE", "/api/v1/integrations/"+made.ID, nil, nil) }()
			for _, path := range []string{"/settings/integrations", "/settings/integrations/" + made.ID, "/settings/integrations/" + made.ID + "/delete"} {
				// Other letters in a field are the operator's own.
				lacks(t, path, b.get(t, path).body, markup)
			}
			// What callers hear is still a valid document, with the text as text.
			c := target.arriveAt(t, made.Endpoint)
			document := c.ask(t, target.path(made.Endpoint))
			if problems := twiliosim.ValidateTwiML([]byte(document)); len(problems) > 0 {
				t.Errorf("the document is invalid: %v: %.500s", problems, document)
			}
			lacks(t, "the document", document, markup)
			c.ask(t, target.path(made.Endpoint)+"/status", "CallStatus", "completed")
		})
	}
}

func TestNamesThatPagesRepeat(t *testing.T) {
	b := target.loggedIn(t)
	for _, path := range []string{
		"/alerts/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/calls/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/%22%20onmouseover=%22alert(1)",
		"/settings/integrations/%3Cimg%20src=x%20onerror=alert(1)%3E", "/login?next=%22%20onmouseover=%22alert(1)", "/me?next=%3Cscript%3Ealert(1)%3C/script%3E",
		"/alerts?state=%3Cscript%3Ealert(1)%3C/script%3E&team=%22%20onmouseover=%22x", "/oncall?at=%3Cscript%3Ealert(1)%3C/script%3E",
	} {
		t.Run(path, func(t *testing.T) {
			got := b.get(t, path)
			if got.status >= 500 {
				t.Errorf("answered %d", got.status)
			}
			clean(t, "the page", got.body)
			if tag := regexp.MustCompile(`<script[^>]*>[^<]`).FindString(got.body); tag != "" {
				t.Errorf("the page has a script of its own: %s", tag)
			}
		})
	}
}
