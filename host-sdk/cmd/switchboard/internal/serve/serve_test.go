package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

type fakeStore struct {
	store.Store
	ping func(context.Context) error
}

func (f fakeStore) Ping(ctx context.Context) error { return f.ping(ctx) }

type fakePlatform struct {
	platform.Platform
	err error
}

func (f fakePlatform) Health(context.Context) error { return f.err }

type fakePlugins map[string]integration.Integration

func (f fakePlugins) Plugin(id string) (integration.Integration, bool) {
	p := f[id]
	return p, p != nil
}

func (f fakePlugins) PluginIDs() []string {
	var ids []string
	for id := range f {
		ids = append(ids, id)
	}
	return ids
}

type deafPlugin struct{ hosttest.Plugin }

func (deafPlugin) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	return integration.Description{}, integration.ErrPluginGone
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	well := func(context.Context) error { return nil }
	stuck := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	closed, end := context.WithCancel(context.Background())
	end()
	good := fakePlugins{"a": hosttest.Plugin{}}
	for _, c := range []struct {
		name    string
		site    Site
		code    int
		status  string
		failing string
		message string
	}{
		{"all well", Site{Store: fakeStore{ping: well}, Platform: fakePlatform{}, Plugins: good}, 200, "ready", "", ""},
		{"store", Site{Store: fakeStore{ping: func(context.Context) error { return integration.Errorf(integration.KindUnavailable, "disk full") }}, Platform: fakePlatform{}, Plugins: good}, 503, "not_ready", "store", "unavailable: disk full"},
		{"platform", Site{Store: fakeStore{ping: well}, Platform: fakePlatform{err: errors.New("gone")}, Plugins: good}, 503, "not_ready", "platform", "gone"},
		{"plugin not there", Site{Store: fakeStore{ping: well}, Platform: fakePlatform{}, Plugins: fakePlugins{"a": hosttest.Plugin{}, "b": nil}}, 503, "not_ready", "plugin", "unavailable: plugin b is not running"},
		{"plugin deaf", Site{Store: fakeStore{ping: well}, Platform: fakePlatform{}, Plugins: fakePlugins{"a": deafPlugin{}}}, 503, "not_ready", "plugin", "plugin a"},
		{"no plugin", Site{Store: fakeStore{ping: well}, Platform: fakePlatform{}, Plugins: fakePlugins{}}, 503, "not_ready", "plugin", "no plugin is installed"},
		{"store stuck", Site{Store: fakeStore{ping: stuck}, Platform: fakePlatform{}, Plugins: good}, 503, "not_ready", "store", "no answer within 2s"},
		{"stopping", Site{Store: fakeStore{ping: well}, Platform: fakePlatform{}, Plugins: good, Closing: closed}, 503, "stopping", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.site.Closing == nil {
				c.site.Closing = context.Background()
			}
			rec := httptest.NewRecorder()
			(&readiness{site: c.site}).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
			require.Equal(t, c.code, rec.Code)
			var got readyState
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &got))
			require.Equal(t, c.status, got.Status)
			require.Len(t, got.Parts, 3)
			for name, part := range got.Parts {
				if name == c.failing {
					require.Equal(t, "failed", part.State)
					require.Contains(t, part.Message, c.message)
				} else {
					require.Equal(t, partState{State: "ok"}, part, name)
				}
			}
		})
	}
}

func TestLogHidesSecrets(t *testing.T) {
	t.Parallel()
	s := settings.Settings{
		SecretKey: "canary-key-1234", APIToken: "canary-token-1234", LogFormat: "json",
		DatabaseURL: "postgres://hotline:canary%2Fdatabase@db.example.com/x", SMTPURL: "smtp://hotline:canary-mail@mail.example.com",
	}
	address, err := url.Parse(s.DatabaseURL.Reveal())
	require.NoError(t, err)
	for _, format := range []string{"json", "text"} {
		var out strings.Builder
		s.LogFormat = format
		log := NewLogger(&out, s).With("with", "canary-key-1234")
		log.Error("cannot connect with canary-token-1234", "error", errors.New("dial canary/database"), "address", address,
			"list", []string{"canary-mail"}, slog.Group("group", "password", "canary-mail"), "number", 7, "took", time.Second, "nothing", nil)
		require.NotContains(t, out.String(), "canary", format)
		require.Contains(t, out.String(), hidden)
		require.Contains(t, out.String(), "7", "the rest stays")
	}
	var out strings.Builder
	NewLogger(&out, settings.Settings{}).Debug("quiet")
	require.Empty(t, out.String())
	NewLogger(&out, settings.Settings{LogLevel: slog.LevelDebug}).Debug("loud", "x", "y")
	require.Contains(t, out.String(), "msg=loud x=y")
}

