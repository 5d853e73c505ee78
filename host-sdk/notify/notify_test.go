package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/notify"
)

// post is what a service has received.
type post struct {
	path, title, body, contentType, authorization string
}

// sink stands in for a service on loopback. It answers with the status and the body that are set.
type sink struct {
	*httptest.Server
	posts  chan post
	status atomic.Int64
	answer atomic.Value
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{posts: make(chan post, 100)}
	s.status.Store(http.StatusOK)
	s.answer.Store("{}")
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.posts <- post{r.URL.Path, r.Header.Get("Title"), string(body), r.Header.Get("Content-Type"), r.Header.Get("Authorization")}
		w.WriteHeader(int(s.status.Load()))
		_, _ = io.WriteString(w, s.answer.Load().(string))
	}))
	t.Cleanup(s.Close)
	return s
}

// host is the sink's host and port.
func (s *sink) host() string { return strings.TrimPrefix(s.URL, "http://") }

func (s *sink) address(t *testing.T, form string) notify.Address {
	t.Helper()
	a, err := notify.Parse(strings.ReplaceAll(form, "HOST", s.host()))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var message = notify.Message{Title: "Call for DevOps", Text: "You are on call.\n\nhttps://host.example.com/alerts/1"}

func TestEachServiceReceivesTheTextInItsOwnForm(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]func(p post) error{
		"ntfy://me:pass%20word@HOST/topic?scheme=http&priority=max": func(p post) error {
			return wrong(p.path == "/topic" && p.title == message.Title && p.body == message.Text && strings.HasPrefix(p.authorization, "Basic "), p)
		},
		"generic+http://HOST/hook": func(p post) error {
			return wrong(p.path == "/hook" && p.body == message.Title+"\n\n"+message.Text, p)
		},
		"generic+http://HOST/hook?template=json": func(p post) error {
			var got map[string]string
			err := json.Unmarshal([]byte(p.body), &got)
			return wrong(err == nil && got["title"] == message.Title && got["message"] == message.Text, p)
		},
		// The payload of Slack's incoming webhooks, which Mattermost takes at an address of one's
		// own.
		"mattermost://HOST/token?disabletls=yes": func(p post) error {
			var got struct{ Text string }
			err := json.Unmarshal([]byte(p.body), &got)
			return wrong(err == nil && p.path == "/hooks/token" && got.Text == message.Title+"\n\n"+message.Text, p)
		},
	} {
		s := newSink(t)
		if err := new(notify.Sender).Send(t.Context(), s.address(t, form), message); err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		if err := want(<-s.posts); err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
}

func wrong(fine bool, p post) error {
	if fine {
		return nil
	}
	return fmt.Errorf("received %+v", p)
}

func TestAFailureSaysWhetherToTryAgainAndNothingOfTheAddress(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"ntfy://user:secretpass@HOST/secrettopic?scheme=http", "generic+http://HOST/secrethook", "mattermost://HOST/secrettoken?disabletls=yes"} {
		for _, c := range []struct {
			status int
			answer string
			want   integration.Kind
			says   string
		}{
			{500, "", integration.KindUnavailable, "500 Internal Server Error"},
			{503, "secret of the other side", integration.KindUnavailable, "503"},
			{429, "", integration.KindUnavailable, "429"},
			{403, "", integration.KindInvalid, "403 Forbidden"},
			{404, "", integration.KindInvalid, "404"},
		} {
			s := newSink(t)
			s.status.Store(int64(c.status))
			s.answer.Store(c.answer)
			err := new(notify.Sender).Send(t.Context(), s.address(t, form), message)
			if integration.KindOf(err) != c.want || !strings.Contains(fmt.Sprint(err), c.says) || strings.Contains(fmt.Sprint(err), "secret") {
				t.Errorf("%s, status %d: %v; want %s with %q", form, c.status, err, c.want, c.says)
			}
		}
		s := newSink(t)
		gone := s.address(t, form)
		s.Close()
		err := new(notify.Sender).Send(t.Context(), gone, message)
		if integration.KindOf(err) != integration.KindUnavailable || !strings.Contains(fmt.Sprint(err), "connection was refused") || strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("%s, nobody there: %v", form, err)
		}
	}
}

