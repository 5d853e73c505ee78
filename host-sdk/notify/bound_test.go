package notify_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/internal/testmain"
)

// As a host does before it sends.
func TestMain(m *testing.M) {
	network := http.DefaultTransport
	http.DefaultTransport = notify.Bound(roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "discord.com" {
			return discord(r)
		}
		return network.RoundTrip(r)
	}))
	os.Exit(testmain.Run(m))
}

// A service that never stops answering takes neither memory nor time without end.
func TestAnEndlessAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	for _, form := range []string{
		"generic+http://HOST/hook", "ntfy://HOST/topic?scheme=http", "mattermost://HOST/token?disabletls=yes", "gotify://HOST/AbCdEfGhIjKlMn0?disabletls=yes",
		"matrix://user:password@HOST?disabletls=yes", "signal://HOST/+12025550143/+12025550144?disabletls=yes", "bark://devicekey@HOST/?scheme=http",
	} {
		for _, status := range []int{200, 403} {
			var written atomic.Int64
			endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				for piece := []byte(strings.Repeat(" ", 64<<10)); ; {
					n, err := w.Write(piece)
					if written.Add(int64(n)); err != nil || written.Load() > 1<<30 {
						return
					}
				}
			}))
			s := &sink{Server: endless}
			err := new(notify.Sender).Send(t.Context(), s.address(t, form), message)
			endless.CloseClientConnections()
			endless.Close()
			// What the network holds between the two is some MiB.
			if n := written.Load(); n == 0 || n > 64<<20 {
				t.Errorf("%s, status %d: %d bytes of the answer were taken (%v)", form, status, n, err)
			}
			if err == nil && status != 200 {
				t.Errorf("%s: a refusal counts as sent", form)
			}
		}
	}
}

// roundTrip is a function that is a transport.
type roundTrip func(r *http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAnAnswerThatNeverComesIsGivenUp(t *testing.T) {
	t.Parallel()
	var asked *http.Request
	transport := notify.Bound(roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = r
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("{}"))}, nil
	}))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://service.example.com/", nil)
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	deadline, ok := asked.Context().Deadline()
	if !ok || time.Until(deadline) > 20*time.Second {
		t.Errorf("the request may take until %v", deadline)
	}
	if asked.Context().Err() != nil {
		t.Error("the answer is given up before it was read")
	}
	_ = resp.Body.Close()
	if asked.Context().Err() == nil {
		t.Error("the timer goes on when the answer was read")
	}
}

// Each text has a client of its own, whose connections must not stay open.
func TestNoConnectionStaysOpen(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"ntfy://HOST/topic?scheme=http", "mattermost://HOST/token?disabletls=yes", "gotify://HOST/AbCdEfGhIjKlMn0?disabletls=yes"} {
		s := newSink(t)
		closed := make(chan struct{}, 1)
		server := httptest.NewUnstartedServer(s.Config.Handler)
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				closed <- struct{}{}
			}
		}
		server.Start()
		if err := new(notify.Sender).Send(t.Context(), (&sink{Server: server}).address(t, form), message); err != nil {
			t.Errorf("%s: %v", form, err)
		}
		select {
		case <-closed:
		case <-time.After(time.Minute):
			t.Errorf("%s: the connection stays open", form)
		}
		server.Close()
	}
}

// asked counts the requests to Discord by the address's id.
var asked sync.Map

// discord answers in place of the service, whose host an address cannot name: the id is the status,
// and 0 is no answer.
func discord(r *http.Request) (*http.Response, error) {
	id := strings.Split(r.URL.Path, "/")[3]
	n, _ := asked.LoadOrStore(id, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
	status, _ := strconv.Atoi(id)
	if status == 0 {
		return nil, syscall.ECONNREFUSED
	}
	return &http.Response{StatusCode: status, Status: strconv.Itoa(status) + " " + http.StatusText(status), Header: http.Header{"Retry-After": {"250"}}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
}

// TestDiscordIsAskedOncePerAttempt: its own repetitions would go on for minutes after the attempt
// was given up, beside those of the host.
func TestDiscordIsAskedOncePerAttempt(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]struct {
		kind  integration.Kind
		words string
	}{
		"204": {"", ""}, "429": {integration.KindUnavailable, "429 Too Many Requests"}, "503": {integration.KindUnavailable, "503 Service Unavailable"},
		"404": {integration.KindInvalid, "404 Not Found"}, "000": {integration.KindUnavailable, "the connection was refused"},
	} {
		to, err := notify.Parse("discord://canary@" + id)
		if err != nil {
			t.Fatal(err)
		}
		err = new(notify.Sender).Send(t.Context(), to, message)
		if integration.KindOf(err) != want.kind || err != nil && (!strings.Contains(err.Error(), want.words) || strings.Contains(err.Error(), "canary")) {
			t.Errorf("%s: %v, want %s: %s", id, err, want.kind, want.words)
		}
		n, _ := asked.LoadOrStore(id, new(atomic.Int64))
		if got := n.(*atomic.Int64).Load(); got != 1 {
			t.Errorf("%s: Discord was asked %d times", id, got)
		}
	}
}
