package goalertsim

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// message is a call (or, with a code, perhaps a text message) to a user.
type message struct {
	id     string
	user   *user
	method *contactMethod
	alert  *alert // nil: a code
	code   int
	due    time.Time
	done   bool // sent, or no longer wanted
}

// throttle allows so many messages in a time.
type throttle struct {
	count int
	in    time.Duration
}

// ofNumber are limits of all messages to a number, ofAlerts of alerts by voice.
var (
	ofNumber = []throttle{{1, time.Minute}}
	ofAlerts = []throttle{{3, 15 * time.Minute}, {7, time.Hour}}
)

// allowed tells whether limits allow another message.
func allowed(sent []time.Time, limits []throttle, now time.Time) bool {
	for _, l := range limits {
		n := 0
		for _, at := range sent {
			if now.Sub(at) < l.in {
				n++
			}
		}
		if n >= l.count {
			return false
		}
	}
	return true
}

// calls are the calls and text messages that are due and that the limits allow.
func (s *Sim) calls(now time.Time) (posts []post) {
	for _, m := range s.db.messages {
		if m.done || now.Before(m.due) {
			continue
		}
		if m.alert != nil && m.alert.status != triggered {
			m.done = true
			continue
		}
		number := m.method.dest.Args["phone_number"]
		alerts := "alerts " + number
		if !allowed(s.db.sent[number], ofNumber, now) || m.alert != nil && !allowed(s.db.sent[alerts], ofAlerts, now) {
			continue
		}
		m.done = true
		s.db.sent[number] = append(s.db.sent[number], now)
		if m.alert != nil {
			s.db.sent[alerts] = append(s.db.sent[alerts], now)
		}
		p := s.callOf(m)
		p.done = func(reached bool, status int) {
			if reached && status == http.StatusCreated && m.alert != nil {
				s.db.log(m.alert, s.clock.Now(), "Notification sent to "+m.user.name, m.id)
			}
		}
		posts = append(posts, p)
	}
	return posts
}

// callOf is the request to Twilio for a message.
func (s *Sim) callOf(m *message) post {
	api := strings.TrimSuffix(s.cfg.TwilioURL, "/") + "/2010-04-01/Accounts/" + s.cfg.TwilioAccountSID
	form := url.Values{"From": {s.cfg.TwilioFrom}, "To": {m.method.dest.Args["phone_number"]}}
	if m.method.dest.Type == destSMS {
		form.Set("Body", unspecified("the code %d", m.code))
		return post{url: api + "/Messages.json", form: form}
	}
	kind, subject, text := "verify", "-1", unspecified("an alert")
	if m.alert != nil {
		kind, subject = "alert", strconv.Itoa(m.alert.id)
	} else {
		text = "The code is:"
		for _, digit := range strconv.Itoa(m.code) {
			text += fmt.Sprintf(" %c.", digit)
		}
	}
	callback := s.publicURL("/api/v2/twilio/call?" + url.Values{
		"type": {kind}, "msgID": {m.id}, "msgSubjectID": {subject},
		"msgBody": {base64.RawURLEncoding.EncodeToString([]byte(text))},
	}.Encode())
	form.Set("Url", callback)
	form.Set("FallbackUrl", callback)
	return post{url: api + "/Calls.json", form: form}
}

// signature is what Twilio sends with a form that it posts.
func signature(token, address string, form url.Values) string {
	h := hmac.New(sha1.New, []byte(token))
	h.Write([]byte(address))
	for _, key := range slices.Sorted(maps.Keys(form)) {
		h.Write([]byte(key + form.Get(key)))
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// voiceCallback serves the key 4, which acknowledges the alert of a call.
func (s *Sim) voiceCallback(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	want := signature(s.cfg.TwilioAuthToken, s.publicURL(r.URL.RequestURI()), r.PostForm)
	if s.cfg.TwilioURL == "" || !hmac.Equal([]byte(want), []byte(r.Header.Get("X-Twilio-Signature"))) {
		http.Error(w, unspecified("the signature is wrong"), http.StatusBadRequest)
		return
	}
	query := r.URL.Query()
	s.mu.Lock()
	m := find(s.db.messages, func(m *message) bool { return m.id == query.Get("msgID") })
	s.mu.Unlock()
	if query.Get("type") != "alert" || r.PostForm.Get("Digits") != "4" || m == nil || m.alert == nil {
		s.refuse(w, "voice callbacks other than the key 4 for an alert that was notified")
		return
	}
	s.mu.Lock()
	spoken := unspecified("acknowledged")
	if !s.setStatus(m.alert, acknowledged, " by "+m.user.name+" (Voice Call)") {
		spoken = "Already " + s.lastChange(m.alert)
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/xml")
	_, _ = w.Write([]byte("<Response><Say>"))
	_ = xml.EscapeText(w, []byte(spoken))
	_, _ = w.Write([]byte("</Say></Response>"))
}

// lastChange is the log's line of the latest acknowledgement or closing, for speech.
func (s *Sim) lastChange(a *alert) string {
	for _, e := range slices.Backward(s.db.events) {
		if e.alert == a && (strings.HasPrefix(e.message, "Acknowledged") || strings.HasPrefix(e.message, "Closed")) {
			text, _, _ := strings.Cut(e.message, " (")
			return text
		}
	}
	return ""
}
