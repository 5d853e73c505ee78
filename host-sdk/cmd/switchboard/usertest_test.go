package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

// notified is a notification service on loopback, as ntfy is.
type notified struct {
	*httptest.Server

	mu    sync.Mutex
	posts []string
	deny  bool
}

func newNotified(t *testing.T) *notified {
	t.Helper()
	n := &notified{}
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.posts = append(n.posts, r.URL.Path+" "+r.Header.Get("Title")+" "+string(body))
		if n.deny {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"code":40301,"error":"canary"}`)
			return
		}
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(n.Close)
	return n
}

func (n *notified) all() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.posts, "\n")
}

// A whole host without a mail server pages by a notification service, tells a channel, and is asked
// for a test. Neither its log nor anything that it shows holds an address.
func TestAHostWithoutMailNotifies(t *testing.T) {
	t.Parallel()
	service := newNotified(t)
	host := strings.TrimPrefix(service.URL, "http://")
	file := strings.NewReplacer(
		`rotation: {start: "2026-01-05T09:00", every: 1w, users: [alice, bob]}`, "users: [alice]",
		"id: alice,", fmt.Sprintf(`id: alice, notify: ["ntfy://me:canary-word@%s/canary-topic?scheme=http"],`, host),
		"    name: DevOps\n", fmt.Sprintf("    name: DevOps\n    channels: [\"generic+http://%s/canary-channel?template=json\"]\n", host),
	).Replace(hosttest.File)
	dir := newDir(t, file)
	says(t, dir, nil, 1, []string{"no switchboard is running"}, "user", "test", "alice")
	p := start(t, dir).ready()
	id := p.create(p.token())
	if status, body := p.webhook(id, "Call=CA01&From=%2B12025550143"); status != 200 {
		t.Fatal(status, body)
	}
	hosttest.Eventually(t, "alice is notified, and the channel", func() bool {
		got := service.all()
		return strings.Contains(got, "/canary-topic Call from +12025550143") && strings.Contains(got, "/page/") && strings.Contains(got, "/canary-channel") && strings.Contains(got, "DevOps: waiting for layer 1")
	})
	hosttest.Eventually(t, "the story says so", func() bool {
		_, body := p.send("GET", "/api/v1/alerts", p.token(), "", "")
		return strings.Contains(body, "Alice Example was notified by ntfy")
	})
	says(t, dir, nil, 0, []string{"notify to ntfy (127.0.0.1): The service has taken it."}, "user", "test", "alice")
	service.mu.Lock()
	service.deny = true
	service.mu.Unlock()
	hosttest.Eventually(t, "the next test is refused by the service", func() bool {
		status, out := terminal(t, dir, nil, "user", "test", "alice", "--json")
		return status == 1 && strings.Contains(out, `"ok": false`) && strings.Contains(out, "403 Forbidden")
	})
	says(t, dir, nil, 1, []string{"has none of this id"}, "user", "test", "nobody")
	says(t, dir, nil, 1, []string{"cannot be told"}, "user", "test", "bob")
	for _, path := range []string{"/api/v1/alerts", "/api/v1/audit", "/api/v1/status", "/api/v1/teams", "/metrics", "/readyz"} {
		if _, body := p.send("GET", path, p.token(), "", ""); strings.Contains(body, "canary-word") || strings.Contains(body, "canary-topic") || strings.Contains(body, "canary-channel") {
			t.Errorf("%s shows an address:\n%s", path, body)
		}
	}
	if got := p.log.String(); strings.Contains(got, "canary") {
		t.Errorf("the log holds a secret:\n%s", got)
	}
	if got := p.stop(); got != 0 {
		t.Errorf("it ended with %d", got)
	}
}

// A webhook that answers without end takes no memory of a whole host.
func TestAHostReadsTheBeginningOfAnAnswer(t *testing.T) {
	t.Parallel()
	var written atomic.Int64
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for piece := make([]byte, 64<<10); written.Load() < 1<<30; {
			n, err := w.Write(piece)
			if written.Add(int64(n)); err != nil {
				return
			}
		}
	}))
	t.Cleanup(endless.Close)
	dir := newDir(t, strings.Replace(hosttest.File, "id: alice,", `id: alice, notify: ["generic+`+endless.URL+`/hook"],`, 1))
	p := start(t, dir).ready()
	says(t, dir, nil, 0, []string{"The service has taken it."}, "user", "test", "alice")
	if n := written.Load(); n == 0 || n > 64<<20 {
		t.Errorf("%d bytes of the answer were taken", n)
	}
	p.stop()
}
