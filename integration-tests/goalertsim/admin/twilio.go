package admin

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Twilio is the part of Twilio's API that a GoAlert server under test calls, which has to be
// started with its address as --twilio-base-url. It rings nobody. Its methods may be used from
// several goroutines.
type Twilio struct {
	AuthToken string // signs what Press posts

	mu    sync.Mutex
	calls []Called
}

// Called is a call or a text message to a person.
type Called struct {
	To   string
	URL  string // of the callback; "" for a text message
	Text string // what is spoken or written
}

var sixDigits = regexp.MustCompile(`(?:\D|^)(\d{6})(?:\D|$)`)

// ServeHTTP accepts calls and text messages.
func (t *Twilio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := Called{To: r.PostFormValue("To"), URL: r.PostFormValue("Url"), Text: r.PostFormValue("Body")}
	if u, err := url.Parse(c.URL); err == nil && c.URL != "" {
		spoken, _ := base64.RawURLEncoding.DecodeString(u.Query().Get("msgBody"))
		c.Text = string(spoken)
	}
	t.mu.Lock()
	t.calls = append(t.calls, c)
	n := len(t.calls)
	t.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = fmt.Fprintf(w, `{"sid":"CA%032x","status":"queued","to":%q}`, n, c.To)
}

// Called returns the calls and text messages to a number, oldest first.
func (t *Twilio) Called(number string) []Called {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(t.calls), func(c Called) bool { return c.To != number })
}

// Code returns the latest code of six digits for a number; "" if none has come yet.
func (t *Twilio) Code(number string) string {
	calls := t.Called(number)
	slices.Reverse(calls)
	for _, c := range calls {
		text := c.Text
		if c.URL != "" { // digits are spoken singly
			text = strings.NewReplacer(".", "", " ", "").Replace(text)
		}
		if m := sixDigits.FindStringSubmatch(text); m != nil {
			return m[1]
		}
	}
	return ""
}

// Press presses a key in a call, as Twilio tells GoAlert, and returns what is answered.
func (t *Twilio) Press(c Called, key string) (status int, body string, err error) {
	form := url.Values{"Digits": {key}, "To": {c.To}}
	mac := hmac.New(sha1.New, []byte(t.AuthToken))
	_, _ = io.WriteString(mac, c.URL)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		_, _ = io.WriteString(mac, name+form.Get(name))
	}
	r, err := http.NewRequest(http.MethodPost, c.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	resp, answer, err := (&Client{}).Do(r)
	if err != nil {
		return 0, "", err
	}
	return resp.StatusCode, string(answer), nil
}
