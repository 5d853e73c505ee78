package webhook_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/sqlstoretest"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// sounds is a plugin whose files have the content that a function says; "" is a plugin that is
// away.
func sounds(content func(path string) string) *fakeEngine {
	return &fakeEngine{answer: func(_ context.Context, _ string, w integration.WebhookRequest) (integration.Response, error) {
		body := content(w.Path)
		if body == "" {
			return integration.Response{}, integration.ErrPluginGone
		}
		return integration.Response{Header: map[string][]string{"Content-Type": {"audio/wav"}, "Cache-Control": {"public, immutable"}}, Body: []byte(body)}, nil
	}}
}

// A sound that an upgraded plugin brings replaces the old one: it takes the room of one sound, and
// is the newest.
func TestACopyThatIsReplacedTakesTheRoomOfOne(t *testing.T) {
	t.Parallel()
	mark, away := "1", false
	srv := serve(t, webhook.Config{Engine: sounds(func(string) string {
		if away {
			return ""
		}
		return strings.Repeat(mark, 12<<20) // two of three have room
	})})
	held := func(path string) bool {
		status, _, _ := get(t, "GET", srv.URL+"/integrations/int_1"+path)
		return status == 200
	}
	for _, path := range []string{"/a", "/b"} {
		get(t, "GET", srv.URL+"/integrations/int_1"+path)
	}
	mark = "2"
	get(t, "GET", srv.URL+"/integrations/int_1/a")
	away = true
	for _, path := range []string{"/a", "/b"} {
		if !held(path) {
			t.Errorf("%s made room, though there was enough", path)
		}
	}
	away = false
	get(t, "GET", srv.URL+"/integrations/int_1/c")
	away = true
	for path, want := range map[string]bool{"/a": true, "/b": false, "/c": true} {
		if got := held(path); got != want {
			t.Errorf("%s is held: %v, want %v: the oldest makes room", path, got, want)
		}
	}
}

// counted is a store of files that counts what it is asked for.
type counted struct {
	webhook.FileStore
	reads, lists atomic.Int32
}

func (c *counted) Medium(ctx context.Context, ref string) (store.Medium, error) {
	c.reads.Add(1)
	return c.FileStore.Medium(ctx, ref)
}

func (c *counted) SetSetting(ctx context.Context, name, value string) error {
	c.lists.Add(1)
	return c.FileStore.SetSetting(ctx, name, value)
}

func fileStore(t *testing.T) *counted {
	t.Helper()
	return &counted{FileStore: sqlstoretest.Open(t, clock.System())}
}

// Hosts that start one after the other write the list of an integration's stored sounds only when
// one has changed, and read a stored sound once.
func TestAStoredCopyIsWrittenWhenItChangesAndReadOnce(t *testing.T) {
	t.Parallel()
	kept := fileStore(t)
	host := func(body, want string, times int) {
		t.Helper()
		srv := serve(t, webhook.Config{Engine: sounds(func(string) string { return body }), Files: kept})
		for range times {
			if status, got, _ := get(t, "GET", srv.URL+"/integrations/int_1/hold.wav"); status != 200 || got != want {
				t.Errorf("%d %q, want %q", status, got, want)
			}
		}
		srv.Close() // waits for the handlers, which save after the answer
	}
	for i, step := range []struct {
		body  string
		lists int32
	}{{"first", 1}, {"first", 1}, {"second", 2}} {
		host(step.body, step.body, 1)
		if got := kept.lists.Load(); got != step.lists {
			t.Errorf("after host %d the list was written %d times, want %d", i+1, got, step.lists)
		}
	}
	host("", "second", 3) // its plugin is away
	if got := kept.reads.Load(); got != 1 {
		t.Errorf("the stored sound was read %d times, want once", got)
	}
}

// fullStore cannot take anything.
type fullStore struct{ webhook.FileStore }

func (fullStore) PutMedium(context.Context, store.Medium) (store.Medium, error) {
	return store.Medium{}, errors.New("the disk is full")
}

func TestACopyThatCannotBeStoredIsLoggedAndNothingElseIs(t *testing.T) {
	t.Parallel()
	kept := fileStore(t)
	for _, files := range []webhook.FileStore{kept, fullStore{kept}} {
		var log testlog.Buffer
		srv := serve(t, webhook.Config{
			Engine: sounds(func(string) string { return "RIFF" }), Files: files, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if status, body, _ := get(t, "GET", srv.URL+"/integrations/int_1/hold.wav"); status != 200 || body != "RIFF" {
			t.Errorf("%d %q", status, body)
		}
		srv.Close()
		_, full := files.(fullStore)
		if got := strings.Contains(log.String(), "could not be stored"); got != full {
			t.Errorf("full: %v; the log is %s", full, log.String())
		}
	}
}