func TestPlainErrors(t *testing.T) {
	t.Parallel()
	known := integration.Errorf(integration.KindInvalid, "secret key: wrong")
	require.Equal(t, "secret key: wrong", plain(known))
	require.Equal(t, "store: secret key: wrong", plain(fmt.Errorf("store: %w", known)))
	require.Equal(t, "a; b", oneLine("a\n  b\n"))
}

func TestLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	release, err := lockDataDir(dir)
	require.NoError(t, err)
	_, err = lockDataDir(dir)
	require.ErrorContains(t, err, "another switchboard")
	release()
	release, err = lockDataDir(dir)
	require.NoError(t, err)
	release()
	_, err = lockDataDir(filepath.Join(dir, "nowhere"))
	require.ErrorContains(t, err, "cannot be written")
}

func TestDataDirIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	require.NoError(t, prepareDataDir(dir))
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

type mailbox struct {
	sent []engine.OutgoingMail
	fail map[string]error
}

func (m *mailbox) Send(_ context.Context, mail engine.OutgoingMail) error {
	m.sent = append(m.sent, mail)
	return m.fail[mail.To]
}

func TestNotify(t *testing.T) {
	t.Parallel()
	require.Nil(t, notify(nil), "without a mail server nobody is told")
	page := embedded.Page{
		ID: "page1", Layer: 2, Round: 1,
		Users: []integration.User{{ID: "alice", Email: "alice@example.com"}, {ID: "bob"}, {ID: "carol@x", Email: "carol@example.com"}},
		Alert: platform.AlertRecord{
			AlertSnapshot: integration.AlertSnapshot{URL: "https://hotline.example.com/alerts/1"}, Title: "Call\r\nBcc: x", Urgency: "high",
			Description: "A caller waits.", Fields: []integration.AlertField{{Label: "Caller", Value: "+12025550143"}},
		},
	}
	box := &mailbox{fail: map[string]error{"alice@example.com": integration.Errorf(integration.KindUnavailable, "later")}}
	tell := notify(box)
	require.ErrorContains(t, tell(t.Context(), page), "later")
	require.Len(t, box.sent, 2, "one that fails does not keep the others from being told; who has no address is left out")
	require.Equal(t, "[high] Call Bcc: x", box.sent[0].Subject, "one line")
	require.Equal(t, "https://hotline.example.com/alerts/1", box.sent[0].AlertURL)
	require.Contains(t, box.sent[0].Text, "Caller: +12025550143")
	require.Contains(t, box.sent[0].Text, "layer 2")
	box.fail = nil
	require.NoError(t, tell(t.Context(), page))
	require.Equal(t, box.sent[0].MessageID, box.sent[2].MessageID, "the same at each attempt")
	require.NotEqual(t, box.sent[0].MessageID, box.sent[1].MessageID)
	require.Regexp(t, "^[0-9a-f]{32}$", box.sent[1].MessageID)
}

func TestPluginsNeverGetTheHostsSecrets(t *testing.T) {
	for _, name := range ownSecrets {
		t.Setenv(name, "canary")
		if v, ok := forPlugins(name); ok || v != "" {
			t.Errorf("a plugin that asks for %s gets it", name)
		}
	}
	t.Setenv("LIVECALL_TWILIO_API_URL", "http://127.0.0.1:8090")
	if v, ok := forPlugins("LIVECALL_TWILIO_API_URL"); !ok || v == "" {
		t.Error("a plugin does not get what it may have")
	}
}