// ntfy answers refusals in JSON, with a code of its own.
func TestARefusalOfNtfyIsFinal(t *testing.T) {
	t.Parallel()
	s := newSink(t)
	s.status.Store(401)
	s.answer.Store(`{"code":40101,"http":401,"error":"unauthorized"}`)
	err := new(notify.Sender).Send(t.Context(), s.address(t, "ntfy://HOST/topic?scheme=http"), message)
	if integration.KindOf(err) != integration.KindInvalid || !strings.Contains(err.Error(), "401") {
		t.Error(err)
	}
}

// A service that takes the request and never answers must not use up everything there is.
func TestAServiceThatHangsIsLeftAloneUntilItAnswers(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var asked atomic.Int64
	hangs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		<-release
		_, _ = io.WriteString(w, "{}")
	}))
	defer hangs.Close()
	s := &sink{Server: hangs}
	to := s.address(t, "generic+http://HOST/hook")
	sender := new(notify.Sender)
	for range 2 * notify.MaxOpen {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		err := sender.Send(ctx, to, message)
		cancel()
		if k := integration.KindOf(err); k != integration.KindDeadline && k != integration.KindUnavailable {
			t.Fatal(err)
		}
	}
	if err := sender.Send(t.Context(), to, message); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("another attempt: %v", err)
	}
	well := newSink(t)
	if err := sender.Send(t.Context(), well.address(t, "ntfy://HOST/topic?scheme=http"), message); err != nil {
		t.Errorf("another service: %v", err)
	}
	close(release)
	for sender.Send(t.Context(), to, message) != nil {
		if t.Context().Err() != nil {
			t.Fatal("it is left alone for ever")
		}
		time.Sleep(time.Millisecond)
	}
	if n := asked.Load(); n > notify.MaxOpen+1 {
		t.Errorf("it was asked %d times while it hung", n)
	}
}

func TestAnAddressIsCheckedWithoutShowingIt(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                               "is not an address",
		"secret topic":                   "is not an address",
		"ntfy://secret%zz/topic":         "is not an address",
		"https://secret.example.com/abc": "generic+https://",
		"carrierpigeon://secret":         `begins with "carrierpigeon"`,
		"logger://":                      `begins with "logger"`,
		"ntfy://secret.example.com":      "no address that ntfy takes (topic is required)",
		"ntfy://h/t?secret=secretvalue":  "no address that ntfy takes",
		"slack://secret":                 "no address that Slack takes",
		"telegram://secret@telegram":     "no address that Telegram takes",
		"matrix://secret:secret@":        "no address that Matrix takes",
		strings.Repeat("secret", 1000):   "limit",
	} {
		_, err := notify.Parse(raw)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.40q: %v; want %q", raw, err, want)
		}
	}
}

func TestAnAddressPrintsServiceAndHostAlone(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"ntfy://user:secret@ntfy.example.com/secret":                                     "ntfy (ntfy.example.com)",
		"generic+https://hooks.example.com/secret?$a=secret":                             "webhook (hooks.example.com)",
		"slack://hook:TSECRET01-BSECRET01-secretsecretsecretsecret@webhook":              "Slack",
		"discord://secret@4711":                                                          "Discord",
		"pushover://shoutrrr:secret@secretuser":                                          "Pushover",
		"telegram://110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw@telegram?chats=@secret": "Telegram",
		"matrix://user:secret@matrix.example.com:443":                                    "Matrix (matrix.example.com)",
	} {
		a, err := notify.Parse(raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		for _, printed := range []string{a.String(), fmt.Sprint(a), fmt.Sprintf("%v", a), fmt.Sprintf("%+v", a), fmt.Sprintf("%#v", a), fmt.Sprintf("%q", a), fmt.Sprintf("%d", a), a.LogValue().String()} {
			if printed != want {
				t.Errorf("%s prints as %q, want %q", raw, printed, want)
			}
		}
		text, err := json.Marshal(map[string]any{"to": a, "more": []notify.Address{a}})
		if err != nil || strings.Contains(strings.ToLower(string(text)), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
